"""Files of one log that was rotated are read as one: a session, a message and a secret go on over them."""

from __future__ import annotations

import gzip
import json
import os
import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pfremote import cli
from pfremote.run.log_files import Source
from pfremote.run.log_parts import join_parts
from tests.support.maillines import b64

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECORDED = ("sasl-bad-password-postfix-3.7", "outbound-greylisted-postfix-3.7", "hops-postfix-3.7", "held-postfix-3.7")
CAME = (
    "Nov 28 23:59:58 mx postfix/smtpd[201]: connect from client.example.jp[192.0.2.10]",
    "Nov 28 23:59:58 mx postfix/smtpd[201]: 4ABCDE1234: client=client.example.jp[192.0.2.10]",
    "Nov 28 23:59:58 mx postfix/cleanup[202]: 4ABCDE1234: message-id=<m1@example.jp>",
    "Nov 28 23:59:58 mx postfix/qmgr[203]: 4ABCDE1234: from=<a@example.jp>, size=300, nrcpt=1 (queue active)",
    "Nov 28 23:59:59 mx postfix/smtpd[201]: disconnect from client.example.jp[192.0.2.10] quit=1 commands=5",
    "Nov 28 23:59:59 mx postfix/smtp[204]: 4ABCDE1234: to=<b@example.org>, relay=mx.example.org[198.51.100.3]:25, "
    "delay=1, delays=0.1/0/0.4/0.5, dsn=4.2.0, status=deferred (host mx.example.org[198.51.100.3] said: "
    "450 4.2.0 <b@example.org>: Recipient address rejected: Greylisted (in reply to RCPT TO command))",
)
WENT = (
    "Nov 29 00:10:00 mx postfix/qmgr[203]: 4ABCDE1234: from=<a@example.jp>, size=300, nrcpt=1 (queue active)",
    "Nov 29 00:10:01 mx postfix/smtp[304]: 4ABCDE1234: to=<b@example.org>, relay=mx.example.org[198.51.100.3]:25, "
    "delay=603, delays=602/0/0.4/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 99887766AA)",
    "Nov 29 00:10:01 mx postfix/qmgr[203]: 4ABCDE1234: removed",
)
WRITTEN = datetime(2026, 11, 29, 1, tzinfo=UTC).timestamp()


def write(path: Path, lines: Sequence[str], written: float = WRITTEN) -> str:
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    os.utime(path, (written, written))
    return str(path)


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["explain", *words]) == 0
    return capsys.readouterr().out


def events(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in explain(capsys, "--json", *words).splitlines()]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """Return the events without what says where in which file a line stands."""
    without = ("time", "log", "file", "line")
    return [{name: value for name, value in event.items() if name not in without} for event in events(capsys, *words)]


