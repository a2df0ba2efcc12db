"""How much a YAML file may come to once its aliases are written out. Pure."""

from __future__ import annotations

import re

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

#: An alias, or a text that looks like one. Without any of them nothing can grow.
_ALIAS = re.compile(r"(?:^|[\s,\[{:-])\*[^\s,\[\]{}]", re.MULTILINE)
#: Values that all aliases of a file may stand for. The largest file of public repositories that was seen needs 3,000.
MAX_ALIASED = 200_000


def has_alias(text: str) -> bool:
    """Tell whether there may be an alias in the text."""
    return _ALIAS.search(text) is not None


def count_aliased(root: Node) -> int:
    """Return how many values the aliases below ``root`` stand for beyond what is written there.

    A part that contains itself counts once; the reader that builds the value refuses it.
    """
    sizes: dict[int, int] = {}
    waiting: list[tuple[Node, bool]] = [(root, False)]
    while waiting:
        node, entered = waiting.pop()
        inner = inner_nodes(node)
        if entered or not inner:
            sizes[id(node)] = 1 + sum(sizes.get(id(part), 0) for part in inner)
        elif id(node) not in sizes:
            sizes[id(node)] = 0
            waiting.append((node, True))
            waiting += [(part, False) for part in inner if id(part) not in sizes]
    return sizes[id(root)] - len(sizes)


def inner_nodes(node: Node) -> list[Node]:
    """Return what stands directly in a node: items, or keys and values."""
    if isinstance(node, ScalarNode):
        return []
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []
