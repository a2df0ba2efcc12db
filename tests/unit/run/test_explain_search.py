"""What is wanted of a large log is found before it is read: the answer is that of reading everything."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pfremote import cli
from pfremote.maillog.clues import choose_words
from pfremote.maillog.looks import Words
from pfremote.maillog.narrow import Wanted, narrow
from pfremote.maillog.pieces.read import SUMMARY
from pfremote.maillog.search import search
from pfremote.run.log_files import Source
from pfremote.run.log_report import build_log_report, count_recap, list_events
from pfremote.run.read_logs import Explained, explain_log, find_messages
from tests.support.rendering import render_report

MOMENT = datetime(2026, 11, 29, tzinfo=UTC)
FIXTURES = Path(__file__).parents[2] / "fixtures"

#: What Postfix logs without debugging.
QUIET = re.compile(
    rb"\]: (?:[0-9A-F]{8,12}: |(?:dis)?connect from |NOQUEUE: |(?:warning|fatal|error): |lost |timeout )"
)


@cache
def corpus() -> bytes:
    """Return many recorded logs as one, each with processes of its own: most without debugging, some with it."""
    parts = []
    for number, path in enumerate(sorted(FIXTURES.glob("*-postfix-3.7.log")), 1):
        text = re.sub(rb"\[(\d+)\]: ", rb"[%d\1]: " % number, path.read_bytes())
        text = re.sub(rb"(?m)^(\w{3} [ \d]\d [\d:]{8} )\S+ ", rb"\1mx ", text)
        quiet = [line for line in text.splitlines(keepends=True) if QUIET.search(line)]
        parts.append(b"".join(quiet) if number % 30 else text)
    ways = b"".join((FIXTURES / "way" / f"{name}.log").read_bytes() for name in ("mx", "filter", "mbox"))
    return b"".join(parts) + ways


def words_of(pattern: bytes, every: int) -> list[str]:
    found = sorted(set(re.findall(pattern, corpus())))
    return [word.decode() for word in found[::every]]


CASES = [
    *(("--queue-id", word) for word in words_of(rb"\]: ([0-9A-F]{8,12}): ", 25)),
    *(("--to", word) for word in words_of(rb"(?:to=|RCPT TO:)<([^<>@]+@[^<>]+)>", 8)),
    *(("--from", word) for word in words_of(rb"(?:from=|MAIL FROM:)<([^<>@]+@[^<>]+)>", 8)),
    *(("--message-id", word) for word in words_of(rb"message-id=<([^<>\s]+)>", 30)),
    ("--to", "@example.jp"),
    ("--to", "Bob@Example.JP"),
    ("--from", "ann@example.net", "--failed"),
    ("--queue-id", "6C3D4E5F6A"),
    ("--queue-id", "FFFFFFFFFF"),
]
PEERS = [
    ("--peer", "192.0.2.10"),
    ("--peer", "client.example.jp"),
    ("--peer", "203.0.113.77"),
    ("--peer", "192.0.2.10", "--user", "alice"),
    ("--user", "nobody.of.this.name"),
    *(("--user", word) for word in words_of(rb"\b(?:sasl_username|user)=([\w.@+-]+)", 1)),
]


LOGINS = (
    (1, b"connect from a[192.0.2.1]"),
    (1, b"< a[192.0.2.1]: AUTH PLAIN AGFsaWNlAFMzY3JldFBX"),
    (1, b"> a[192.0.2.1]: 235 2.7.0 Authentication successful"),
    (
        1,
        b"NOQUEUE: reject: RCPT from a[192.0.2.1]: 554 5.7.1 <bob@example.jp>: Relay access denied; "
        b"from=<x@example.net> to=<bob@example.jp> proto=ESMTP helo=<a>",
    ),
    (1, b"disconnect from a[192.0.2.1]"),
    (2, b"connect from a[192.0.2.1]"),
    (2, b"3A1B2C3D4E: client=a[192.0.2.1], sasl_method=PLAIN, sasl_username=alice"),
    (2, b"disconnect from a[192.0.2.1]"),
)


def read(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = cli.main(["explain", *words])
    return code, capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in read(capsys, "--json", *words)[1].splitlines()]
    return [{name: value for name, value in event.items() if name not in ("time", "log")} for event in events]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Return a log that is searched where something is wanted that can be searched for."""
    path = tmp_path_factory.mktemp("log") / "mail.log"
    path.write_bytes(corpus())
    return Source("log", str(path), named=True)


