"""A playbook as it was written, and what its plays come to once variables are known."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pfremote.errors import ConfigError, UsageError
from pfremote.inventory.graph import Variables
from pfremote.inventory.values import Origin
from pfremote.inventory.vault import is_vault
from pfremote.playbook.problems import explain, raise_all
from pfremote.playbook.scalars import DRAFT
from pfremote.playbook.schema import Play
from pfremote.playbook.templates import Fault, Values, has_template, layer, render_deep
from pfremote.playbook.tree import Place, Tree, read_tree, render_place

#: What may differ from host to host. The rest of a play holds for all of its hosts.
HOST_KEYS = ("debug", "instance", "reason")
_UNRENDERED = ("vars", "vars_files", "when")
#: What no other part of a play depends on.
_ALONE = frozenset(
    (
        *(
            (key,)
            for key in ("serial", "max_fail_percentage", "any_errors_fatal", "confirm", "collect", "report", "notify")
        ),
        *(("debug", key) for key in ("level", "tls", "minutes", "stop_after", "max_log", "min_free", "guard", "drain")),
    )
)
_STUB: Mapping[str, Any] = {"hosts": "all", "debug": {"peers": "stub"}}


@dataclass(frozen=True)
class PlaySource:
    """One play before its variables are known. ``number`` counts from 1."""

    number: int
    tree: Tree = field(repr=False)
    data: Mapping[str, Any]

    @property
    def place(self) -> Place:
        """Where it stands in the file."""
        return (self.number - 1,)

    @cached_property
    def variables(self) -> Variables:
        """The play's own variables, each with where it was written."""
        return layer(self.data.get("vars", {}), self._origin)

    @property
    def files(self) -> Sequence[object]:
        """What the play says of ``vars_files``: a name, or a list of names of which the first that exists counts."""
        files = self.data.get("vars_files", [])
        return files if isinstance(files, list) else [files]

    def fill(self, values: Values) -> Play:
        """Return what holds for the whole play; its ``debug``, ``instance`` and ``reason`` are placeholders.

        Raises:
            ConfigError, ConfigErrors: a variable is not set, or what it brings is wrong.
        """
        parts = {key: value for key, value in self.data.items() if key not in HOST_KEYS}
        kept = {key: parts.pop(key) for key in _UNRENDERED if key in parts}
        return self._read({**_STUB, **self._render(parts, values), **kept})

    def fill_host(self, values: Values) -> Play:
        """Return what holds for one host: only ``debug``, ``instance`` and ``reason`` mean anything.

        Raises:
            ConfigError, ConfigErrors: a variable is not set, or what it brings is wrong.
        """
        if self._plain is not None:
            return self._plain
        return self._read({**_STUB, **self._render(self._host_parts, values)})

    def error(self, exc: UsageError, *keys: str | int) -> ConfigError:
        """Return (not raise) an error of another kind as one of this play, at one of its keys."""
        return self.tree.error(exc.message, (*self.place, *keys), exc.hint)

    @cached_property
    def _host_parts(self) -> dict[str, Any]:
        return {key: self.data[key] for key in HOST_KEYS if key in self.data}

    @cached_property
    def _plain(self) -> Play | None:
        """The same for every host where no template is used."""
        return None if has_template(self._host_parts) else self._read({**_STUB, **self._host_parts})

    def _origin(self, name: str) -> Origin:
        place = (*self.place, "vars", name)
        return Origin(self.tree.file, self.tree.lines.get(place), render_place(place))

    def _render(self, parts: Mapping[str, Any], values: Values) -> dict[str, Any]:
        faults: list[Fault] = []
        rendered: dict[str, Any] = render_deep(dict(parts), self.place, values, faults)
        raise_all(
            exc if isinstance(exc, ConfigError) else self.tree.error(exc.message, place, exc.hint)
            for place, exc in faults
        )
        return rendered

    def _read(self, data: Mapping[str, Any]) -> Play:
        try:
            return Play.model_validate(data)
        except ValidationError as exc:
            raise_all(explain(exc.errors(include_url=False), self.tree, self.place))
            raise


def parse_playbook(text: str, file: str) -> tuple[PlaySource, ...]:
    """Read a playbook. What its templates bring is checked when a play is filled in.

    Raises:
        ConfigError: it is not YAML, no list of plays, or one thing in it is wrong.
        ConfigErrors: several things are wrong; all of them, in the order of their lines.
    """
    sources, mistakes = read_playbook(text, file)
    raise_all(mistakes)
    return sources


def read_playbook(text: str, file: str) -> tuple[tuple[PlaySource, ...], tuple[ConfigError, ...]]:
    """Read a playbook as far as it can be read; return its plays, and what is wrong, in the order of its lines.

    A key that is wrong is left out where nothing else in its play depends on it; otherwise the play is left out.

    Raises:
        ConfigError: it is not YAML, or no list of plays.
    """
    if is_vault(text):
        hint = (
            "Keep what is secret in the inventory or in vars_files, and decrypt this with: "
            f"ansible-vault decrypt {shlex.quote(file)}"
        )
        raise ConfigError("this playbook is encrypted", file=file, line=1, hint=hint)
    tree = read_tree(text, file)
    if not isinstance(tree.data, list) or not tree.data:
        raise tree.error("a playbook is a list of plays", (), "Begin the first play with: - name: WHAT IT IS FOR")
    errors = list(tree.problems)
    sources = []
    for number, data in enumerate(tree.data):
        details = _find_wrong(data)
        errors += explain(details, tree, (number,))
        right = _leave_out(data, details)
        if right is not None and not _find_wrong(right):
            sources.append(PlaySource(number + 1, tree, right))
    return tuple(sources), tuple(sorted(errors, key=lambda error: error.line or 0))


def _find_wrong(data: object) -> list[ErrorDetails]:
    try:
        Play.model_validate(data, context=DRAFT)
    except ValidationError as exc:
        return exc.errors(include_url=False)
    return []


def _leave_out(data: object, details: Sequence[ErrorDetails]) -> Mapping[str, Any] | None:
    """Return a play without its wrong keys; None where one of them decides what else is right."""
    right: Any = copy.deepcopy(data)
    for item in details:
        place = item["loc"]
        if item["type"] != "extra_forbidden":
            place = next((place[:end] for end in (1, 2) if place[:end] in _ALONE), ())
        section = right
        for key in place[:-1]:
            section = section[key] if isinstance(section, dict) and key in section else {}
        if not place or not isinstance(section, dict):
            return None
        section.pop(place[-1], None)
    return right if isinstance(right, dict) else None
