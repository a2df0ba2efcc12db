"""A playbook's YAML as plain data, with the line of every key and item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from yaml.nodes import MappingNode, Node, SequenceNode

from pfremote.errors import ConfigError
from pfremote.inventory.yaml_nodes import Document

#: A place in the data: keys and positions from the top.
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """What a file says. ``problems`` are mistakes that the data cannot show, such as a key given twice."""

    file: str
    data: object
    lines: Mapping[Place, int]
    problems: tuple[ConfigError, ...] = ()

    def error(self, message: str, place: Place, hint: str = "") -> ConfigError:
        """Return (not raise) an error at a place; one that is not in the file has its parent's line."""
        known = next((place[:end] for end in range(len(place), -1, -1) if place[:end] in self.lines), ())
        return ConfigError(message, file=self.file, line=self.lines.get(known, 1), path=render_place(place), hint=hint)


def render_place(place: Place) -> str:
    """Return a place as people write it.

    >>> render_place((0, "debug", "peers", 1))
    '[0].debug.peers[1]'
    """
    words = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(words).removeprefix(".")


def read_tree(text: str, file: str) -> Tree:
    """Read YAML.

    Raises:
        ConfigError: it is not YAML, or a key or value in it cannot be read.
    """
    document = Document(text, file)
    reading = _Reading(document)
    data = None if document.root is None else reading.read(document.root, ())
    return Tree(file, data, reading.lines, tuple(reading.problems))


@dataclass(slots=True)
class _Reading:
    document: Document
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[ConfigError] = field(default_factory=list)
    _above: list[Node] = field(default_factory=list)

    def read(self, node: Node, place: Place) -> object:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if not isinstance(node, MappingNode | SequenceNode):
            return self.document.value(node)
        if any(node is above for above in self._above):
            message = "this part contains itself"
            raise self.document.fail(message, node, render_place(place), "Write it out without the alias.")
        self._above.append(node)
        try:
            if isinstance(node, SequenceNode):
                return [self.read(item, (*place, number)) for number, item in enumerate(node.value)]
            return dict(self._read_entries(node, place))
        finally:
            self._above.pop()

    def _read_entries(self, node: MappingNode, place: Place) -> Iterator[tuple[str, object]]:
        self._note_twins(node, place)
        for key, key_node, value_node in self.document.entries(node, render_place(place)):
            here = (*place, key)
            self.lines[here] = key_node.start_mark.line + 1
            yield key, self.read(value_node, here)

    def _note_twins(self, node: MappingNode, place: Place) -> None:
        """In an inventory the last of two equal keys counts, as in Ansible; here it is a slip."""
        seen: set[str] = set()
        for key_node, _value in node.value:
            key = str(key_node.value)
            if key in seen and key != "<<":
                here = render_place((*place, key))
                self.problems.append(self.document.fail(f"{key} is there twice", key_node, here, "Keep one of them."))
            seen.add(key)
