"""Find and read ansible.cfg and config.toml: each value with file, line and the words that led there."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pfremote.errors import ConfigError
from pfremote.paths import exists, explain_unseen, is_file, is_folder

_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]")
_ENTRY = re.compile(r"(?P<key>[^=:\s][^=:]*?)\s*[=:]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value as it was written, and where."""

    value: object
    file: Path
    line: int | None
    section: str = ""

    def fail(self, message: str, hint: str, path: str) -> ConfigError:
        """Return (not raise) an error about this value."""
        return ConfigError(message, file=str(self.file), line=self.line, path=path, hint=hint)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file that was read: entries by section and key. ``warning`` says why one was passed over."""

    path: Path | None = None
    entries: Mapping[tuple[str, str], Entry] = field(default_factory=dict)
    warning: str = ""


def find_ansible_cfg(folder: Path, environment: Mapping[str, str]) -> ConfigFile:
    """Return the one ansible.cfg that Ansible would take: ANSIBLE_CONFIG, here, home, /etc; the first that exists.

    One in a folder that every user may write to is passed over: another user could have put it there.

    Raises:
        ConfigError: it cannot be read, or is no INI file.
    """
    warning = ""
    named = _named_place(environment)
    usual = [folder / "ansible.cfg", Path("~/.ansible.cfg").expanduser(), Path("/etc/ansible/ansible.cfg")]
    for path in [*named, *usual]:
        if not is_file(path):
            continue
        if path.parent == folder and path not in named and _is_open(folder):
            warning = f"{path} is passed over: every user may write to this folder"
            continue
        return ConfigFile(path, read_ini_file(path), warning)
    return ConfigFile(warning=warning)


def _named_place(environment: Mapping[str, str]) -> list[Path]:
    if not (named := environment.get("ANSIBLE_CONFIG")):
        return []
    path = Path(named).expanduser().absolute()
    return [path / "ansible.cfg" if is_folder(path) else path]


def _is_open(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return True


def read_ini_file(path: Path) -> dict[tuple[str, str], Entry]:
    """Return the entries of an INI file, read as Ansible reads it.

    Raises:
        ConfigError: it cannot be read, or is no INI file.
    """
    # Imported here: only a run that finds such a file needs it.
    import configparser

    text = _read_text(path)
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None)
    try:
        parser.read_string(text, str(path))
    except configparser.Error as exc:
        line = getattr(exc, "lineno", None) or next((number for number, _ in getattr(exc, "errors", ())), None)
        said = type(exc).__name__.removesuffix("Error")
        hint = "Write [section] and below it one KEY = VALUE a line, each key once."
        raise ConfigError(f"this is no INI file ({said})", file=str(path), line=line, hint=hint) from exc
    lines = _find_lines(text)
    return {
        (section, key): Entry(value, path, lines.get((section, key)), section)
        for section in parser.sections()
        for key, value in parser.items(section)
    }


def _find_lines(text: str) -> dict[tuple[str, str], int]:
    lines: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _SECTION.match(line):
            section = found["name"]
        elif found := _ENTRY.match(line):
            lines.setdefault((section, found["key"].lower()), number)
    return lines


def find_own_file(environment: Mapping[str, str]) -> ConfigFile:
    """Return ``~/.config/pfremote/config.toml``, or the one below XDG_CONFIG_HOME.

    Raises:
        ConfigError: it cannot be read, or is no TOML.
    """
    base = environment.get("XDG_CONFIG_HOME") or "~/.config"
    path = Path(base).expanduser() / "pfremote" / "config.toml"
    if not exists(path) and not explain_unseen(path):
        return ConfigFile()
    # Imported here: only a run that finds such a file needs it.
    import tomllib

    text = _read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        found = re.search(r"\(at line ([0-9]+), column [0-9]+\)", str(exc))
        said = str(exc).partition(" (at ")[0]
        line = int(found[1]) if found else None
        raise ConfigError(
            f"this is no TOML: {said}", file=str(path), line=line, hint="Write one KEY = VALUE a line, texts in quotes."
        ) from exc
    lines = _find_lines(text)
    return ConfigFile(path, {("", key): Entry(value, path, lines.get(("", key))) for key, value in data.items()})


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        why = os.strerror(exc.errno) if isinstance(exc, OSError) and exc.errno else "it is not UTF-8 text"
        raise ConfigError(f"cannot be read: {why}", file=str(path), hint="Check its permissions and encoding.") from exc
