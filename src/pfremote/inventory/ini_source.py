"""Read Ansible's INI inventories: ``[group]``, ``[group:vars]``, ``[group:children]``. Pure."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from dataclasses import dataclass, field

from pfremote.errors import ConfigError
from pfremote.inventory.graph import Graph
from pfremote.inventory.values import Origin, Unsafe

_SECTION = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?\Z")
_GROUP = re.compile(r"(?P<group>[^:\]\s]+)\s*(?:#.*)?\Z")


@dataclass(slots=True)
class _Reading:
    """Where the reading of one file is, and what is still owed: groups used before they were declared."""

    file: str
    graph: Graph
    group: str = "ungrouped"
    kind: str = "hosts"
    line: int = 0
    waiting_vars: dict[str, int] = field(default_factory=dict)
    waiting_children: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        kind = "" if self.kind == "hosts" else f":{self.kind}"
        return Origin(self.file, self.line, f"[{self.group}{kind}]")

    def fail(self, message: str, hint: str, line: int | None = None) -> ConfigError:
        return ConfigError(message, file=self.file, line=line or self.line, path=self.origin.path, hint=hint)


def read_ini(text: str, file: str, graph: Graph) -> None:
    """Add what the file says to the graph.

    Raises:
        ConfigError: a line that is no section, host, variable or group name; an undeclared group.
    """
    reading = _Reading(file, graph)
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        reading.line = number
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and (match := _SECTION.match(line)):
            _begin_section(match["group"], match["kind"] or "hosts", reading)
        elif line.startswith("[") and line.endswith("]"):
            raise reading.fail(
                f"{line} is no section", "Write [group], [group:vars] or [group:children], without blanks."
            )
        else:
            _READERS[reading.kind](line, reading)
    _settle(reading)


def _begin_section(group: str, kind: str, reading: _Reading) -> None:
    reading.group, reading.kind = group, kind
    if kind not in _READERS:
        raise reading.fail(f"a section has no kind {kind}", "Write [group], [group:vars] or [group:children].")
    if kind == "vars":
        if group not in reading.graph.groups and group not in reading.waiting_children:
            reading.waiting_vars[group] = reading.line
        reading.graph.add_group(group)
        return
    reading.graph.add_group(group)
    reading.waiting_vars.pop(group, None)
    for parent, line in reading.waiting_children.pop(group, ()):
        _add_child(parent, group, line, reading)


def _read_host(line: str, reading: _Reading) -> None:
    try:
        first, *rest = shlex.split(line, comments=True)
    except ValueError as exc:
        raise reading.fail(f"this line cannot be read: {exc}", "Check the quotes.") from exc
    if not first or first.endswith(":") or first == "---":
        raise reading.fail(f"{first!r} is no host name", "If this is YAML, name the file with .yml at its end.")
    origin = reading.origin
    names = reading.graph.add_hosts(first, reading.group, Origin(origin.file, origin.line, f"{origin.path}.{first}"))
    for word in rest:
        name, equals, value = word.partition("=")
        if not equals:
            raise reading.fail(f"{word} is not name=value", "Write one host a line, and its variables as name=value.")
        for host in names:
            where = Origin(origin.file, origin.line, f"{origin.path}.{first}.{name}")
            reading.graph.set_variable(host, name, _read_value(value, reading), where)


def _read_variable(line: str, reading: _Reading) -> None:
    name, equals, value = (part.strip() for part in line.partition("="))
    if not equals:
        raise reading.fail(f"{line} is not name=value", "Write one variable a line, as name=value.")
    origin = reading.origin
    where = Origin(origin.file, origin.line, f"{origin.path}.{name}")
    reading.graph.set_variable(reading.group, name, _read_value(value, reading), where)


def _read_child(line: str, reading: _Reading) -> None:
    match = _GROUP.match(line)
    if match is None:
        raise reading.fail(f"{line} is no group name", "Write one group name a line.")
    child = match["group"]
    if child in reading.graph.groups:
        _add_child(reading.group, child, reading.line, reading)
    else:
        reading.waiting_children.setdefault(child, []).append((reading.group, reading.line))


def _add_child(parent: str, child: str, line: int, reading: _Reading) -> None:
    reading.graph.add_child(parent, child, Origin(reading.file, line, f"[{parent}:children]"))


def _settle(reading: _Reading) -> None:
    """A group may be used before it is declared (and is then the later child), but must be declared in the end."""
    for group, line in reading.waiting_vars.items():
        hint = f"Add a section [{group}], or correct the name."
        raise reading.fail(f"there is no group {group} to give variables to", hint, line)
    for child, parents in reading.waiting_children.items():
        raise reading.fail(
            f"there is no group {child}", f"Add a section [{child}], or correct the name.", parents[0][1]
        )


def _read_value(text: str, reading: _Reading) -> object:
    """Read what Python would write (numbers, lists, quoted texts) as that, all else as text, like Ansible."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    except TypeError as exc:  # {{ 22 }} is a set of a set to Python; Ansible gives up here as well
        raise reading.fail(f"{text} cannot be read: {exc}", f"Put it into two pairs of quotes: \"'{text}'\".") from exc
    return _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, tuple | set | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return Unsafe(value.decode("utf-8", "surrogateescape"))  # b'{{ x }}' is never a template
    return str(value) if isinstance(value, complex) else "..." if value is ... else value


_READERS = {"hosts": _read_host, "vars": _read_variable, "children": _read_child}
