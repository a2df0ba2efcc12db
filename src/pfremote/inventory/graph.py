"""Groups and hosts while an inventory is read, and the rules by which Ansible completes them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pfremote.errors import ConfigError
from pfremote.inventory.option_names import check_option_name
from pfremote.inventory.ranges import expand_ranges, has_range, split_port
from pfremote.inventory.values import Origin

#: Names that Ansible takes for the machine itself.
LOCALHOST = ("127.0.0.1", "localhost", "::1")
#: Groups in groups; those of people are a handful deep, and what walks over them is written as a recursion.
DEEPEST = 200


@dataclass(slots=True)
class Variables:
    """Values by name, and where each was written."""

    values: dict[str, object] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    #: Files that are encrypted as a whole and were passed over: what they set is not known.
    sealed: dict[str, None] = field(default_factory=dict)

    def set(self, name: str, value: object, origin: Origin) -> None:
        """Set one variable; a later value replaces an earlier one.

        Raises:
            ConfigError: the name begins with ``pfremote_`` and is none of ours.
        """
        check_option_name(name, origin)
        self.values[name] = value
        self.origins[name] = origin

    def update(self, other: Variables) -> None:
        """Lay another set over this one."""
        self.values.update(other.values)
        self.origins.update(other.origins)
        self.sealed.update(other.sealed)


@dataclass(slots=True)
class Group:
    """A group: its own hosts (keys only) and child groups, by name and in their order."""

    name: str
    hosts: dict[str, None] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    variables: Variables = field(default_factory=Variables)
    priority: int = 1


@dataclass(slots=True)
class Host:
    """A host: its name, its own variables and the source that named it first."""

    name: str
    variables: Variables = field(default_factory=Variables)
    source: str = ""


class Graph:
    """All groups and hosts in the order in which they were met, ``all`` and ``ungrouped`` first."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.hosts: dict[str, Host] = {}
        self.warnings: list[str] = []
        self.add_group("all")
        self.add_group("ungrouped")
        self.add_child("all", "ungrouped", Origin(""))

    def add_group(self, name: str) -> Group:
        """Return the group, new or known."""
        return self.groups.setdefault(name, Group(name))

    def add_hosts(self, text: str, group: str, origin: Origin) -> list[str]:
        """Add the hosts that ``text`` (name, range, port) stands for to a group and return their names.

        Raises:
            ConfigError: the range is wrong.
        """
        host, port = split_port(text)
        try:
            names = expand_ranges(host) if has_range(host) else [host]
        except ValueError as exc:
            hint = "Write a range as mx[01:20].example.jp or mx[a:c].example.jp."
            raise ConfigError(
                f"{text}: {exc}", file=origin.file, line=origin.line, path=origin.path, hint=hint
            ) from exc
        for name in names:
            self.add_host(name, group, port, origin)
        return names

    def add_host(self, name: str, group: str, port: int | None, origin: Origin) -> None:
        """Add one host to a group; its port counts only where the host is new and it is not 0, as in Ansible."""
        if name not in self.hosts:
            self.hosts[name] = Host(name, source=origin.file)
            if port:
                self.hosts[name].variables.set("ansible_port", port, origin)
        self.groups[group].hosts.setdefault(name)

    def add_child(self, parent: str, child: str, origin: Origin) -> None:
        """Make one group the child of another.

        Raises:
            ConfigError: a group would contain itself.
        """
        group = self.groups[parent]
        if child in group.children:
            return
        if child == parent or child in self.ancestors([parent]):
            raise ConfigError(
                f"the group {child} would contain itself",
                file=origin.file,
                line=origin.line,
                path=origin.path,
                hint="Take one of the two out of the other's children.",
            )
        group.children.append(child)
        self.groups[child].parents.append(parent)

    def set_variable(self, entity: str, name: str, value: object, origin: Origin) -> None:
        """Set a variable of a group or host; where both have the name it is the group's, as in Ansible."""
        if entity not in self.groups:
            self.hosts[entity].variables.set(name, value, origin)
        elif name == "ansible_group_priority":
            self.groups[entity].priority = _read_priority(value, origin)
        else:
            self.groups[entity].variables.set(name, value, origin)

    def ancestors(self, names: list[str]) -> set[str]:
        """Return all groups above these groups, without the groups themselves unless one is above another."""
        found: set[str] = set()
        waiting = [parent for name in names for parent in self.groups[name].parents]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.groups[name].parents)
        return found

    def descend(self, name: str) -> Iterator[str]:
        """Yield the group and the groups below it, level by level."""
        seen: set[str] = set()
        level = [name]
        while level:
            fresh = [group for group in dict.fromkeys(level) if group not in seen]
            yield from fresh
            seen.update(fresh)
            level = [child for group in fresh for child in self.groups[group].children]

    def members(self, name: str) -> list[str]:
        """Return the hosts of a group and of the groups below it, in Ansible's order."""
        return list(dict.fromkeys(host for group in self.descend(name) for host in self.groups[group].hosts))

    def reconcile(self) -> None:
        """Finish after the last source: every group below ``all``, every other host in ``ungrouped``.

        Raises:
            ConfigError: groups are nested more deeply than any inventory of people is.
        """
        for group in list(self.groups.values()):
            if group.name != "all" and not group.parents:
                self.add_child("all", group.name, Origin(""))
        homes = self.homes()
        for host in self.hosts:
            home = {group for group in homes.get(host, ()) if group != "all"}
            if home == set():
                self.groups["ungrouped"].hosts[host] = None
            elif "ungrouped" in home and home != {"ungrouped"}:
                del self.groups["ungrouped"].hosts[host]
            if host in self.groups:
                self.warnings.append(f"{host} is the name of a group and of a host")
        self._check_depth()

    def _check_depth(self) -> None:
        deepest = {"all"}
        for _ in range(DEEPEST):
            deepest = {child for name in deepest for child in self.groups[name].children}
            if not deepest:
                return
        message = f"groups are nested more than {DEEPEST} deep"
        raise ConfigError(message, file="inventory", hint="Let groups name their hosts themselves.")

    def homes(self) -> dict[str, list[str]]:
        """Return, for each host, the groups that name it themselves."""
        homes: dict[str, list[str]] = {}
        for group in self.groups.values():
            for host in group.hosts:
                homes.setdefault(host, []).append(group.name)
        return homes

    def depths(self) -> dict[str, int]:
        """Return how deep below ``all`` each group is, by its longest way."""
        depths = dict.fromkeys(self.groups, 0)
        waiting = ["all"]
        while waiting:
            name = waiting.pop()
            for child in self.groups[name].children:
                if depths[child] < depths[name] + 1:
                    depths[child] = depths[name] + 1
                    waiting.append(child)
        return depths


def _read_priority(value: object, origin: Origin) -> int:
    if isinstance(value, int | float | str):
        try:
            return int(value)
        except (ValueError, OverflowError):
            pass
    raise ConfigError(
        f"{value!r} is no priority",
        file=origin.file,
        line=origin.line,
        path=origin.path,
        hint="Write ansible_group_priority as a whole number.",
    )
