"""Hosts that ssh knows by name: the aliases of ssh_config and the plain names of known_hosts. Contacts nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

#: Files of ``Include`` that are read at most: one may include itself.
_MOST_FILES = 64
_LINE = re.compile(r"\s*(?P<key>\w+)(?:\s*=\s*|\s+)(?P<value>.*\S)", re.ASCII)
#: A host as known_hosts names it: ``mx1.example.jp`` or ``[mx1.example.jp]:2222``; no pattern, no hash.
_KNOWN = re.compile(r"\[(?P<bracketed>[A-Za-z0-9._-]+)\]:[0-9]+|(?P<plain>[A-Za-z0-9._-]+)", re.ASCII)
_ADDRESS = re.compile(r"[0-9.]+", re.ASCII)


def list_ssh_names(ssh_config: str | None = None) -> tuple[str, ...]:
    """Return the names in the order of the files, each once; addresses are left out, and what is hashed."""
    folder = Path.home() / ".ssh"
    config = Path(ssh_config) if ssh_config else folder / "config"
    return tuple(dict.fromkeys((*list_aliases(config), *_read_known(folder / "known_hosts"))))


def list_aliases(config: Path) -> tuple[str, ...]:
    """Return the names of ``Host`` lines that are no patterns, those of included files too."""
    return tuple(dict.fromkeys(_read_aliases([config], config.parent)))


def _read_aliases(waiting: list[Path], folder: Path) -> Iterator[str]:
    seen: set[Path] = set()
    while waiting and len(seen) < _MOST_FILES:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        for line in filter(None, map(_LINE.match, _read_lines(path))):
            if line["key"].lower() == "host":
                yield from (word for word in line["value"].split() if not set(word) & set('*?!"'))
            elif line["key"].lower() == "include":
                waiting += [found for word in line["value"].split() for found in _expand(word, folder)]


def _expand(word: str, folder: Path) -> list[Path]:
    """Return the files of an ``Include``: relative ones stand in the folder of ssh_config (ssh_config(5))."""
    path = Path(word.strip('"')).expanduser()
    whole = path if path.is_absolute() else folder / path
    return sorted(Path(whole.anchor).glob(str(whole.relative_to(whole.anchor))))


def _read_known(path: Path) -> Iterator[str]:
    for line in _read_lines(path):
        fields = line.split()
        if len(fields) < 3 or fields[0].startswith(("#", "@")):
            continue
        for found in filter(None, map(_KNOWN.fullmatch, fields[0].split(","))):
            name = found["bracketed"] or found["plain"]
            if not _ADDRESS.fullmatch(name):
                yield name


def _read_lines(path: Path) -> list[str]:
    """Return the lines of a file; one that cannot be read names no host."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