@pytest.fixture(scope="module")
def whole(log: Source) -> Explained:
    """Return all of the same log, read once: choosing from it is what reading everything comes to."""
    found = explain_log(log, Wanted(), lambda _done: None)
    assert found.searched is None and found.capture is not None
    return found


def choose(whole: Explained, wanted: Wanted) -> Explained:
    assert whole.capture is not None
    return replace(whole, capture=narrow(whole.capture, wanted, whole.hops))


def want(words: tuple[str, ...]) -> Wanted:
    names = {
        "--queue-id": "queue_ids",
        "--to": "recipients",
        "--from": "senders",
        "--message-id": "message_ids",
        "--user": "users",
    }
    asked = {names.get(name, "peers"): (value,) for name, value in batched(words)}
    return Wanted(**asked, failed="--failed" in words)  # type: ignore[arg-type]


def batched(words: tuple[str, ...]) -> list[tuple[str, str]]:
    given = [word for word in words if word != "--failed"]
    return list(zip(given[::2], given[1::2], strict=True))


@pytest.mark.parametrize("words", CASES)
def test_the_events_are_those_of_reading_everything(words: tuple[str, ...], log: Source, whole: Explained) -> None:
    wanted = want(words)
    found = explain_log(log, wanted, lambda _done: None)
    assert found.searched is not None
    searched, chosen = (
        [*list_events([one], find_messages([one], wanted)), ("recap", count_recap([one]))]
        for one in (found, choose(whole, wanted))
    )
    assert searched == chosen


@pytest.mark.parametrize("words", PEERS)
def test_the_report_of_a_peer_or_user_is_that_of_reading_everything(
    words: tuple[str, ...], log: Source, whole: Explained
) -> None:
    wanted = want(words)
    found = explain_log(log, wanted, lambda _done: None, SUMMARY)
    assert found.searched is not None
    searched, chosen = (
        render_report(build_log_report([one], (), MOMENT, 0), "txt", 80) for one in (found, choose(whole, wanted))
    )
    assert searched == chosen


def test_the_command_chooses_the_same_from_standard_input(
    log: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the tests above put together, the command does: from a file that is searched, and from one that cannot be."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(corpus())))
    words = ("--from", "ann@example.net", "--failed")
    assert told(capsys, f"log={log.path}", *words) == told(capsys, "-", *words)


def test_another_session_of_the_client_confirms_whose_credential_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = b"".join(b"Nov 24 10:00:00 mx postfix/smtpd[%d]: %s\n" % line for line in LOGINS)
    path = tmp_path / "mail.log"
    path.write_bytes(ordinary(100) + log)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(ordinary(100) + log)))
    found, whole = (told(capsys, name, "--to", "bob@example.jp") for name in (f"mx={path}", "-"))
    assert found == whole
    assert "password of alice" in json.dumps(found)


