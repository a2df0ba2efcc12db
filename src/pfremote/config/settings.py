"""The settings of one run: what counts, and where it was said."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pfremote.config.files import ConfigFile, Entry, find_ansible_cfg, find_own_file
from pfremote.config.keys import KEYS, OWN, SECTION, Key
from pfremote.config.values import read_value
from pfremote.errors import UsageError


@dataclass(frozen=True, slots=True)
class Setting:
    """One value and its source; ``source`` is empty where nothing was said."""

    key: Key
    value: Any = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings by name. ``files`` are those that were read."""

    found: Mapping[str, Setting] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value, or ``default`` where nothing was said."""
        setting = self.found.get(name)
        return default if setting is None or setting.value is None else setting.value

    def source(self, name: str) -> str:
        """Return where a value comes from; empty where nothing was said."""
        setting = self.found.get(name)
        return setting.source if setting else ""

    def __iter__(self) -> Iterator[Setting]:
        return iter(self.found.values())


NO_SETTINGS = Settings()


def load_settings(folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return what ansible.cfg, config.toml and the environment say. Of several the first counts:

    ``[pfremote]`` in ansible.cfg, config.toml, a variable of the environment, Ansible's own keys in ansible.cfg.

    Raises:
        ConfigError: a file cannot be read, or says what is none of our settings, or has a wrong value.
    """
    words = os.environ if environment is None else environment
    theirs = find_ansible_cfg(folder or Path.cwd(), words)
    ours = find_own_file(words)
    _refuse_unknown(theirs, SECTION)
    _refuse_unknown(ours, "")
    found = {key.name: _find(key, theirs, ours, words) for key in KEYS}
    files = tuple(file.path for file in (theirs, ours) if file.path is not None)
    return Settings(found, files, tuple(file.warning for file in (theirs, ours) if file.warning))


def _find(key: Key, theirs: ConfigFile, ours: ConfigFile, words: Mapping[str, str]) -> Setting:
    own = (theirs.entries.get((SECTION, key.name)), ours.entries.get(("", key.name))) if key.own else ()
    for entry in own:
        if entry is not None:
            return _from_entry(key, entry, key.name)
    for name in key.variables:
        if words.get(name):
            return _from_environment(key, name, words[name])
    for section, name in key.ansible:
        if (entry := theirs.entries.get((section, name))) is not None and entry.value != "":
            return _from_entry(key, entry, name)
    return Setting(key)


def _from_entry(key: Key, entry: Entry, name: str) -> Setting:
    path = f"[{entry.section}] {name}" if entry.section else name
    try:
        value = read_value(key.kind, entry.value, entry.file.parent)
    except UsageError as exc:
        raise entry.fail(f"{name}: {exc.message}", exc.hint, path) from exc
    where = f"{entry.file}:{entry.line}" if entry.line else str(entry.file)
    return Setting(key, value, f"{where} {path}")


def _from_environment(key: Key, name: str, text: str) -> Setting:
    try:
        return Setting(key, read_value(key.kind, text, Path.cwd()), name)
    except UsageError as exc:
        raise UsageError(f"{name}: {exc.message}", hint=exc.hint) from exc


def _refuse_unknown(file: ConfigFile, section: str) -> None:
    for (where, name), entry in file.entries.items():
        if where == section and name not in OWN:
            close = get_close_matches(name, OWN, n=1)
            hint = f"Did you mean {close[0]}?" if close else "Known are: " + ", ".join(OWN) + "."
            raise entry.fail(f"there is no setting {name}", hint, name)


def explain(settings: Settings) -> list[str]:
    """Return one line for each setting that was taken from somewhere."""
    return [f"{item.key.name} = {render(item)} from {item.source}" for item in settings if item.source]


def render(setting: Setting) -> str:
    """Return a value as people write it; what is usual where nothing was said."""
    value = setting.value
    if value is None:
        return setting.key.usual or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
