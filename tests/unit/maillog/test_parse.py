"""Log line → record: formats, years, zones, and that no byte is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfremote.maillog.parse.lines import parse_evidence, parse_line
from pfremote.maillog.parse.repeated import unrepeat

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
FIXTURES = Path(__file__).parents[2] / "fixtures"


def test_splits_a_traditional_line() -> None:
    record = parse_line("Nov  4 02:13:49 mx postfix/submission/smtpd[10379]: connect from a[192.0.2.1]", 3, now=NOW)
    assert record.time == datetime(2026, 11, 4, 2, 13, 49, tzinfo=UTC)
    assert (record.host, record.tag, record.daemon, record.pid) == (
        "mx",
        "postfix/submission/smtpd",
        "smtpd",
        10379,
    )
    assert record.number == 3
    assert record.text == "connect from a[192.0.2.1]"


@pytest.mark.parametrize("day", ["Nov  4", "Nov 04", "Nov 4"])
def test_reads_every_padding_of_the_day(day: str) -> None:
    assert parse_line(f"{day} 02:13:49 mx postfix/smtpd[1]: x", 1, now=NOW).time == datetime(
        2026, 11, 4, 2, 13, 49, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-01-05T13:54:43.262668+01:00", datetime(2026, 1, 5, 12, 54, 43, 262668, tzinfo=UTC)),
        ("2026-01-05T13:54:43.262668+0100", datetime(2026, 1, 5, 12, 54, 43, 262668, tzinfo=UTC)),
        ("2026-01-05T13:54:43Z", datetime(2026, 1, 5, 13, 54, 43, tzinfo=UTC)),
        ("1767617683.262668", datetime(2026, 1, 5, 12, 54, 43, 262668, tzinfo=UTC)),
    ],
)
def test_reads_rsyslog_and_journal_stamps(stamp: str, expected: datetime) -> None:
    record = parse_line(f"{stamp} mx postfix/smtp[7]: < a[192.0.2.1]:25: 220 hi", 1, now=NOW)
    assert record.time == expected
    assert record.pid == 7


@pytest.mark.parametrize(
    ("front", "host"),
    [
        ("Jan 05 2026 13:54:43 mx ", "mx"),
        ("<22>Jan  5 13:54:43 mx ", "mx"),
        ("2026-01-05 13:54:43 mx.example.jp ", "mx.example.jp"),
        ("2026-01-05 14:54:43+01:00 mx mail.info ", "mx"),
        ("Jan  5 13:54:43 <mail.info> mx ", "mx"),
        ("Mon Jan  5 13:54:43 2026 mx ", "mx"),
        ("Mon 2026-01-05 13:54:43 UTC mx ", "mx"),
    ],
)
@pytest.mark.parametrize("after", ["", " ", "[ID 197553 mail.info] "])
def test_reads_layouts_of_ones_own(front: str, host: str, after: str) -> None:
    line = f"{front}postfix-in/smtpd[7]: {after}< a[192.0.2.1]: AUTH PLAIN AGEAYg=="
    record = parse_line(line, 1, now=NOW)
    assert (record.time, record.host) == (datetime(2026, 1, 5, 13, 54, 43, tzinfo=UTC), host)
    assert (record.tag, record.daemon, record.pid) == ("postfix-in/smtpd", "smtpd", 7)
    assert record.text.endswith("< a[192.0.2.1]: AUTH PLAIN AGEAYg==")
    assert record.head + record.text == line


def test_the_process_is_known_without_any_stamp() -> None:
    record = parse_line("INFO    postfix/smtpd[7]: connect from a[192.0.2.1]", 1, now=NOW)
    assert (record.time, record.daemon, record.pid, record.text) == (None, "smtpd", 7, "connect from a[192.0.2.1]")


def test_stamps_of_their_own_are_read_one_by_one() -> None:
    lines = [f"2026-01-05T13:54:{second:02d}.5+09:00 mx postfix/smtpd[7]: x {second}" for second in range(50)]
    lines += ["20260105T135443+0900 mx postfix/smtpd[7]: x", "2026-01-05T13:54:99.5+09:00 mx postfix/smtpd[7]: x"]
    records = list(parse_evidence("\n".join(lines).encode(), now=NOW, utc_offset=timedelta(0)))
    assert [record.time for record in records[:50]] == [
        datetime(2026, 1, 5, 4, 54, second, 500000, tzinfo=UTC) for second in range(50)
    ]
    assert [record.time for record in records[50:]] == [None, None]
    assert [record.head + record.text for record in records] == lines


def test_a_year_less_stamp_ahead_of_now_is_last_years() -> None:
    new_year = datetime(2027, 1, 1, 0, 5, tzinfo=UTC)
    assert parse_line("Dec 31 23:59:58 mx postfix/smtpd[1]: x", 1, now=new_year).time == datetime(
        2026, 12, 31, 23, 59, 58, tzinfo=UTC
    )


def test_a_stamp_a_little_ahead_of_now_is_of_the_new_year() -> None:
    eve = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert parse_line("Jan  1 00:00:01 mx postfix/smtpd[1]: x", 1, now=eve).time == datetime(
        2027, 1, 1, 0, 0, 1, tzinfo=UTC
    )


def test_the_29th_of_february_finds_its_leap_year() -> None:
    record = parse_line("Feb 29 10:00:00 mx postfix/smtpd[1]: x", 1, now=NOW)
    assert record.time == datetime(2024, 2, 29, 10, tzinfo=UTC)


def test_local_stamps_are_turned_into_utc() -> None:
    zone = timezone(timedelta(hours=9))
    record = parse_line("Nov 24 02:13:49 mx postfix/smtpd[1]: x", 1, now=NOW, zone=zone)
    assert record.time == datetime(2026, 11, 23, 17, 13, 49, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    ["", "-- Boot 8f --", "Nov 24 02:13 mx x: y", "Xxx 24 02:13:49 mx postfix/smtpd[1]: x", "\x00\x01"],
)
def test_what_is_no_log_line_is_kept_without_time(line: str) -> None:
    record = parse_line(line, 1, now=NOW)
    assert record.time is None
    assert record.head + record.text == line


def test_a_bracket_in_the_text_does_not_move_the_border() -> None:
    record = parse_line("Nov 24 02:13:49 mx kernel: [12]: x [a]: y", 1, now=NOW)
    assert (record.tag, record.pid, record.text) == ("kernel", None, "[12]: x [a]: y")


def test_bytes_that_are_not_utf8_survive() -> None:
    data = b"Nov 24 02:13:49 mx postfix/smtpd[1]: < a[192.0.2.1]: MAIL FROM:<\xff\xe9@example.jp>\n"
    (record,) = parse_evidence(data, now=NOW, utc_offset=timedelta(0))
    assert (record.head + record.text).encode("utf-8", "surrogateescape") + b"\n" == data


def test_recognises_rsyslogs_repetition() -> None:
    assert unrepeat(" message repeated 3 times: [ connect from a[192.0.2.1]]") == (
        3,
        "connect from a[192.0.2.1]",
    )
    assert unrepeat("connect from a[192.0.2.1]") == (1, "connect from a[192.0.2.1]")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.log")), ids=lambda path: path.stem)
def test_head_and_text_of_every_record_are_the_line_again(path: Path) -> None:
    data = path.read_bytes()
    records = list(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))
    assert "".join(f"{r.head}{r.text}\n" for r in records).encode("utf-8", "surrogateescape") == data
    assert all(record.time is not None for record in records)
    assert [record.number for record in records] == list(range(1, len(records) + 1))


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(min_value=1, max_value=40))
def test_blocks_of_any_size_read_as_the_whole(data: bytes, size: int) -> None:
    blocks = [data[i : i + size] for i in range(0, len(data), size)]
    whole = list(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))
    assert list(parse_evidence(blocks, now=NOW, utc_offset=timedelta(0))) == whole
    assert "\n".join(r.head + r.text for r in whole).encode("utf-8", "surrogateescape") == data.removesuffix(b"\n")


def test_lines_that_say_the_same_share_one_text() -> None:
    """Of a debug log four lines in five are such; a log is held as a whole while it is read."""
    data = b"".join(b"Nov 24 10:00:00 mx postfix/smtpd[%d]: smtp_get: EOF\n" % pid for pid in (7, 8))
    first, second = parse_evidence(data, now=NOW, utc_offset=timedelta(0))
    assert first.text == "smtp_get: EOF"
    assert first.text is second.text


def test_what_was_met_before_does_not_change_how_a_line_is_split() -> None:
    lines = [
        "Nov 24 10:00:00 mx postfix/smtpd[7]: connect from a[192.0.2.1]",
        "Nov 24 10:00:01 mx postfix/smtpd[8]: connect from a[192.0.2.1]",
        "Nov 24 10:00:01 mx postfix/smtpd[9]:  two blanks",
        "Nov 24 10:00:01 mx postfix/smtpd[10]: [ID 197553 mail.info] as Solaris writes it",
        "Nov 24 10:00:01 mx postfix/smtpd[11]: ",
        "Nov 24 10:00:01 mx postfix/smtpd[1\u0662]: another digit",
        "Nov 24 10:00:01 mx postfix/smtpd[1\u00b2]: no digit",
        "Nov 24 10:00:01.5 mx postfix/smtpd[12]: a part of a second",
        "Nov 4 10:00:01 mx postfix/smtpd[13]: a short day",
        "Nov 41 10:00:01 mx postfix/smtpd[14]: no such day",
        "Nov 34 10:00:01 mx postfix/smtpd[15]: nor this one",
        "Foo 24 10:00:01 mx postfix/smtpd[16]: no such month",
        "nov 24 10:00:01 mx postfix/smtpd[17]: no stamp",
        "Nov 24 10:00:01 mx postfix/smtpd[18]: said a[1]: b",
        "2026-11-24T10:00:01+00:00 mx postfix/smtpd[19]: another stamp",
        "Nov 24 10:00:02 mx postfix/smtpd[20]: the end",
    ]
    now = datetime(2026, 11, 30, tzinfo=UTC)
    together = parse_evidence("\n".join(lines).encode(), now=now, utc_offset=timedelta())
    assert list(together) == [parse_line(line, number, now=now) for number, line in enumerate(lines, 1)]
