"""Ask ``ssh -G`` once for many names that ssh_config treats alike; a fleet's contacts cost a third less.

Names are alike where the same ``Host`` patterns of the files that ssh read match them. That is not taken on trust: the
first two of them are both asked for, and only where all but the name itself is equal does that count for the
others. With ``Match``, a canonical name or a file that cannot be read, each name is asked for.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from pfremote.transport.sshconfig import HostConfig, Query, ask_ssh

#: Names that ssh takes as they are: neither an address, which has spellings, nor with capitals, a user or a port.
_PLAIN = re.compile(r"(?=.*[a-z])[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_LINE = re.compile(r"\s*(\w+)(?:\s*=\s*|\s+)(.*)")
#: Settings that hold the name, and hold it alone where nothing else is set.
_NAMED = ("host", "hostname")


@dataclass(slots=True)
class _Kin:
    """Names that are alike: what the first of them was told, and the answer that counts for all, once it is known."""

    first: HostConfig | None = None
    common: HostConfig | None = None
    differ: bool = False


@dataclass(slots=True)
class _Known:
    """What was learnt with one set of options; ``files`` are those that ssh read, in their state of then."""

    files: tuple[tuple[str, int, int, int], ...]
    patterns: tuple[str, ...]
    kin: dict[tuple[str, ...], _Kin] = field(default_factory=dict)


_known: dict[Query, _Known | None] = {}
_lock = threading.Lock()


def ask_once(query: Query, timeout: float) -> HostConfig:
    """Return what :func:`ask_ssh` returns for the query, from what is known of names like it where that is enough.

    Raises:
        UsageError: as :func:`ask_ssh`.
    """
    if not _PLAIN.fullmatch(query.name):
        return ask_ssh(query, timeout)
    options = replace(query, name="")
    with _lock:
        known = _known.get(options)
        common = _find_common(known, query.name) if known else None
    if common is not None:
        return _rename(common, query.name)
    config = ask_ssh(query, timeout)
    with _lock:
        if options not in _known or (known is not None and known.files != _look(config.files)):
            _known[options] = _learn(config)
        if (current := _known[options]) is not None:
            _note(current, config)
    return config


def _find_common(known: _Known, name: str) -> HostConfig | None:
    matched = _match(known.patterns, name)
    kin = known.kin.get(matched) if matched is not None else None
    if kin is None or kin.common is None or known.files != _look(kin.common.files):
        return None
    return kin.common


def _note(known: _Known, config: HostConfig) -> None:
    if (matched := _match(known.patterns, config.name)) is None:
        return
    kin = known.kin.setdefault(matched, _Kin())
    if kin.first is None:
        kin.first = config
    elif kin.first.name != config.name and not kin.differ:
        kin.differ = _rename(kin.first, config.name) != config
        kin.common = None if kin.differ else config


def _rename(config: HostConfig, name: str) -> HostConfig:
    """Return the same settings for another name, which takes the place of the first where that stands alone."""
    own = {key: (name,) for key in _NAMED if config.values.get(key) == (config.name,)}
    hostname = name if config.hostname == config.name else config.hostname
    return replace(config, name=name, hostname=hostname, values={**config.values, **own})


def _learn(config: HostConfig) -> _Known | None:
    """Return what the files that ssh read can tell apart; None where that cannot be told."""
    if not config.files or config.is_yes("canonicalizehostname") or config.first("canonicalizehostname") == "always":
        return None
    patterns: list[str] = []
    for path in config.files:
        try:
            lines = Path(path).read_text(errors="surrogateescape").splitlines()
        except OSError:
            return None
        for line in lines:
            found = _LINE.match(line)
            key, rest = (found[1].lower(), found[2]) if found else ("", "")
            if key == "match" or (key == "include" and "%" in rest):
                return None
            if key == "host":
                patterns += (word.strip("\"'!,").lower() for word in re.split(r"[\s,]+", rest))
    return _Known(_look(config.files), tuple(dict.fromkeys(patterns)))


def _match(patterns: tuple[str, ...], name: str) -> tuple[str, ...] | None:
    """Return which patterns match; None where one of them is the name itself, so that no other is like it."""
    exact, wild = _sort(patterns)
    return None if name in exact else tuple(text for text, regex in wild if regex.fullmatch(name))


@lru_cache(maxsize=64)
def _sort(patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[tuple[str, re.Pattern[str]], ...]]:
    wild = [pattern for pattern in patterns if "*" in pattern or "?" in pattern]
    made = ((text, re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))) for text in wild)
    return frozenset(patterns) - frozenset(wild), tuple(made)


def _look(files: Iterable[str]) -> tuple[tuple[str, int, int, int], ...]:
    seen = []
    for path in files:
        try:
            found = Path(path).stat()
        except OSError:
            seen.append((path, 0, 0, 0))
        else:
            seen.append((path, found.st_ino, found.st_size, found.st_mtime_ns))
    return tuple(seen)
