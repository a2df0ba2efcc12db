"""Check and convert the values of connection variables and of our own ``pfremote_*`` variables. Pure."""

from __future__ import annotations

from collections.abc import Callable

from pfremote.errors import UsageError
from pfremote.text.quantities import parse_duration, parse_percent, parse_size

_TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})
_FALSE = frozenset({"false", "no", "off", "0", "n", "f"})
GUARDS = ("auto", "systemd", "cron", "at", "process")


def read_bool(value: object) -> bool:
    """Return a truth value as Ansible understands it.

    Raises:
        ValueError: it is none.
    """
    text = str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError("is not yes or no")


def read_port(value: object) -> int:
    """Return a TCP port.

    Raises:
        ValueError: it is none.
    """
    text = str(int(value) if isinstance(value, int) else value).strip()
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise ValueError("is not a port from 1 to 65535")


def read_word(value: object) -> str:
    """Return a text that is not empty and has no control characters.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip() and str(value).isprintable():
        return str(value)
    raise ValueError("is not a plain text")


def read_name(value: object) -> str:
    """Return a host or user name; it can be no option of ssh and has no blanks.

    Raises:
        ValueError: it is none.
    """
    text = read_word(value)
    if text.startswith("-") or any(char.isspace() for char in text):
        raise ValueError("is no host or user name")
    return text


def _read_minutes(value: object) -> int:
    return -(-parse_duration(str(value)) // 60)


def _read_drain(value: object) -> int:
    """A bare number is seconds here, as with ``--drain``."""
    text = str(value).strip()
    return int(text) if text.isdecimal() else parse_duration(text)


def _read_log(value: object) -> str:
    text = read_word(value)
    if text in ("journal", "none") or text.startswith("file:/"):
        return text
    if text.startswith("/"):
        return f"file:{text}"
    raise ValueError("is none of journal, file:/path and none")


def _read_path(value: object) -> str:
    text = read_word(value)
    if text.startswith("/"):
        return text
    raise ValueError("is not an absolute path")


def _read_guard(value: object) -> str:
    if value in GUARDS:
        return str(value)
    raise ValueError(f"is none of {', '.join(GUARDS)}")


_READERS: dict[str, Callable[[object], object]] = {
    "pfremote_instance": read_word,
    "pfremote_max_minutes": _read_minutes,
    "pfremote_log": _read_log,
    "pfremote_helper": _read_path,
    "pfremote_agent": _read_path,
    "pfremote_host_key_checking": read_bool,
    "pfremote_guard": _read_guard,
    "pfremote_min_free": lambda value: parse_percent(str(value)),
    "pfremote_max_log": lambda value: parse_size(str(value)),
    "pfremote_drain": _read_drain,
}


def read_option(name: str, value: object) -> object:
    """Return the value of a ``pfremote_*`` variable: minutes, bytes, percent and seconds as numbers.

    Raises:
        ValueError: it is not what the variable takes.
    """
    try:
        return _READERS[name](value)
    except UsageError as exc:
        raise ValueError(f"is wrong: {exc.message}") from exc
