"""Times as people type and copy them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pfremote.errors import UsageError
from pfremote.options.moments import read_moment

TOKYO = timezone(timedelta(hours=9))
NOW = datetime(2026, 3, 1, 3, 4, 5, tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-02-24 02:13", datetime(2026, 2, 24, 2, 13, tzinfo=TOKYO)),
        ("2026-02-24T02:13:49", datetime(2026, 2, 24, 2, 13, 49, tzinfo=TOKYO)),
        ("2026-02-24", datetime(2026, 2, 24, tzinfo=TOKYO)),
        ("2026-02-24 02:13:49 UTC", datetime(2026, 2, 24, 2, 13, 49, tzinfo=UTC)),
        ("2026-02-24T02:13:49.25Z", datetime(2026, 2, 24, 2, 13, 49, 250000, tzinfo=UTC)),
        ("2026-02-24 02:13+01:00", datetime(2026, 2, 24, 1, 13, tzinfo=UTC)),
        ("02:13", datetime(2026, 3, 1, 2, 13, tzinfo=TOKYO)),
        ("2:13", datetime(2026, 3, 1, 2, 13, tzinfo=TOKYO)),
        ("02:13:07", datetime(2026, 3, 1, 2, 13, 7, tzinfo=TOKYO)),
        ("today", datetime(2026, 3, 1, tzinfo=TOKYO)),
        ("yesterday", datetime(2026, 2, 28, tzinfo=TOKYO)),
        ("90m", NOW - timedelta(minutes=90)),
        ("1h30m", NOW - timedelta(minutes=90)),
        ("3d", NOW - timedelta(days=3)),
        ("Feb 24 02:13:49", datetime(2026, 2, 24, 2, 13, 49, tzinfo=TOKYO)),
        ("Mar  1 02:13:49", datetime(2026, 3, 1, 2, 13, 49, tzinfo=TOKYO)),
        ("Dec 31 23:59:58", datetime(2025, 12, 31, 23, 59, 58, tzinfo=TOKYO)),
        ("Feb 24 02:13:49 UTC", datetime(2026, 2, 24, 2, 13, 49, tzinfo=UTC)),
    ],
)
def test_a_time_is_read(typed: str, meant: datetime) -> None:
    assert read_moment(typed, NOW) == meant


@pytest.mark.parametrize(
    "typed", ["", "soon", "25:00", "12", "2026-13-01", "Foo 24 02:13:49", "99999999999d", "0h", "1x"]
)
def test_what_is_no_time_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_moment(typed, NOW)
    assert caught.value.hint
