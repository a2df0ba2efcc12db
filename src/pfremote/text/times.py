"""Moments of time as text: one form for each purpose. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal


def format_time(moment: datetime, precision: Literal["milliseconds", "microseconds", "auto"] = "milliseconds") -> str:
    """Return RFC 3339 in UTC, for programs.

    >>> format_time(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def format_epoch(seconds: float) -> str:
    """Return epoch seconds as RFC 3339 in UTC, whole seconds, for programs."""
    return format_time(datetime.fromtimestamp(int(seconds), UTC), "auto")


def show_moment(moment: datetime) -> str:
    """Return date and time in UTC to the second, for people.

    >>> show_moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02 03:04:05 UTC'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def show_clock(moment: datetime | None) -> str:
    """Return the time of day in UTC, for people: with milliseconds where there are any, dashes where it is not known.

    >>> show_clock(datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)), show_clock(None)
    ('03:04:05.678', '--:--:--')
    """
    if moment is None:
        return "--:--:--"
    clock = moment.astimezone(UTC).time()
    return clock.isoformat("milliseconds" if clock.microsecond else "seconds")


def show_seconds(seconds: float | None) -> str:
    """Return a duration for people.

    >>> [show_seconds(value) for value in (7e-06, 0.0042, 12.34, 125.0, 7260.0)]
    ['less than 1 ms', '4 ms', '12.3 s', '2 min 5 s', '2 h 1 min']
    """
    if seconds is None:
        return "—"
    if seconds < 0.001:
        return "less than 1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    if seconds < 3600:
        return f"{int(seconds) // 60} min {int(seconds) % 60} s"
    return f"{int(seconds) // 3600} h {int(seconds) % 3600 // 60} min"


def show_span(started: datetime, ended: datetime) -> str:
    """Return how long it was between two log lines, no more exactly than their stamps say.

    >>> moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    >>> show_span(moment, moment), show_span(moment, moment.replace(second=7))
    ('less than 1 s', '2 s')
    >>> show_span(moment, moment.replace(microsecond=4200))
    '4 ms'
    """
    seconds = (ended - started).total_seconds()
    return "less than 1 s" if seconds == 0 and not started.microsecond else show_seconds(seconds)


def name_moment(moment: datetime, *, exactly: bool = False) -> str:
    """Return a moment in UTC as part of a file's name, in whose order it sorts; ``exactly`` to the microsecond.

    >>> name_moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '20260102T030405Z'
    """
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ" if exactly else "%Y%m%dT%H%M%SZ")


def read_utc_offset(text: str) -> timedelta:
    """Return the offset that ``date +%z`` prints; none where it is unreadable.

    >>> read_utc_offset("-0930")
    datetime.timedelta(days=-1, seconds=52200)
    """
    found = re.fullmatch(r"([+-])([01][0-9])([0-5][0-9])", text, re.ASCII)
    if found is None:
        return timedelta()
    minutes = int(found[2]) * 60 + int(found[3])
    return timedelta(minutes=-minutes if found[1] == "-" else minutes)
