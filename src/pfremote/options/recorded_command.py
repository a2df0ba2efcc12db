"""What is kept of the command line that the operator typed: no value of a variable, and no password."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

_HIDDEN = "****"
#: ``-e`` alone, with its value, or behind other short options (``-vehook=…``); the long form.
_VARIABLES = re.compile(r"(?P<option>-[A-Za-df-z]*e|--extra-vars(?P<equals>=)?)(?P<value>.*)\Z", re.DOTALL)
_NAME = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)\s*=")
_SECRET_WORD = re.compile(r"(\S*(?:pass|secret|token|credential|api_?key)\S*=).*", re.IGNORECASE | re.DOTALL)
#: A variable that says how a host is reached.
_WAY = re.compile(r"(?:ansible|pfremote)_\w+=")
_URL_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@]+(?=@)", re.IGNORECASE)


def typed_command() -> list[str]:
    """Return what the operator typed, without what may be a secret."""
    return ["pfremote", *record_command(sys.argv[1:])]


def record_command(words: Iterable[str]) -> list[str]:
    """Return the words as they may be stored: of ``-e NAME=VALUE`` the name only.

    >>> record_command(["debug", "mx1", "-e", "hook=https://hooks.example.net/T0/x", "-e", "@vars.yml"])
    ['debug', 'mx1', '-e', 'hook=****', '-e', '@vars.yml']
    """
    return list(_record(iter(words)))


def may_repeat(value: str) -> bool:
    """Tell whether a value of ``-e`` may be shown: a file's name, or what says how to reach hosts and is no secret.

    >>> may_repeat("ansible_user=ops pfremote_log=journal"), may_repeat("ansible_password=x"), may_repeat("@vars.yml")
    (True, False, True)
    """
    return value.startswith("@") or all(_WAY.match(word) and not _SECRET_WORD.match(word) for word in value.split())


def _record(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        found = _VARIABLES.match(word)
        if word == "--":
            yield word
            yield from words
        elif found is None or (found["option"].startswith("--") and not found["equals"] and found["value"]):
            yield _URL_PASSWORD.sub(rf"\1{_HIDDEN}", _SECRET_WORD.sub(rf"\1{_HIDDEN}", word))
        elif found["value"] or found["equals"]:
            yield found["option"] + _names_of(found["value"])
        else:
            yield word
            yield from (_names_of(value) for value in _take(words))


def _take(words: Iterator[str]) -> Iterator[str]:
    """Yield the next word, if there is one."""
    value = next(words, None)
    if value is not None:
        yield value


def _names_of(value: str) -> str:
    """Return what names the variables: ``@FILE``, or each ``NAME=`` that stands at the beginning of a word."""
    if value.startswith("@"):
        return value
    if value.lstrip().startswith(("{", "[", "=")):
        return _HIDDEN
    first = _NAME.match(value)
    return f"{first['name']}={_HIDDEN}" if first else _HIDDEN
