"""Read Ansible's YAML inventories: groups at the top, each with ``hosts``, ``vars`` and ``children``."""

from __future__ import annotations

from yaml.nodes import MappingNode, Node

from pfremote.inventory.foreign import ForAnsibleError
from pfremote.inventory.graph import Graph
from pfremote.inventory.yaml_nodes import Document, is_null, read_text_scalar

SECTIONS = ("hosts", "vars", "children")


def read_yaml(document: Document, graph: Graph) -> None:
    """Add what the document says to the graph.

    Raises:
        ConfigError: an unknown key, a wrong structure or a wrong range, with file, line and path.
        ForAnsibleError: it is the configuration of a plugin.
    """
    root = document.root
    if root is None or is_null(root):
        return
    if not isinstance(root, MappingNode):
        raise document.fail(
            "an inventory is a mapping of groups",
            root,
            "",
            "Begin the file with the line all: and indent the rest.",
        )
    for name, key, node in document.entries(root, ""):
        if name == "plugin":
            line = key.start_mark.line + 1
            raise ForAnsibleError("the configuration of an inventory plugin", document.file, line=line, path=name)
        _read_group(name, node, name, document, graph)
    graph.warnings.extend(document.warnings)


def _read_group(name: str, node: Node, path: str, document: Document, graph: Graph) -> None:
    if not is_null(node) and not isinstance(node, MappingNode):
        raise document.fail("a group is a mapping", node, path, "Write hosts:, vars: or children: below it, indented.")
    graph.add_group(name)
    if is_null(node):
        return
    for section, key, body in document.entries(node, path):
        here = f"{path}.{section}"
        if section not in SECTIONS:
            raise document.fail(
                f"a group has no key {section}",
                key,
                here,
                "Known are hosts, vars and children; a variable belongs below vars.",
            )
        if is_null(body):
            continue
        if section == "vars":
            _read_variables(name, body, here, document, graph)
        elif section == "children":
            _read_children(name, body, here, document, graph)
        else:
            _read_hosts(name, body, here, document, graph)


def _read_variables(entity: str, body: Node, path: str, document: Document, graph: Graph) -> None:
    for name, key, node in document.entries(body, path):
        graph.set_variable(entity, name, document.value(node), document.origin(key, f"{path}.{name}"))


def _read_children(parent: str, body: Node, path: str, document: Document, graph: Graph) -> None:
    if (single := read_text_scalar(body)) is not None:
        graph.add_group(single)
        graph.add_child(parent, single, document.origin(body, path))
        return
    for child, key, node in document.entries(body, path):
        here = f"{path}.{child}"
        _read_group(child, node, here, document, graph)
        graph.add_child(parent, child, document.origin(key, here))


def _read_hosts(group: str, body: Node, path: str, document: Document, graph: Graph) -> None:
    if (single := read_text_scalar(body)) is not None:
        graph.add_hosts(single, group, document.origin(body, path))
        return
    for text, key, node in document.entries(body, path):
        here = f"{path}.{text}"
        names = graph.add_hosts(text, group, document.origin(key, here))
        if not names:
            document.value(node)  # what cannot be read is an error for no host as well
        for host in names:
            if not is_null(node):
                _read_variables(host, node, here, document, graph)
