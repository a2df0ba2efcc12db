"""Which value of a variable holds for a host, by Ansible's order of precedence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pfremote.inventory.graph import LOCALHOST, Graph, Variables
from pfremote.inventory.values import Origin
from pfremote.inventory.vars_files import VarsFiles
from pfremote.inventory.vault_keys import NO_KEYS, VaultKeys


@dataclass(frozen=True, slots=True)
class Folders:
    """Where ``host_vars`` and ``group_vars`` may be: beside the sources (the last wins), and beside the playbook."""

    sources: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()


NO_FOLDERS = Folders()


class Merger:
    """Merges the variables of hosts. Later layers win, as in Ansible (its VARIABLE_PRECEDENCE):

    1. ``all`` in the sources, 2. the other groups in the sources, 3. ``group_vars/all`` beside the sources, then
    beside the playbook, 4. other ``group_vars``, in the same order, 5. the host in the sources, 6. ``host_vars``
    beside the sources, then beside the playbook.

    Groups go by depth, then ansible_group_priority, then name, so that
    a child beats its parents; of several sources the last one wins.
    """

    def __init__(self, graph: Graph, folders: Folders, keys: VaultKeys = NO_KEYS) -> None:
        self._graph = graph
        self._folders = folders
        self._files = VarsFiles(keys)
        self._depths = graph.depths()
        self._homes = graph.homes()

    @property
    def encrypted(self) -> tuple[str, ...]:
        """Files met so far that are encrypted as a whole; their variables are unknown here."""
        return tuple(self._files.encrypted)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd in the variable files met so far."""
        return tuple(dict.fromkeys(self._files.warnings))

    def groups_of(self, host: str) -> list[str]:
        """Return the groups of a host, ``all`` left out, lowest precedence first."""
        homes = self._homes.get(host, [])
        names = (set(homes) | self._graph.ancestors(homes)) - {"all"}
        return sorted(names, key=lambda name: (self._depths[name], self._graph.groups[name].priority, name))

    def merge(self, host: str) -> Variables:
        """Return the variables of a host that may or may not be in the inventory (then ``all`` applies).

        Raises:
            ConfigError: a file in host_vars or group_vars is wrong.
        """
        groups = self.groups_of(host)
        merged = Variables()
        for name in ["all", *groups]:
            merged.update(self._graph.groups[name].variables)
        self._lay_files(merged, "group_vars", ["all"])
        self._lay_files(merged, "group_vars", groups)
        if (known := self._graph.hosts.get(host)) is not None:
            merged.update(known.variables)
            self._lay_files(merged, "host_vars", [host])
        elif host in LOCALHOST:
            merged.set("ansible_connection", "local", Origin("implicit localhost"))
        return merged

    def _lay_files(self, merged: Variables, kind: str, names: list[str]) -> None:
        for folder in (*self._folders.sources, *self._folders.beside):
            for name in names:
                merged.update(self._files.read(folder, kind, name))