def joined(*paths: str) -> list[list[str]]:
    """Return the names of the files of each log."""
    return [
        [Path(file.path).name for file in source.files]
        for source in join_parts([Source(Path(path).name, path) for path in paths])
    ]


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_a_log_in_two_files_reads_as_in_one(
    name: str, packed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (FIXTURES / f"{name}.log").read_text().splitlines()
    whole = write(tmp_path / "whole.log", lines)
    expected = told(capsys, whole)
    for cut in range(1, len(lines), max(1, len(lines) // 7)):
        old = write(tmp_path / f"mail.log.1{packed}", lines[:cut])
        new = write(tmp_path / "mail.log", lines[cut:])
        assert told(capsys, new, old) == expected, cut


def test_a_message_that_was_put_off_yesterday_and_sent_today_is_one_story(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = write(tmp_path / "mail.log.1", CAME), write(tmp_path / "mail.log", WENT)
    for words in ((new, old, "--all"), (old, new, "--queue-id", "4ABCDE1234")):
        out = " ".join(explain(capsys, *words).split())
        assert "=> put off" not in out
        assert out.count("Message from") == 1
        assert "It was delivered 10 min 2 s later." in out
        assert f"{old}(lines1to6),{new}(fromline7on)" in out.replace(" ", "")


def test_an_event_says_in_which_file_its_line_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = write(tmp_path / "mail.log.1", WENT[:1]), write(tmp_path / "mail.log", WENT[1:2])
    put_off = write(tmp_path / "mail.log", [*WENT[1:], re.sub("Nov 28 23:59:59", "Nov 29 00:20:00", CAME[5])])
    (finding,) = [event for event in events(capsys, old, put_off) if event["event"] == "finding"]
    assert (finding["log"], finding["file"], finding["line"]) == (new, new, 3)


def test_a_secret_of_one_file_is_masked_in_the_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = "mx postfix/smtpd[201]:"
    old = [
        f"Nov 28 23:59:58 {head} connect from client.example.jp[192.0.2.10]",
        f"Nov 28 23:59:58 {head} < client.example.jp[192.0.2.10]: AUTH PLAIN {b64(chr(0) + 'alice' + chr(0) + 'Zx9-kLmq77')}",
    ]
    new = [
        f"Nov 29 00:00:01 {head} some_function: Zx9-kLmq77",
        f"Nov 29 00:00:02 {head} disconnect from client.example.jp[192.0.2.10] auth=1 commands=1",
    ]
    words = (write(tmp_path / "mail.log.1", old), write(tmp_path / "mail.log", new), "--all", "--format", "json")
    assert "Zx9-kLmq77" not in explain(capsys, *words)


def test_which_files_are_one_log(tmp_path: Path) -> None:
    old, new = write(tmp_path / "mail.log.1", CAME), write(tmp_path / "mail.log", WENT)
    assert joined(new, old) == [["mail.log.1", "mail.log"]]
    assert joined(old) == [["mail.log.1"]]
    # Another name, the same host: a colleague's copies.
    assert joined(write(tmp_path / "today", WENT), old) == [["mail.log.1", "today"]]
    # Another host.
    other = write(tmp_path / "mail.log.0", [line.replace(" mx ", " mx2 ") for line in WENT])
    assert joined(other, old) == [["mail.log.0"], ["mail.log.1"]]
    # The same time twice: two daemons of a host that log into files of their own.
    both = write(tmp_path / "mail.warn", [CAME[5], WENT[1]])
    assert joined(old, both, new) == [["mail.log.1", "mail.log"], ["mail.warn"]]
    # No host in the lines: only the names tell.
    bare = [re.sub(" mx ", " ", line) for line in WENT]
    first = write(tmp_path / "docker.log-20261128.gz", [re.sub(" mx ", " ", line) for line in CAME])
    assert joined(write(tmp_path / "docker.log", bare), first) == [["docker.log-20261128.gz", "docker.log"]]
    assert joined(write(tmp_path / "other.log", bare), first) == [["other.log"], ["docker.log-20261128.gz"]]


def test_the_host_that_was_named_decides(tmp_path: Path) -> None:
    old, new = write(tmp_path / "a", CAME), write(tmp_path / "b", WENT)
    named = [Source("mx1", old, named=True), Source("mx2", new, named=True)]
    assert join_parts(named) == tuple(named)
    (one,) = join_parts([Source("mx1", old, named=True), Source("mx1", new, named=True)])
    assert (one.host, one.path, one.named, len(one.parts)) == ("mx1", new, True, 2)


def test_a_file_of_another_year_is_dated_by_itself(tmp_path: Path) -> None:
    """The newer file would date its stamps into the year that its own time denies."""
    old = write(tmp_path / "mail.log.1", CAME, datetime(2024, 11, 29, tzinfo=UTC).timestamp())
    assert joined(old, write(tmp_path / "mail.log", WENT)) == [["mail.log.1"], ["mail.log"]]


def test_of_a_busy_second_the_higher_number_is_older(tmp_path: Path) -> None:
    lines = [WENT[1].replace("00:10:01", "00:10:00")]
    paths = [write(tmp_path / name, lines) for name in ("mail.log", "mail.log.1", "mail.log.2.gz", "mail.log.10")]
    assert joined(*paths) == [["mail.log.10", "mail.log.2.gz", "mail.log.1", "mail.log"]]


def test_a_pipe_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was looked at cannot be read again."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("".join(f"{line}\n" for line in CAME)))
    writer.start()
    out = explain(capsys, write(tmp_path / "mail.log", WENT), str(pipe))
    writer.join()
    assert "2 logs read" in out


def test_a_damaged_file_is_told_and_the_others_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = Path(write(tmp_path / "mail.log.1.gz", CAME))
    old.write_bytes(old.read_bytes()[:-20])
    assert cli.main(["explain", str(old), write(tmp_path / "mail.log", WENT)]) == 4
    shown = capsys.readouterr()
    assert "mail.log.1.gz is damaged" in shown.err
    assert "1 log read" in shown.out


def test_what_several_files_of_a_host_hold_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Debian's rsyslog wrote mail.info and mail.warn beside mail.log for years."""
    lines = [*CAME, *WENT]
    paths = [write(tmp_path / name, lines) for name in ("mail.log", "mail.info")]
    paths.append(write(tmp_path / "mail.warn", CAME[5:]))
    (alone,), *others = (
        [event for event in events(capsys, *words) if event["event"] == "message"]
        for words in ((paths[0],), paths, paths[::-1], (paths[2], paths[0]))
    )
    for (message,) in others:
        assert [strip(hop) for hop in message["hops"]] == [strip(hop) for hop in alone["hops"]]
        assert {**message, "hops": 0, "time": 0} == {**alone, "hops": 0, "time": 0}


def strip(hop: dict[str, Any]) -> dict[str, Any]:
    return {**hop, "tries": [{**item, "line": 0} for item in hop["tries"]]}


def test_a_sender_that_the_log_does_not_tell_is_no_bounce(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "mail.log", CAME[5:])
    assert "Message to b@example.org\n" in explain(capsys, path, "--all")
    (message,) = [event for event in events(capsys, path) if event["event"] == "message"]
    assert message["sender"] is None
    bounce = CAME[3].replace("from=<a@example.jp>", "from=<>")
    path = write(tmp_path / "mail.log", [bounce, CAME[5]])
    assert "Message from <> to b@example.org\n" in explain(capsys, path, "--all")


def test_an_id_that_is_used_again_is_another_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = [line.replace("Nov 28 23:59", "Nov 29 00:11").replace("m1@", "m2@") for line in CAME]
    paths = [write(tmp_path / "mail.log.1", [*CAME, *WENT]), write(tmp_path / "mail.log", again)]
    named = [f"mx={path}" for path in paths]
    messages = [event for event in events(capsys, *named) if event["event"] == "message"]
    assert [message["message_id"] for message in messages] == ["<m1@example.jp>", "<m2@example.jp>"]
