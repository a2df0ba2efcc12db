"""Show an inventory as ``ansible-inventory --list``, ``--host`` and ``--graph`` do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice

from pfremote.errors import UsageError
from pfremote.inventory.graph import Graph, Variables
from pfremote.inventory.merge import Merger
from pfremote.inventory.values import PASSWORD_VARIABLES, Encrypted, Unsafe

#: Of a tree.
MOST_LINES = 200_000

#: Names that Ansible itself sets; a value from the inventory never counts, and is not shown.
_MAGIC = frozenset(
    {
        *("groups", "group_names", "hostvars", "inventory_dir", "inventory_file", "inventory_hostname"),
        *(
            "inventory_hostname_short",
            "play_hosts",
            "playbook_dir",
            "role_name",
            "role_names",
            "role_path",
            "role_uuid",
        ),
        *("ansible_async_path", "ansible_collection_name", "ansible_config_file", "ansible_dependent_role_names"),
        *("ansible_diff_mode", "ansible_facts", "ansible_forks", "ansible_inventory_sources", "ansible_limit"),
        *("ansible_play_batch", "ansible_play_hosts", "ansible_play_hosts_all", "ansible_play_role_names"),
        *("ansible_playbook_python", "ansible_role_name", "ansible_role_names", "ansible_run_tags"),
        *("ansible_skip_tags", "ansible_verbosity", "ansible_version"),
    }
)


def list_inventory(graph: Graph, merger: Merger) -> dict[str, object]:
    """Return groups and, in ``_meta``, the merged variables of every host. Passwords are masked."""
    listing: dict[str, object] = {}
    _list_group("all", graph, listing, set())
    hostvars = {host: shown for host in graph.members("all") if (shown := _show(merger.merge(host)))}
    listing["_meta"] = {"hostvars": hostvars, "profile": "inventory_legacy"}
    return listing


def list_host(merger: Merger, name: str) -> dict[str, object]:
    """Return the merged variables of one host. Passwords are masked."""
    return _show(merger.merge(name))


def _list_group(name: str, graph: Graph, listing: dict[str, object], seen: set[str]) -> None:
    group = graph.groups[name]
    entry = {"hosts": [] if name == "all" else list(group.hosts), "children": list(group.children)}
    if filled := {key: names for key, names in entry.items() if names}:
        listing[name] = filled
    for child in group.children:
        if child not in seen:
            seen.add(child)
            _list_group(child, graph, listing, seen)


def _show(variables: Variables) -> dict[str, object]:
    return {
        name: "****" if name in PASSWORD_VARIABLES or variables.origins[name].secret else _plain(value)
        for name, value in variables.values.items()
        if name not in _MAGIC
    }


def _plain(value: object) -> object:
    if isinstance(value, Encrypted):
        return {"__ansible_vault": value.ciphertext}
    if isinstance(value, Unsafe):
        return {"__ansible_unsafe": str(value)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_plain(key) if isinstance(key, date) else key: _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, str | int | float) else str(value)


def draw_graph(graph: Graph, top: str = "all") -> str:
    """Return the tree of groups and hosts below ``top``, one name a line.

    Raises:
        UsageError: it has more lines than are looked at.
    """
    # A group stands under each of its parents, so the tree of a small inventory may be without end.
    lines = list(islice(_draw_group(top, graph, 0), MOST_LINES + 1))
    if len(lines) > MOST_LINES:
        hint = "Show a part of it: --graph GROUP; or --list."
        raise UsageError(f"the tree has more than {MOST_LINES} lines", hint=hint)
    return "\n".join(lines)


def _draw_group(name: str, graph: Graph, depth: int) -> Iterator[str]:
    yield _indent(f"@{name}:", depth)
    group = graph.groups[name]
    for child in group.children:
        yield from _draw_group(child, graph, depth + 1)
    if name != "all":
        for host in group.hosts:
            yield _indent(host, depth + 1)


def _indent(name: str, depth: int) -> str:
    return "  |" * depth + f"--{name}" if depth else name
