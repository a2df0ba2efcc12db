"""Read durations, sizes and percentages from the command line, the inventory and playbooks."""

from __future__ import annotations

import re

from pfremote.errors import UsageError

_DURATION = re.compile(r"(?:(?P<h>[0-9]{1,9})h)?(?:(?P<m>[0-9]{1,9})m)?(?:(?P<s>[0-9]{1,9})s)?\Z")
_NUMBER = re.compile(r"[0-9]{1,9}\Z")
_SIZE = re.compile(r"(?P<number>[0-9]{1,15})\s*(?P<unit>[KMGT]?)(?:iB|B)?\Z", re.IGNORECASE)
#: How many bits a unit shifts the number.
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}


def parse_duration(text: str, *, cap: int | None = None) -> int:
    """Return seconds. A bare number is minutes; ``90s``, ``2m``, ``1h`` and ``1h30m`` say their unit.

    ``cap`` is the most that is allowed, in seconds.

    Raises:
        UsageError: not a duration, nothing, or more than ``cap``.

    >>> parse_duration("10"), parse_duration("90s"), parse_duration("1h30m")
    (600, 90, 5400)
    """
    given = text.strip().lower()
    match = _DURATION.match(given)
    if _NUMBER.match(given):
        seconds = 60 * int(given)
    elif given and match:
        seconds = 3600 * int(match["h"] or 0) + 60 * int(match["m"] or 0) + int(match["s"] or 0)
    else:
        raise UsageError(f"{text!r} is not a duration", hint="Type minutes as a number, or 90s, 10m or 1h.")
    if seconds <= 0:
        raise UsageError(f"{text!r} is no time at all", hint="Type at least 1s; 10 means ten minutes.")
    if cap is not None and seconds > cap:
        raise UsageError(
            f"{text} is longer than the {render_duration(cap)} allowed here",
            hint=f"Type at most {render_duration(cap)}.",
        )
    return seconds


def render_duration(seconds: int) -> str:
    """Return ``seconds`` in the notation that :func:`parse_duration` reads, for example ``1h30m``."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if number]
    return "".join(parts) or "0s"


def parse_size(text: str) -> int:
    """Return bytes; K, M, G and T are powers of 1024.

    Raises:
        UsageError: not a size, or zero.

    >>> parse_size("256M")
    268435456
    """
    match = _SIZE.match(text.strip())
    if not match:
        raise UsageError(f"{text!r} is not a size", hint="Type a number of bytes, or 64K, 256M or 1G.")
    size = int(match["number"]) << _UNITS[match["unit"].upper()]
    if size == 0:
        raise UsageError(f"{text!r} leaves no room for a log", hint="Type a size such as 256M.")
    return size


def parse_percent(text: str) -> int:
    """Return a whole percentage from 0 to 99; the sign ``%`` may be there or not.

    Raises:
        UsageError: anything else.

    >>> parse_percent("10%")
    10
    """
    number = text.strip().removesuffix("%").strip()
    if not _NUMBER.match(number) or int(number) > 99:
        raise UsageError(f"{text!r} is not a percentage", hint="Type a whole number from 0% to 99%.")
    return int(number)


def plural(number: int, noun: str) -> str:
    """Return ``number`` and ``noun``, in the plural where that is due.

    >>> plural(1, "session"), plural(2, "session")
    ('1 session', '2 sessions')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
