"""One log as real programs laid it out (tests/support/recorder/layouts.py): the same sessions and findings come out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.parse.layouts import LayoutReader
from pfremote.maillog.parse.nameless import DaemonNames
from pfremote.run.log_files import read_blocks

FOLDER = Path(__file__).parents[2] / "fixtures/layouts"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
#: journalctl prints no time that is one of the calendar.
UNDATED = {"journalctl-short-monotonic", "journalctl-short-delta"}
#: journalctl prints the text alone: no process, so no session.
BARE = {"journalctl-cat"}
#: busybox says when it starts and ends, compose which containers it shows.
MORE = {"busybox-syslogd": 2, "compose-logs": 1, "compose-logs-t": 1}
NAMES = sorted(path.stem for path in FOLDER.glob("*.log"))
LAYOUTS = {
    "compose-logs": "compose",
    "compose-logs-t": "compose",
    "docker-json-file": "docker json-file",
    "docker-logs-t": "docker -t",
    "journalctl-export": "journalctl -o export",
    "journalctl-json": "journalctl -o json",
    "journalctl-json-pretty": "journalctl -o json-pretty",
    "journalctl-json-sse": "journalctl -o json-sse",
    "journalctl-json-seq": "journalctl -o json-seq",
    "journalctl-verbose": "journalctl -o verbose",
    "podman-k8s-file": "cri",
    "podman-logs-t": "docker -t",
    "rsyslog-json": "rsyslog JSON",
    "rsyslog-jsonmesg": "rsyslog JSON",
    "syslog-ng-json": "syslog-ng JSON",
    "syslog-ng-json-dates": "syslog-ng JSON",
}


@cache
def read(name: str) -> tuple[Capture, LayoutReader]:
    layouts = LayoutReader()
    with (FOLDER / f"{name}.log").open("rb") as stream:
        blocks = read_blocks(stream, layouts, lambda _done: None)
        return read_capture(blocks, now=NOW, utc_offset=timedelta(), match=None), layouts


def tell(capture: Capture) -> list[object]:
    """Return all that is told of the sessions and findings, but the times."""
    sessions = [(item.kind, item.peer, item.queue_ids, item.verbose, item.cut) for item in capture.sessions]
    turns = [(turn.who, turn.text) for item in capture.transcripts for turn in item.turns]
    findings = [
        (item.code, item.certainty, item.session, item.proof.text.strip(), item.count) for item in capture.findings
    ]
    return [sessions, turns, findings]


def test_the_plain_one_has_a_delivery_a_wrong_password_and_a_refusal() -> None:
    capture, layouts = read("rsyslog-traditional")
    assert [session.kind for session in capture.sessions] == ["smtpd"] * 3
    assert [finding.code for finding in capture.findings] == ["auth.bad-credentials", "policy.relay-denied"]
    assert len(capture.transcripts[2].turns) > 20
    assert layouts.seen == {"syslog": len(capture.records)}


def test_all_kinds_of_programs_are_there() -> None:
    assert len(NAMES) >= 30
    programs = {"busybox", "compose", "docker", "journalctl", "podman", "rsyslog", "syslog"}
    assert {name.partition("-")[0] for name in NAMES} == programs


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BARE])
def test_it_reads_as_the_plain_one(name: str) -> None:
    plain, (capture, layouts) = read("rsyslog-traditional")[0], read(name)
    assert tell(capture) == tell(plain)
    lines = plain.counts.lines
    assert capture.counts.lines == lines + MORE.get(name, 0)
    assert layouts.seen == Counter({LAYOUTS.get(name, "syslog"): lines}) + Counter(syslog=MORE.get(name, 0))
    assert capture.counts.undated == (lines if name in UNDATED else MORE.get(name, 0))
    assert [record.daemon for record in capture.records if record.tag] == [record.daemon for record in plain.records]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in UNDATED | BARE])
def test_its_sessions_began_when_they_did(name: str) -> None:
    for session, plain in zip(read(name)[0].sessions, read("rsyslog-traditional")[0].sessions, strict=True):
        assert session.started is not None and plain.started is not None
        assert abs(session.started - plain.started) < timedelta(seconds=1)


def test_of_bare_text_what_single_lines_say_is_found() -> None:
    capture, _ = read("journalctl-cat")
    assert {"auth.bad-credentials", "policy.relay-denied"} <= {finding.code for finding in capture.findings}
    assert capture.sessions == ()


def one(*lines: str) -> list[str]:
    layouts = LayoutReader()
    return [*layouts.read(lines), *layouts.finish()]


def test_a_binary_value_of_an_export_is_its_bytes_whatever_they_are() -> None:
    data = b"NOQUEUE: \x01\nMESSAGE=x\n\n_PID=1\xff"
    entry = b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1764000000000000\nSYSLOG_IDENTIFIER=postfix/smtpd\nMESSAGE\n"
    entry += len(data).to_bytes(8, "little") + data + b"\n_PID=7\n\n"
    lines = entry.decode("utf-8", "surrogateescape").split("\n")
    (line,) = one(*lines[:-1])
    assert line.endswith(" - postfix/smtpd[7]: NOQUEUE: \x01 MESSAGE=x  _PID=1\udcff")


def test_what_only_looks_like_an_entry_stays_as_it_is() -> None:
    broken = ["{", '\t"MESSAGE" : ', "}", "{", "a line that is not indented"]
    assert one(*broken) == broken


def test_a_value_of_several_lines_in_a_verbose_entry_is_one_line() -> None:
    head = "Sun 2026-11-29 08:04:48.111920 UTC [s=1;i=49;b=3;m=5;t=66165bf3a2e82;x=c]"
    fields = ["    SYSLOG_IDENTIFIER=postfix/smtpd", "    MESSAGE=a", "            b", "    _PID=7"]
    assert one(head, *fields, "Nov 29 08:04:49 mx postfix/smtpd[7]: c") == [
        "2026-11-29T08:04:48.116354Z - postfix/smtpd[7]: a b",
        "Nov 29 08:04:49 mx postfix/smtpd[7]: c",
    ]


def test_parts_of_a_line_are_put_together_each_stream_on_its_own() -> None:
    at = "2026-11-24T02:13:49.1Z"
    text = "postfix/smtpd[7]: < a[192.0.2.1]: AUTH PLAIN AGFsaWNl"
    lines = [f"{at} stdout P {text[:40]}", f"{at} stderr F other", f"{at} stdout P {text[40:44]}"]
    assert one(*lines, f"{at} stdout F {text[44:]}") == ["other", f"{at} - {text}"]
    assert one(*lines) == ["other", f"{at} - {text[:44]}"]


NAMELESS = (
    ("7", "connect from a[192.0.2.1]", "smtpd"),
    ("7", "match_hostname: a ~? 10.0.0.0/8", "smtpd"),
    ("7", "warning: connect to private/policy: No such file or directory", "smtpd"),
    ("7", "connect to 127.0.0.1:10023: Connection refused", "smtpd"),
    ("8", "3A1B2C3D4E: message-id=<1@example.jp>", "cleanup"),
    ("9", "3A1B2C3D4E: from=<a@example.jp>, size=1, nrcpt=1 (queue active)", "qmgr"),
    ("9", "3A1B2C3D4E: removed", "qmgr"),
    ("10", "connect to b.example.net[198.51.100.1]:25: Connection timed out", "smtp"),
    ("11", "3A1B2C3D4E: to=<b@example.net>, relay=b.example.net[198.51.100.1]:25, delay=1, dsn=2.0.0, status=sent", "smtp"),
    ("12", "3A1B2C3D4E: to=<b@example.net>, relay=mx[private/dovecot-lmtp], delay=1, dsn=2.0.0, status=sent", "lmtp"),
    ("13", "3A1B2C3D4E: to=<b@example.jp>, orig_to=<c@example.jp>, relay=local, delay=1, status=sent", "local"),
    ("14", "3A1B2C3D4E: sender non-delivery notification: 4A1B2C3D4E", "bounce"),
    ("15", "3A1B2C3D4E: uid=0 from=<root>", "pickup"),
    ("16", "> b.example.net[198.51.100.1]:25: EHLO mx", "smtp"),
    ("7", "3A1B2C3D4F: uid=0 from=<root>", "pickup"),
)  # fmt: skip


def test_the_daemon_is_told_by_what_its_process_says() -> None:
    names = DaemonNames()
    for pid, text, daemon in NAMELESS:
        line = f"Nov 24 02:13:49 mx postfix[{pid}]: {text}"
        assert names.complete(line) == f"Nov 24 02:13:49 mx postfix/{daemon}[{pid}]: {text}"


def test_the_space_that_rsyslog_leaves_before_the_text_is_none_of_it() -> None:
    line = "<22>1 2026-11-29T08:04:48.116666+00:00 mx postfix/smtpd 7 - -  connect from a[192.0.2.1]"
    (record,) = read_capture(f"{line}\n".encode(), now=NOW, utc_offset=timedelta(), match=None).records
    assert (record.daemon, record.text) == ("smtpd", "connect from a[192.0.2.1]")


def test_of_a_daemon_that_cannot_be_told_the_line_stays_as_it_is() -> None:
    for line in (
        "Nov 24 02:13:49 mx postfix[7]: warning: something",
        "Nov 24 02:13:49 mx postfix/smtpd[7]: < a[192.0.2.1]: x postfix[8]: connect from b[192.0.2.2]",
        "Nov 24 02:13:49 mx cron[7]: postfix[8]: connect from b[192.0.2.2]",
    ):
        assert DaemonNames().complete(line) == line


def test_a_block_that_lacks_names_does_not_pass_as_it_is() -> None:
    assert not LayoutReader().passes(b"Nov 24 02:13:49 mx postfix[7]: connect from a[192.0.2.1]\n")
