"""One recording in every layout that other programs make of it: the same sessions and findings come out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.parse.layouts import LayoutReader
from pfremote.maillog.parse.lines import parse_line

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECORDING = (FIXTURES / "relay-denied-postfix-3.7.log").read_text().splitlines()
NOW = datetime(2026, 11, 25, tzinfo=UTC)

_RECORDS = [parse_line(line, number, now=NOW) for number, line in enumerate(RECORDING, 1)]
_WHEN = [record.time for record in _RECORDS if record.time is not None]
assert len(_WHEN) == len(_RECORDS)


def each(make: Callable[[datetime, str, int, str, str], str]) -> list[str]:
    """Write the recording in a layout: from its time, tag, pid, text and whole line."""
    return [
        make(when, record.tag, record.pid or 0, record.text, line)
        for when, record, line in zip(_WHEN, _RECORDS, RECORDING, strict=True)
    ]


def tai(when: datetime) -> str:
    return f"@{2**62 + 10 + int(when.timestamp()):016x}{0:08x}"


LAYOUTS = {
    "syslog": each(lambda _when, _tag, _pid, _text, line: line),
    "Windows line ends": [f"{line}\r" for line in RECORDING],
    "a byte order mark": ["\ufeff" + RECORDING[0], *RECORDING[1:]],
    "quoted mail": [f"> {line}" for line in RECORDING],
    "compose": [f"mail-1  | {line}" for line in RECORDING],
    "compose with stamps": each(lambda when, _t, _p, _x, line: f"mail-1  | {when:%Y-%m-%dT%H:%M:%S}.123456789Z {line}"),
    "cri": each(lambda when, tag, pid, text, _l: f"{when:%Y-%m-%dT%H:%M:%S}.1234567Z stdout F {tag}[{pid}]: {text}"),
    "docker -t": each(lambda when, tag, pid, text, _l: f"{when:%Y-%m-%dT%H:%M:%S}.123456789Z {tag}[{pid}]: {text}"),
    "kubectl --prefix": [f"[pod/mail-0/postfix] {line}" for line in RECORDING],
    "kubectl --prefix --timestamps": each(
        lambda when, tag, pid, text, _l: (
            f"[pod/mail-0/postfix] {when:%Y-%m-%dT%H:%M:%S}.123456789Z {tag}[{pid}]: {text}"
        )
    ),
    "s6": each(lambda when, tag, pid, text, _l: f"{tai(when)} {tag}[{pid}]: {text}"),
    "supervisord": each(
        lambda when, _t, _p, _x, line: f"{when:%Y-%m-%d %H:%M:%S},123 DEBG 'postfix' stdout output: {line}"
    ),
    "RFC 5424": each(lambda when, tag, pid, text, _l: f"<22>1 {when:%Y-%m-%dT%H:%M:%S}.123Z mx {tag} {pid} - - {text}"),
    "docker json-file": each(
        lambda when, _t, _p, _x, line: json.dumps(
            {"log": f"{line}\n", "stream": "stdout", "time": f"{when:%Y-%m-%dT%H:%M:%S}.123456789Z"}
        )
    ),
    "journalctl -o json": each(
        lambda when, tag, pid, text, _l: json.dumps(
            {
                "__CURSOR": "s=1",
                "__REALTIME_TIMESTAMP": str(int(when.timestamp() * 1e6)),
                "_HOSTNAME": "mx",
                "SYSLOG_IDENTIFIER": tag,
                "_PID": str(pid),
                "MESSAGE": text,
            }
        )
    ),
    "rsyslog JSON": each(
        lambda when, tag, pid, text, _l: json.dumps(
            {
                "timestamp": f"{when:%Y-%m-%dT%H:%M:%S}+00:00",
                "host": "mx",
                "syslogtag": f"{tag}[{pid}]:",
                "msg": f" {text}",
            }
        )
    ),
    "syslog-ng JSON": each(
        lambda when, tag, pid, text, _l: json.dumps(
            {"DATE": f"{when:%b %e %H:%M:%S}", "HOST": "mx", "PROGRAM": tag, "PID": str(pid), "MESSAGE": text}
        )
    ),
    "journalctl -o export": [
        line
        for when, record in zip(_WHEN, _RECORDS, strict=True)
        for line in (
            "__CURSOR=s=1",
            f"__REALTIME_TIMESTAMP={int(when.timestamp() * 1e6)}",
            "_HOSTNAME=mx",
            f"SYSLOG_IDENTIFIER={record.tag}",
            f"_PID={record.pid}",
            f"MESSAGE={record.text}",
            "",
        )
    ],
}


def read(lines: list[str]) -> tuple[Capture, LayoutReader]:
    layouts = LayoutReader()
    texts = [*layouts.read(lines), *layouts.finish()]
    return read_capture(
        "".join(f"{text}\n" for text in texts).encode(), now=NOW, utc_offset=timedelta(), match=None
    ), layouts


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_comes_out_of_every_layout(name: str) -> None:
    capture, layouts = read(LAYOUTS[name])
    assert [session.peer for session in capture.sessions] == ["client.example.jp[192.0.2.10]"]
    assert [finding.code for finding in capture.findings] == ["policy.relay-denied"]
    assert [len(item.turns) for item in capture.transcripts] == [len(read(RECORDING)[0].transcripts[0].turns)]
    assert capture.counts.undated == 0
    assert sum(layouts.seen.values()) == len(RECORDING)


def test_a_line_of_json_that_is_no_log_entry_stays_as_it_is() -> None:
    layouts = LayoutReader()
    assert list(layouts.read(['{"a": 1}', "{", '{"msg": "no tag and no time"}'])) == [
        '{"a": 1}',
        "{",
        '{"msg": "no tag and no time"}',
    ]


def test_a_message_of_the_journal_that_is_no_utf8_comes_as_its_bytes() -> None:
    entry = {
        "__REALTIME_TIMESTAMP": "1764000000000000",
        "SYSLOG_IDENTIFIER": "postfix/smtpd",
        "_PID": "7",
        "MESSAGE": [99, 255, 110],
    }
    (line,) = LayoutReader().read([json.dumps(entry)])
    assert line.endswith("postfix/smtpd[7]: c\udcffn")


def test_what_a_client_says_is_never_taken_for_a_frame() -> None:
    line = "Nov 24 05:01:56 mx postfix/smtpd[7]: < a[192.0.2.1]: mail-1  | Nov 24 05:01:57 mx postfix/smtpd[8]: x"
    assert list(LayoutReader().read([line])) == [line]


def test_compressed_files_are_read(tmp_path: Path) -> None:
    from pfremote.run.log_files import Source, open_log

    path = tmp_path / "mail.log.1.gz"
    path.write_bytes(gzip.compress("\n".join(RECORDING).encode()))
    with open_log(Source("mx", str(path))) as stream:
        assert stream.read().decode().splitlines() == RECORDING


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_block_that_passes_as_it_is_needs_nothing_taken_off(name: str) -> None:
    for line in LAYOUTS[name]:
        slow, fast = LayoutReader(), LayoutReader()
        if fast.passes(f"{line}\n".encode("utf-8", "surrogateescape")):
            assert list(slow.read([line])) == [line]
            assert slow.seen == fast.seen


def test_plain_syslog_passes_as_it_is() -> None:
    block = "".join(f"{line}\n" for line in RECORDING)
    assert LayoutReader().passes(block.encode())
    assert not LayoutReader().passes(f"\ufeff{block}".encode())
    assert not LayoutReader().passes(block.replace("\n", "\r\n").encode())
    assert not LayoutReader().passes(f"{block}\n".encode())
    assert LayoutReader().passes(b"2026-11-24T10:00:00.12+02:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]\n")
    assert not LayoutReader().passes(b"2026-11-24T10:00:00.12+02:00 stdout F postfix/smtpd[1]: connect from a[::1]\n")
    assert not LayoutReader().passes(b"Nov 24 10:00:00 [postfix/smtpd] connect from a[192.0.2.1]\n")
    assert not LayoutReader().passes(b"2026-11-24T10:00:00+01:00 [1:mail1:postfix/smtpd] connect from a[192.0.2.1]\n")


def test_nethserver_shows_node_module_and_tag_in_brackets() -> None:
    status = (
        "5AB0C11D22E: to=<b@example.org>, relay=mx.example.org[/run/lmtp], delay=1, delays=1/0/0/0, dsn=5.6.7, "
        "status=bounced (SMTPUTF8 is required, but was not offered by host mx.example.org[/run/lmtp])"
    )
    lines = [
        f"2026-11-24T10:00:00+01:00 [1:mail1:postfix/lmtp] {status}",
        "2026-11-24T10:00:01+01:00 [1:mail1:rspamd] (normal) <5ab0c1>; task; no line of Postfix",
    ]
    reader = LayoutReader()
    log = "".join(f"{line}\n" for line in reader.read(lines)).encode()
    assert reader.seen == {"NethServer 8": 2}
    capture = read_capture(log, now=NOW, utc_offset=timedelta(0), match=None)
    (finding,) = capture.findings
    assert (finding.code, finding.proof.host, finding.proof.daemon) == ("delivery.smtputf8", "mail1", "lmtp")
    assert finding.proof.time == datetime(2026, 11, 24, 9, tzinfo=UTC)
