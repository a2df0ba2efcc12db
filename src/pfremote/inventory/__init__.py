"""Inventories as Ansible has them: who the hosts are, in which groups, and how to reach them.

>>> [target.name for target in load_inventory(["mx1,mx2,relay,"]).select("mx*:!mx2")]
['mx1']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pfremote.errors import UsageError
from pfremote.inventory.graph import LOCALHOST, Graph, Variables
from pfremote.inventory.hostvars import HostVars, Members
from pfremote.inventory.listing import draw_graph, list_host, list_inventory
from pfremote.inventory.merge import NO_FOLDERS, Folders, Merger
from pfremote.inventory.overrides import NO_OVERRIDES, Overrides
from pfremote.inventory.patterns import Selector
from pfremote.inventory.ranges import split_login
from pfremote.inventory.targets import make_target
from pfremote.inventory.templates import Renderer
from pfremote.inventory.values import HostConfigError
from pfremote.inventory.vault_keys import NO_KEYS, VaultKeys
from pfremote.model.target import Target
from pfremote.model.typed import TYPED

__all__ = ["HostConfigError", "Inventory", "load_inventory"]


class Inventory:
    """A read inventory; may be empty. Make one with :func:`load_inventory`."""

    def __init__(self, graph: Graph, folders: Folders = NO_FOLDERS, keys: VaultKeys = NO_KEYS) -> None:
        self.keys = keys
        self._graph = graph
        self._folders = folders
        self._merger = Merger(graph, folders, keys)

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
        """What was odd in the files that were read so far, one sentence each."""
        return (*self._graph.warnings, *self._merger.warnings, *self.unread)

    @property
    def unread(self) -> tuple[str, ...]:
        """Which files met so far are encrypted and were passed over, one sentence each."""
        return tuple(
            f"{path} is encrypted, and no vault password is given: what it says does not count"
            for path in self._merger.encrypted
        )

    def choose(self, pattern: str, limit: str | None = None, *, strict: bool = False) -> tuple[str, ...]:
        """Return the names of the hosts that ``pattern`` chooses and ``limit`` leaves, in Ansible's order; maybe none.

        A plain ``[user@]host[:port]`` that is no group and no host of the inventory is a host too, unless this is
        ``strict``: then only an address is. ``localhost`` that the inventory does not have is this machine.
        No variable is looked at.

        Raises:
            UsageError: a part of a pattern matches nothing, or is no pattern.
        """
        selector = Selector(self._graph, strict=strict and bool(self._graph.hosts))
        names = selector.select(pattern)
        if limit:
            kept = set(Selector(self._graph, selector.adhoc).select(limit, allow_adhoc=False))
            names = [name for name in names if name in kept]
        _refuse_twins([self.shown_name(name) for name in names])
        return tuple(names)

    def shown_name(self, name: str) -> str:
        """Return how a chosen host is called: a host of the inventory by its name there, without a login."""
        plain = self._plain_name(name)
        return plain if plain in self._graph.hosts else name

    def select(self, pattern: str, limit: str | None = None, *, strict: bool = False) -> tuple[Target, ...]:
        """Return the hosts that :meth:`choose` names, ready to be contacted. What the inventory says of a host that
        it does not have itself (by its address, say) is what it says of ``all``.

        Raises:
            UsageError: as :meth:`choose`.
            ConfigError: a variable that is needed is wrong, encrypted or cannot be rendered.
        """
        return tuple(self.target(name) for name in self.choose(pattern, limit, strict=strict))

    def variables(self, name: str) -> dict[str, object]:
        """Return the merged variables of a host, templates unrendered."""
        return dict(self.layered(name).values)

    def layered(self, name: str) -> Variables:
        """Return the same with where each was written."""
        return self._merger.merge(self._plain_name(name))

    def groups_of(self, name: str) -> list[str]:
        """Return the groups of a host, sorted, ``all`` left out (Ansible's ``group_names``)."""
        return sorted(self._merger.groups_of(name))

    def target(self, name: str, overrides: Overrides = NO_OVERRIDES) -> Target:
        """Return one host, in the inventory or not, as a Target. Only what ``overrides`` leaves open is rendered.

        Raises:
            HostConfigError: a variable that is needed is encrypted or cannot be rendered, or asks for a connection
                that pfremote has not.
            ConfigError: a value is wrong.
        """
        login = None if name in self._graph.hosts else split_login(name)
        plain = self._plain_name(name)
        variables = Variables()
        for layer in (self._merger.merge(plain), overrides.above, overrides.extra):
            variables.update(layer)
        known = plain in self._graph.hosts
        renderer = Renderer(variables, self.magic(plain), self.keys)
        target = make_target(plain if known else name, plain, variables, renderer, overrides)
        if login is not None:
            user, _, port = login
            target = replace(target, user=user or target.user, port=port or target.port)
            if (user or port) and not known and plain in LOCALHOST:
                # A login or a port means what listens there (a forwarded port), not this machine.
                target = replace(target, connection="ssh")
        return target

    def magic(self, name: str) -> dict[str, object]:
        """Return the names that Ansible itself sets, as far as they are known here."""
        host = self._graph.hosts.get(name)
        beside = {"playbook_dir": str(self._folders.beside[0])} if self._folders.beside else {}
        return {
            "inventory_hostname": name,
            "inventory_hostname_short": name.partition(".")[0],
            "inventory_file": host.source if host else "",
            "inventory_dir": str(Path(host.source).parent) if host else "",
            "group_names": self.groups_of(name),
            "groups": Members(self._graph),
            "hostvars": HostVars(self._graph.hosts, self._render_host),
            **beside,
        }

    def _render_host(self, name: str) -> Renderer:
        return Renderer(self._merger.merge(name), self.magic(name), self.keys)

    def _plain_name(self, name: str) -> str:
        login = None if name in self._graph.hosts else split_login(name)
        return name if login is None else login[1]

    def as_listing(self) -> dict[str, object]:
        """Return what ``ansible-inventory --list`` prints, as data; passwords are masked."""
        return list_inventory(self._graph, self._merger)

    def as_host(self, name: str) -> dict[str, object]:
        """Return what ``ansible-inventory --host`` prints, as data; passwords are masked.

        Raises:
            UsageError: there is no such host.
        """
        if name not in self._graph.hosts:
            raise UsageError(f"there is no host {name}", hint=f"See what there is with: {TYPED.show_inventory()}")
        return list_host(self._merger, name)

    def as_graph(self, top: str = "all") -> str:
        """Return what ``ansible-inventory --graph`` prints.

        Raises:
            UsageError: there is no such group.
        """
        if top not in self._graph.groups:
            raise UsageError(f"there is no group {top}", hint=f"See what there is with: {TYPED.show_inventory()}")
        return draw_graph(self._graph, top)


def _refuse_twins(names: list[str]) -> None:
    """The name is the key of every result, so it must be unique; patterns see to that."""
    if len(set(names)) != len(names):
        raise UsageError("a host was named twice", hint="Name each host once.")


def load_inventory(
    sources: Sequence[str | Path], *, beside: Sequence[Path] = (), keys: VaultKeys = NO_KEYS
) -> Inventory:
    """Read one or more sources (files, folders, programs, ``host1,host2,``) into one inventory.

    In the folders ``beside`` (the playbook's, or the one that the operator is in) ``group_vars`` and ``host_vars``
    count as well; ``keys`` open what is encrypted.

    Raises:
        ConfigError: a source is missing or wrong; with file, line and path inside the file.
    """
    # The readers need PyYAML; a run without an inventory does not.
    if not sources:
        graph = Graph()
        graph.reconcile()
        return Inventory(graph, Folders((), tuple(path.absolute() for path in beside)), keys)
    from pfremote.inventory.sources import read_sources

    graph, folders = read_sources(sources, keys)
    apart = tuple(folder for path in beside if (folder := path.absolute()) not in folders)
    return Inventory(graph, Folders(folders, apart), keys)
