"""Inventories as Ansible has them: who the hosts are, in which groups, and how to reach them.

>>> [target.name for target in load_inventory(["mx1,mx2,relay,"]).select("mx*:!mx2")]
['mx1']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pfremote.errors import UsageError
from pfremote.inventory.graph import LOCALHOST, Graph
from pfremote.inventory.listing import draw_graph, list_inventory
from pfremote.inventory.merge import Merger
from pfremote.inventory.patterns import Selector
from pfremote.inventory.ranges import split_login
from pfremote.inventory.targets import make_target
from pfremote.inventory.templates import Renderer
from pfremote.target import Target

__all__ = ["Inventory", "load_inventory", "render_graph", "render_list"]


class Inventory:
    """A read inventory; may be empty. Make one with :func:`load_inventory`."""

    def __init__(self, graph: Graph, folders: tuple[Path, ...] = ()) -> None:
        self._graph = graph
        self._merger = Merger(graph, folders)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names of all hosts, in the order in which they were met."""
        return tuple(self._graph.hosts)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of all groups, ``all`` and ``ungrouped`` first."""
        return tuple(self._graph.groups)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd so far, one sentence each; call it after :meth:`select`."""
        encrypted = (
            f"{path} is encrypted as a whole; what it says is not known here" for path in self._merger.encrypted
        )
        return (*self._graph.warnings, *self._merger.warnings, *encrypted)

    def select(self, pattern: str, limit: str | None = None) -> tuple[Target, ...]:
        """Return the hosts that ``pattern`` chooses and ``limit`` leaves, in Ansible's order; maybe none.

        A plain ``[user@]host[:port]`` that is no group and no host of the inventory is a host too; what the
        inventory says of this host, or else of ``all``, holds for it. ``localhost`` that the inventory does
        not have is this machine, over a local connection, as in Ansible.

        Raises:
            UsageError: a part of a pattern matches nothing, or is no pattern.
            ConfigError: a variable that is needed is wrong, encrypted or cannot be rendered.
        """
        selector = Selector(self._graph)
        names = selector.select(pattern)
        if limit:
            kept = set(Selector(self._graph, selector.adhoc).select(limit, allow_adhoc=False))
            names = [name for name in names if name in kept]
        targets = [self.target(name) for name in names]
        _refuse_twins(targets)
        return tuple(targets)

    def variables(self, name: str) -> dict[str, object]:
        """Return the merged variables of a host, templates unrendered."""
        return dict(self._merger.merge(name).values)

    def groups_of(self, name: str) -> list[str]:
        """Return the groups of a host, sorted, ``all`` left out (Ansible's ``group_names``)."""
        return sorted(self._merger.groups_of(name))

    def target(self, name: str) -> Target:
        """Return one host, in the inventory or not, as a Target.

        Raises:
            ConfigError: a variable that is needed is wrong, encrypted or cannot be rendered.
        """
        login = None if name in self._graph.hosts else split_login(name)
        plain = name if login is None else login[1]
        variables = self._merger.merge(plain)
        host = self._graph.hosts.get(plain)
        magic: dict[str, object] = {
            "inventory_hostname": plain,
            "inventory_hostname_short": plain.partition(".")[0],
            "inventory_file": host.source if host else "",
            "inventory_dir": str(Path(host.source).parent) if host else "",
            "group_names": sorted(self._merger.groups_of(plain)),
            "groups": _Members(self._graph),
        }
        target = make_target(plain if host else name, plain, variables, Renderer(variables, magic))
        if login is not None:
            user, _, port = login
            target = replace(target, user=user or target.user, port=port or target.port)
            if (user or port) and host is None and plain in LOCALHOST:
                # Who names a login or a port means what listens there (a forwarded port), not this machine.
                target = replace(target, connection="ssh")
        return target

    def as_listing(self) -> dict[str, object]:
        """Return what ``ansible-inventory --list`` prints, as data; passwords are masked."""
        return list_inventory(self._graph, self._merger)

    def as_graph(self, top: str = "all") -> str:
        """Return what ``ansible-inventory --graph`` prints.

        Raises:
            UsageError: there is no such group.
        """
        if top not in self._graph.groups:
            raise UsageError(f"there is no group {top}", hint="See what there is: pfremote inventory --graph.")
        return draw_graph(self._graph, top)


class _Members(dict[str, list[str]]):
    """``groups`` in templates: the members of a group, looked up when asked for."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph

    def __missing__(self, name: str) -> list[str]:
        if name not in self._graph.groups:
            raise KeyError(name)
        return self._graph.members(name)


def _refuse_twins(targets: list[Target]) -> None:
    """The name is the key of every result, so it must be unique; patterns see to that."""
    names = [target.name for target in targets]
    if len(set(names)) != len(names):
        raise UsageError("a host was named twice", hint="Name each host once.")


def load_inventory(sources: Sequence[str | Path]) -> Inventory:
    """Read one or more sources (files, folders, programs, ``host1,host2,``) into one inventory.

    Raises:
        ConfigError: a source is missing or wrong; with file, line and path inside the file.
    """
    # The readers need PyYAML; a run without an inventory does not.
    if not sources:
        graph = Graph()
        graph.reconcile()
        return Inventory(graph)
    from pfremote.inventory.sources import read_sources

    return Inventory(*read_sources(sources))


def render_list(inventory: Inventory) -> dict[str, object]:
    """Return what ``ansible-inventory --list`` prints, as data; passwords are masked."""
    return inventory.as_listing()


def render_graph(inventory: Inventory, top: str = "all") -> str:
    """Return what ``ansible-inventory --graph`` prints.

    Raises:
        UsageError: there is no such group.
    """
    return inventory.as_graph(top)
