"""Heads of log lines as containers, templates and relays write them: read, or called unreadable; never misread."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.maillog.parse.lines import parse_evidence, parse_line

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SAID = "warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:ssl/statem.c:2220:"
CASES = Path(__file__).parents[2] / "fixtures/cases/log"


@pytest.mark.parametrize(
    ("head", "host"),
    [
        ("Nov 26 10:00:00 ", ""),
        ("Nov 26 10:00:00 INFO ", ""),
        ("Nov 26 10:00:00 mail.warning ", ""),
        ("Nov 26 10:00:00 mx INFO: ", "mx"),
        ("Nov 26 10:00:00 mx mail:info ", "mx"),
        ("Nov 26 10:00:00 WARNING mx ", "mx"),
        ("2026-11-26T10:00:00Z ", ""),
        ("2026-11-26T10:00:00Z warn ", ""),
        ("2026-11-26T10:00:00.100000001Z 2026-11-26T10:00:00+00:00 INFO    ", ""),
        ("2026-11-26T09:59:59Z Nov 26 10:00:00 mx ", "mx"),
        ("2026-11-26T09:59:59.123456789Z stdout F Nov 26 10:00:00 mx ", "mx"),
        ("mail-1  | Nov 26 10:00:00 mx ", "mx"),
        ("[pod/mail-0/postfix] 2026-11-26T10:00:00Z ", ""),
        ("Thu 2026-11-26 10:00:00 UTC mx ", "mx"),
        ("Thu 2026-11-26 10:00:00 JST mx ", "mx"),
        ("2026 Nov 26 10:00:00 mx ", "mx"),
        ("<22>Nov 26 10:00:00 ", ""),
        ("/var/log/mail.log:Nov 26 10:00:00 mx ", "mx"),
        ("mail.log-20261126: Nov 26 10:00:00 mx ", "mx"),
        ("Nov 26 09:59:59 dockerhost mailserver[123]: Nov 26 10:00:00 mx ", "mx"),
        ("2026-11-26T09:59:59Z dockerhost dockerd[9]: 2026-11-26T10:00:00+00:00 mx ", "mx"),
        ("Nov 26 09:59:59 loghost Nov 26 10:00:00 mx ", "mx"),
    ],
)
@pytest.mark.parametrize("tag", ["postfix/smtpd", "postfix/smtps/smtpd"])
def test_the_daemon_is_found_and_no_word_is_taken_for_a_host(head: str, host: str, tag: str) -> None:
    line = f"{head}{tag}[4101]: {SAID}"
    record = parse_line(line, 1, now=NOW)
    assert (record.host, record.tag, record.daemon, record.pid) == (host, tag, "smtpd", 4101)
    assert record.text == SAID
    assert record.time == datetime(2026, 11, 26, 10, tzinfo=UTC)
    assert record.head + record.text == line


def test_a_name_before_the_tag_is_not_taken_for_the_daemon() -> None:
    lines = [
        "Nov 26 10:00:00 dockerhost mailserver[123]: starting",
        f"Nov 26 10:00:00 dockerhost mailserver[123]: postfix/smtpd[4101]: {SAID}",
        "Nov 26 10:00:00 dockerhost mailserver[123]: a client said postfix/smtpd[7]: connect from x[192.0.2.9]",
    ]
    records = list(parse_evidence("\n".join(lines).encode(), now=NOW, utc_offset=timedelta(0)))
    assert [(record.daemon, record.pid) for record in records] == [
        ("mailserver", 123),
        ("smtpd", 4101),
        ("mailserver", 123),
    ]
    assert [record.head + record.text for record in records] == lines


def test_rfc_5424_is_read() -> None:
    line = f"<20>1 2026-11-26T10:00:00.5+09:00 mx postfix/smtpd 4101 - - {SAID}"
    record = parse_line(line, 1, now=NOW)
    assert (record.host, record.tag, record.pid, record.text) == ("mx", "postfix/smtpd", 4101, SAID)
    assert record.time == datetime(2026, 11, 26, 1, 0, 0, 500000, tzinfo=UTC)
    assert record.head + record.text == line


@pytest.mark.parametrize(
    ("line", "tag", "pid"),
    [
        ("Nov 26 10:00:00 systemd-journald[77]: Suppressed 3 messages from x", "systemd-journald", 77),
        ("Nov 26 10:00:00 dovecot: auth: Error: no such file", "dovecot", None),
        ("Nov 26 10:00:00 info.example.jp postfix/master[7]: reload", "postfix/master", 7),
        ("Nov 26 10:00:00 2001:db8::7 postfix/master[7]: reload", "postfix/master", 7),
    ],
)
def test_other_programs_are_read_too(line: str, tag: str, pid: int | None) -> None:
    record = parse_line(line, 1, now=NOW)
    assert (record.tag, record.pid) == (tag, pid)
    assert record.head + record.text == line


@pytest.mark.parametrize(
    "line",
    [
        "Nov 26 10:00:00 mx last message repeated 2 times",
        "Nov 26 10:00:00 mx postfix/smtpd [4101] connect from a[192.0.2.1]",
        '{"MESSAGE":"connect from a[192.0.2.1]","SYSLOG_IDENTIFIER":"postfix/smtpd"}',
    ],
)
def test_what_cannot_be_read_is_called_unreadable(line: str) -> None:
    record = parse_line(line, 1, now=NOW)
    assert (record.time, record.host, record.tag, record.pid) == (None, "", "", None)
    assert record.text == line


@pytest.mark.parametrize("path", sorted(CASES.glob("*.log")), ids=lambda path: path.stem)
def test_every_line_of_the_cases_has_its_daemon(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        record = parse_line(line, number, now=NOW)
        assert record.daemon in ("smtpd", "smtp", "cleanup", "systemd-journald")
        assert record.host in ("", "mx")
        assert record.time is not None
