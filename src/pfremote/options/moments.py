"""Times as people type and copy them: from a clock, a report, a log. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pfremote.errors import UsageError
from pfremote.text.quantities import parse_duration
from pfremote.text.stamps import date_stamp

_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?")
#: The stamp of RFC 3164, as a syslog daemon writes it.
_STAMP = re.compile(r"[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d")
_AGO = re.compile(r"[0-9]+[hms][0-9hms]*|[0-9]+d")
_DAYS = {"today": 0, "yesterday": 1}
_UTC = re.compile(r" ?(?:UTC|Z)\Z")


def read_moment(word: str, now: datetime) -> datetime:
    """Return a time of the operator's clock, whose time and zone ``now`` (aware) tells.

    Understood are a date with or without a time, a time of today, ``today``, ``yesterday``, ``90m``, ``2h`` or ``3d``
    for so long ago, a stamp of a log without a year, and any of them with ``UTC`` behind it as reports show it.

    Raises:
        UsageError: it is no such time.

    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    >>> [read_moment(word, now).isoformat()[:16] for word in ("02:13", "2h", "yesterday", "Dec 31 23:59:58")]
    ['2026-01-02T02:13', '2026-01-02T01:04', '2026-01-01T00:00', '2025-12-31T23:59']
    """
    text = word.strip()
    if _UTC.search(text):
        text = f"{_UTC.sub('', text)}+00:00"
    try:
        if text in _DAYS:
            return datetime.combine(now.date() - timedelta(days=_DAYS[text]), datetime.min.time(), now.tzinfo)
        if _AGO.fullmatch(text):
            return now - _read_age(text)
        if stamp := _STAMP.match(text):
            return _date(stamp[0], text[stamp.end() :], now)
        if _CLOCK.match(text):
            text = f"{now.date().isoformat()} {text.rjust(len(text) + (text[1] == ':'), '0')}"
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{word!r} is no time",
            hint="Type for example '2026-11-24 02:13', 02:13 (of today), yesterday, or 2h (ago).",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)


def _read_age(text: str) -> timedelta:
    return timedelta(days=int(text[:-1])) if text.endswith("d") else timedelta(seconds=parse_duration(text))


def _date(stamp: str, zone: str, now: datetime) -> datetime:
    """Return when a stamp of a log was; ``zone`` is what stands behind it."""
    found = date_stamp(stamp, now.astimezone(datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo or now.tzinfo))
    if found is None:
        raise ValueError(stamp)
    return found
