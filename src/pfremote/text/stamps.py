"""Stamps without a year, as syslog writes them (RFC 3164)."""

from __future__ import annotations

from datetime import datetime, timedelta

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
#: How far ahead of ``now`` a year-less stamp may lie before it is taken for last year's (clocks differ a
#: little).
_AHEAD = timedelta(days=1)


def date_stamp(stamp: str, now: datetime) -> datetime | None:
    """Return the last time that such a stamp was, seen from ``now`` (aware), in its zone; None where it never was.

    >>> from datetime import UTC
    >>> date_stamp("Dec 31 23:59:58", datetime(2026, 1, 2, tzinfo=UTC)).isoformat()
    '2025-12-31T23:59:58+00:00'
    """
    month = _MONTHS.get(stamp[:3])
    day, clock = stamp[4:].strip().split(" ")
    if month is None:
        return None
    hour, minute, second = clock.split(":")
    whole, _, fraction = second.partition(".")
    micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
    # 29 February exists every four years, once in eight around 1900 and 2100.
    for year in range(now.year + 1, now.year - 9, -1):
        try:
            time = datetime(year, month, int(day), int(hour), int(minute), min(int(whole), 59), micro, now.tzinfo)
        except ValueError:
            continue
        if time <= now + _AHEAD:
            return time
    return None
