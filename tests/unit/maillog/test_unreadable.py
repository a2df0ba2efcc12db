"""What cannot be read costs itself and nothing else; it is said, and the host keeps its copy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pfremote.maillog.budget import LONGEST_READ
from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.completeness import (
    count_begun,
    explain_difference,
    explain_gaps,
    may_forget,
)
from pfremote.maillog.contain import attempt
from pfremote.maillog.live import LiveEnd, LiveReader
from pfremote.maillog.parse.record import Record
from pfremote.maillog.redact import Redactor
from pfremote.maillog.sessions.build import Session
from pfremote.maillog.sessions.inbound import InboundTracker
from pfremote.maillog.transcripts.restrictions import CheckReader
from tests.support.recorder.expect import FIXTURES, NOW

CASES = FIXTURES / "cases" / "security"
HEAD = "Nov 24 02:13:49 mx postfix/smtpd[7]: "
GOOD = [
    "connect from a.example.jp[192.0.2.1]",
    "> a.example.jp[192.0.2.1]: 220 mx",
    "< a.example.jp[192.0.2.1]: AUTH PLAIN AGFsaWNlAEdyNG5pdGU3Nw==",
    "> a.example.jp[192.0.2.1]: 535 5.7.8 no",
    "disconnect from a.example.jp[192.0.2.1]",
]


def read(data: bytes) -> Capture:
    return read_capture(data, now=NOW, utc_offset=timedelta(0), match=lambda _session: True)


def log(*texts: str) -> bytes:
    return "".join(f"{HEAD}{text}\n" for text in texts).encode()


def bad(texts: list[str]) -> list[str]:
    return [text.replace("a.example.jp[192.0.2.1]", "b.example.jp[192.0.2.2]") for text in texts]


def test_an_empty_answer_to_auth_is_read() -> None:
    capture = read((CASES / "C2-empty-reply-crash-empty.log").read_bytes())
    assert [session.peer for session in capture.sessions] == ["r.example.net[192.0.2.9]:587"]
    assert capture.unreadable == ()
    assert len(capture.records) == 3


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.log"))[::9], ids=lambda path: path.stem)
def test_a_log_cut_anywhere_in_its_last_line_is_read(path: Path) -> None:
    lines = path.read_bytes()[:20_000].splitlines(keepends=True)
    whole, last = b"".join(lines[:-1]), lines[-1]
    for cut in range(0, len(last), 7):
        assert read(whole[-3000:] + last[:cut]).unreadable == ()


class Trouble(Exception):
    """What a line made of our own mistake would raise; it quotes the line."""


def test_a_session_that_cannot_be_rebuilt_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    real = CheckReader.command

    def command(self: CheckReader) -> None:
        raise Trouble("Gr4nite77")

    monkeypatch.setattr(CheckReader, "command", command)
    capture = read(log(*GOOD))
    monkeypatch.setattr(CheckReader, "command", real)
    assert [(item.what, item.line, item.why) for item in capture.unreadable] == [("session", 1, "Trouble")]
    assert [session.peer for session in capture.sessions] == ["a.example.jp[192.0.2.1]"]
    assert len(capture.records) == 5
    assert "Gr4nite77" not in capture.evidence_text() + repr(capture)
    (reason,) = explain_gaps(capture.sessions, 0, capture.unreadable)
    assert reason.code == "unreadable"
    assert not may_forget([reason])


def test_a_process_that_cannot_be_sorted_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    real = InboundTracker.feed

    def feed(self: InboundTracker, record: object) -> None:
        if "192.0.2.2" in getattr(record, "text", ""):
            raise Trouble
        real(self, record)  # type: ignore[arg-type]

    monkeypatch.setattr(InboundTracker, "feed", feed)
    other = log(*bad(GOOD)).replace(b"smtpd[7]", b"smtpd[8]")
    capture = read(log(*GOOD) + other)
    assert [session.peer for session in capture.sessions] == ["a.example.jp[192.0.2.1]"]
    assert [(item.what, item.line, item.why) for item in capture.unreadable] == [("process", 6, "Trouble")]


def test_a_line_that_cannot_be_redacted_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Redactor.redact

    def redact(self: Redactor, record: Record) -> Record:
        if "AUTH" in record.text:
            raise Trouble("Gr4nite77")
        return real(self, record)

    monkeypatch.setattr(Redactor, "redact", redact)
    capture = read(log(*GOOD))
    assert [record.text for record in capture.records][2] == "[line withheld: it could not be read]"
    assert [(item.what, item.line) for item in capture.unreadable] == [("line", 3)]
    assert [session.whole for session in capture.sessions] == [True]
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=lambda _session: True)
    shown = [*reader.feed(log(*GOOD)), *reader.finish()]
    assert sum(isinstance(item, LiveEnd) for item in shown) == 1
    assert "Gr4nite" not in repr(shown)


def test_a_session_that_cannot_be_judged_is_kept() -> None:
    def match(session: Session) -> bool:
        raise Trouble

    capture = read_capture(log(*GOOD), now=NOW, utc_offset=timedelta(0), match=match)
    assert len(capture.sessions) == 1
    assert capture.counts.undecided == 1


def test_an_absurd_head_is_a_line_without_a_head() -> None:
    data = f"Nov 24 02:13:49 mx postfix/smtpd[{'9' * 5000}]: connect from a[192.0.2.1]\n".encode()
    assert read(data + log(*GOOD)).counts.lines == 6


def test_what_postfix_cannot_have_written_is_cut_and_said() -> None:
    long = "NOOP " + "x" * 50_000
    capture = read(log(*GOOD[:2], f"< a.example.jp[192.0.2.1]: {long}", *GOOD[4:]))
    text = capture.records[2].text
    assert len(text) < LONGEST_READ + 100
    assert "more characters, and Postfix writes 2000 at most]" in text


def test_a_secret_behind_the_cut_is_not_shown() -> None:
    capture = read(log(*GOOD[:2], "odd: " + "x " * 1100 + "password=Gr4nite77", *GOOD[4:]))
    assert "Gr4nite77" not in capture.evidence_text()


def test_only_the_kind_of_an_error_is_told() -> None:
    def fail() -> str:
        raise ValueError("Gr4nite77")

    assert attempt(fail, str) == "ValueError"


def test_what_the_host_counted_is_compared_with_what_is_kept() -> None:
    capture = read(log(*GOOD))
    assert count_begun(capture.sessions) == 1
    assert explain_difference(1, capture.sessions, 0) == ()
    (reason,) = explain_difference(1, (), 0)
    assert (reason.code, may_forget([reason])) == ("fewer-sessions", False)
    assert explain_difference(2, capture.sessions, 1) == ()
    assert may_forget(explain_gaps(capture.sessions, 3))
