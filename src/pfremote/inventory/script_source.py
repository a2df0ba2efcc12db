"""Read the JSON that ``ansible-inventory --list`` and inventory programs print."""

from __future__ import annotations

import json
from collections.abc import Callable

from pfremote.errors import ConfigError
from pfremote.inventory.graph import Graph
from pfremote.inventory.json_nodes import parse_json
from pfremote.inventory.values import Origin, convert_marks

#: Asks the program for the variables of one host (``--host NAME``), where it prints no ``_meta``.
AskHost = Callable[[str], str]


def load_object(text: str, file: str) -> dict[str, object]:
    """Parse JSON text that must be an object.

    Raises:
        ConfigError: it is not JSON, or no object.
    """
    try:
        data = parse_json(text)
    except ValueError as exc:
        line = exc.lineno if isinstance(exc, json.JSONDecodeError) else None
        hint = "An inventory program prints the JSON that ansible-inventory --list prints."
        raise ConfigError(f"this is not JSON: {exc}", file=file, line=line, hint=hint) from exc
    return _as_object(data, file, "")


def looks_like_list_output(data: dict[str, object]) -> bool:
    """Tell program output from a YAML-style inventory written as JSON: there hosts are never a list."""
    groups = [group for group in data.values() if isinstance(group, dict)]
    return "_meta" in data or any(isinstance(group.get(key), list) for group in groups for key in ("hosts", "children"))


def read_listing(data: dict[str, object], file: str, graph: Graph, ask_host: AskHost | None = None) -> None:
    """Add a listing to the graph.

    Raises:
        ConfigError: the structure is not that of a listing, with the path.
    """
    met: dict[str, None] = {}
    for name, group in data.items():
        if name != "_meta":
            _read_group(name, group, file, graph, met)
    meta = data.get("_meta")
    variables = None if meta is None else _as_object(meta, file, "_meta").get("hostvars")
    known = None if variables is None else _as_object(variables, file, "_meta.hostvars")
    for host in met:
        if known is not None:
            values = known.get(host) or {}
        elif ask_host is not None:
            text = ask_host(host)
            values = load_object(text, f"{file} --host {host}") if text.strip() else {}
        else:
            values = {}
        _set_all(host, values, f"_meta.hostvars.{host}", file, graph)


def _read_group(name: str, data: object, file: str, graph: Graph, met: dict[str, None]) -> None:
    graph.add_group(name)
    if isinstance(data, list):
        data = {"hosts": data}
    group = _as_object(data, file, name)
    if unknown := [key for key in group if key not in ("hosts", "vars", "children")]:
        hint = "Known are hosts, vars and children; a variable belongs into vars."
        raise ConfigError(f"a group has no key {unknown[0]}", file=file, path=f"{name}.{unknown[0]}", hint=hint)
    for host in _as_names(group.get("hosts"), file, f"{name}.hosts"):
        met[host] = None
        graph.add_host(host, name, None, Origin(file, None, f"{name}.hosts"))
    _set_all(name, group.get("vars") or {}, f"{name}.vars", file, graph)
    for child in _as_names(group.get("children"), file, f"{name}.children"):
        graph.add_group(child)
        graph.add_child(name, child, Origin(file, None, f"{name}.children"))


def _set_all(entity: str, values: object, path: str, file: str, graph: Graph) -> None:
    for name, value in _as_object(values, file, path).items():
        graph.set_variable(entity, name, convert_marks(value), Origin(file, None, f"{path}.{name}"))


def _as_object(data: object, file: str, path: str) -> dict[str, object]:
    if isinstance(data, dict):
        return data
    raise ConfigError("an object is wanted here", file=file, path=path, hint='Print {"name": …} here.')


def _as_names(data: object, file: str, path: str) -> list[str]:
    if data is None:
        return []
    if isinstance(data, list) and all(isinstance(name, str) and name for name in data):
        return data
    raise ConfigError("a list of names is wanted here", file=file, path=path, hint='Print ["name", …] here.')