def test_a_user_whom_another_session_names_has_both_sessions(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(ordinary(100) + b"".join(b"Nov 24 10:00:00 mx postfix/smtpd[%d]: %s\n" % line for line in LOGINS))
    source, wanted = Source("mx", str(path), named=True), Wanted(users=("alice",))
    found = explain_log(source, wanted, lambda _done: None, SUMMARY)
    whole = choose(explain_log(source, Wanted(), lambda _done: None), wanted)
    assert found.searched is not None and found.capture is not None and whole.capture is not None
    assert found.capture.transcripts == whole.capture.transcripts
    assert [session.pid for session in found.capture.sessions] == [1, 2]


#: What was refused is sent later by another server of the sender; a login that was refused is let in later.
SEQUELS = (
    (b"smtpd[11]", b"connect from a[192.0.2.1]"),
    (
        b"smtpd[11]",
        b"NOQUEUE: reject: RCPT from a[192.0.2.1]: 450 4.2.0 <bob@example.jp>: Recipient address rejected: Greylisted; "
        b"from=<x@example.net> to=<Bob@example.jp> proto=ESMTP helo=<a>",
    ),
    (b"smtpd[11]", b"warning: a[192.0.2.1]: SASL LOGIN authentication failed: no, sasl_username=ann"),
    (b"smtpd[11]", b"lost connection after AUTH from a[192.0.2.1]"),
    (b"smtpd[11]", b"disconnect from a[192.0.2.1]"),
    (b"smtpd[12]", b"connect from b[192.0.2.2]"),
    (b"smtpd[12]", b"3A1B2C3D4E: client=b[192.0.2.2]"),
    (b"cleanup[13]", b"3A1B2C3D4E: message-id=<1@example.net>"),
    (b"qmgr[14]", b"3A1B2C3D4E: from=<x@example.net>, size=100, nrcpt=1 (queue active)"),
    (
        b"local[15]",
        b"3A1B2C3D4E: to=<bob@example.jp>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (delivered)",
    ),
    (b"qmgr[14]", b"3A1B2C3D4E: removed"),
    (b"smtpd[12]", b"disconnect from b[192.0.2.2]"),
    (b"smtpd[16]", b"connect from a[192.0.2.1]"),
    (b"smtpd[16]", b"3A1B2C3D4F: client=a[192.0.2.1], sasl_method=PLAIN, sasl_username=ann"),
    (b"smtpd[16]", b"disconnect from a[192.0.2.1]"),
)


@pytest.mark.parametrize("words", [("--peer", "192.0.2.1"), ("--to", "bob@example.jp"), ("--from", "x@example.net")])
def test_what_came_of_it_in_another_session_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(ordinary(100) + b"".join(b"Nov 24 10:00:00 mx postfix/%b: %b\n" % line for line in SEQUELS))
    source, wanted = Source("mx", str(path), named=True), want(words)
    found = explain_log(source, wanted, lambda _done: None, SUMMARY)
    whole = choose(explain_log(source, Wanted(), lambda _done: None), wanted)
    assert found.searched is not None and found.capture is not None and whole.capture is not None
    assert found.capture.findings == whole.capture.findings
    said = " ".join(finding.meaning for finding in found.capture.findings)
    assert "Postfix took and sent mail of the same sender" in said
    assert "Another session of this client logged in as ann" in said


def test_few_lines_are_read_for_one_message() -> None:
    wanted = Wanted(queue_ids=("4A1B2C3D4E",))
    words = choose_words(wanted, messages=True)
    block = ordinary(5000) + corpus() + ordinary(5000)
    found = search(lambda look: map(look, (block,)), words, wanted, MOMENT)
    assert found is not None
    assert not any(b"4711" in line for line in found.lines.values())
    assert found.total == corpus().count(b"\n") + 40000


def test_words_that_do_not_lead_there_for_sure_are_not_searched_for() -> None:
    for wanted in (Wanted(), Wanted(users=("b\u00fccher",)), Wanted(failed=True), Wanted(peers=("192.0.2.0/24",))):
        assert not choose_words(wanted, messages=False)
    assert not choose_words(Wanted(peers=("192.0.2.1",)), messages=True)
    assert not choose_words(Wanted(users=("ann",)), messages=True)
    assert not choose_words(Wanted(senders=("b\u00fccher@example.jp",)), messages=True)


def test_a_filter_that_leaves_much_is_no_reason_to_read_twice() -> None:
    block = ordinary(3000)
    words, wanted = Words((b"example.net",)), Wanted(senders=("example.net",))
    assert search(lambda look: map(look, (block,)), words, wanted, MOMENT) is None


def ordinary(number: int) -> bytes:
    """Return messages that nothing is wrong with."""
    return b"".join(
        b"Nov 24 10:00:00 mx postfix/smtpd[4711]: connect from out.example.net[192.0.2.9]\n"
        b"Nov 24 10:00:00 mx postfix/smtpd[4711]: %010X: client=out.example.net[192.0.2.9]\n"
        b"Nov 24 10:00:00 mx postfix/qmgr[4711]: %010X: from=<a%d@example.net>, size=1, nrcpt=1 (queue active)\n"
        b"Nov 24 10:00:00 mx postfix/qmgr[4711]: %010X: removed\n" % (at, at, at, at)
        for at in range(number)
    )
