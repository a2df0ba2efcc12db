"""The whole pipeline: bytes of a log in, what may be shown out."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.sessions.build import Session
from pfremote.maillog.transcripts.render import render_text
from tests.support.recorder.expect import FIXTURES, NOW, recorded

#: Every password that the recorder and the debug fixture use, as they appear on the wire and in clear.
PASSWORDS = ("R1ght-Passw0rd", "Wr0ng-Passw0rd", "Wr0ng-Relay-Pw", "S3cretPW", "RelayPassw0rd")


def everyone(_session: Session) -> bool:
    return True


def read(*names: str, address: str = "") -> Capture:
    data = b"".join((FIXTURES / f"{name}.log").read_bytes() for name in names)

    def match(session: Session) -> bool:
        return address in ("", session.peer_address)

    return read_capture(data, now=NOW, utc_offset=timedelta(0), match=match)


def spellings(password: str) -> list[str]:
    """The password in clear, and the middles of its three base64 alignments."""
    middles = [b64encode(b"\0" * shift + password.encode())[4:-4].decode() for shift in range(3)]
    return [password, *middles]


@pytest.mark.parametrize("path", [*recorded(), FIXTURES / "postfix-3.7-debug.log"], ids=lambda path: path.stem)
def test_no_password_leaves(path: Path) -> None:
    capture = read(path.stem)
    shown = capture.evidence_text() + "".join(render_text(transcript) for transcript in capture.transcripts)
    shown += repr(capture.findings) + repr(capture.exposures) + repr(capture.withheld)
    leaked = [text for password in PASSWORDS for text in spellings(password) if text in shown]
    assert leaked == []


def test_a_host_with_two_clients_shows_only_the_one_asked_for() -> None:
    capture = read("relay-denied-postfix-3.7", "rdns-mismatch-postfix-3.7", address="192.0.2.11")
    assert [session.peer for session in capture.sessions] == ["unknown[192.0.2.11]"]
    assert "192.0.2.10]" not in capture.evidence_text()
    assert {finding.code for finding in capture.findings} == {"policy.rdns", "policy.rdns-mismatch"}
    assert capture.counts.other_sessions == 1
    assert capture.counts.other_lines + len(capture.records) == capture.counts.lines


def test_the_evidence_is_lines_of_the_log_in_its_order() -> None:
    capture = read("relay-denied-postfix-3.7")
    assert capture.evidence_bytes() == (FIXTURES / "relay-denied-postfix-3.7.log").read_bytes()
    assert capture.counts.bytes == len(capture.evidence_bytes())


def test_redaction_takes_nothing_from_transcripts_and_findings_but_secrets() -> None:
    capture = read("sasl-bad-password-postfix-3.7")
    (transcript,) = capture.transcripts
    assert [(s.mechanism, s.user, s.outcome) for s in transcript.sasl] == [("PLAIN", "user@example.jp", "refused")]
    assert [finding.code for finding in capture.findings] == ["auth.bad-credentials"]


def test_an_exposed_account_is_named_with_its_line() -> None:
    capture = read("sasl-accepted-postfix-3.7")
    assert "user@example.jp" in {exposure.account for exposure in capture.exposures}
    kept = {record.number for record in capture.records}
    assert all(exposure.line in kept for exposure in capture.exposures)


def test_the_credentials_of_a_session_that_is_not_shown_are_listed_all_the_same() -> None:
    """The clear text lies in the host's log, whoever was asked for."""
    capture = read("sasl-accepted-postfix-3.7", "rdns-mismatch-postfix-3.7", address="192.0.2.11")
    assert {exposure.account for exposure in capture.exposures} >= {"user@example.jp"}
    assert capture.counts.other_exposures == len(capture.exposures) > 0


def test_lines_without_time_are_counted_and_not_shown() -> None:
    capture = read_capture(
        b"who wrote this?\n", now=datetime(2026, 1, 1, tzinfo=UTC), utc_offset=timedelta(0), match=everyone
    )
    assert (capture.counts.lines, capture.counts.undated, capture.records) == (1, 1, ())


def test_journal_and_syslog_stamps_read_the_same() -> None:
    data = (FIXTURES / "relay-denied-postfix-3.7.log").read_bytes().decode()
    seconds = datetime(2026, 11, 24, 5, 1, 56, tzinfo=UTC).timestamp()
    journal = re.sub(r"^\w{3} \d\d \d\d:\d\d:\d\d", f"{seconds:.6f}", data, flags=re.MULTILINE)
    plain = read("relay-denied-postfix-3.7")
    other = read_capture([journal.encode()], now=NOW, utc_offset=timedelta(hours=9), match=everyone)
    assert [t.turns for t in other.transcripts] == [t.turns for t in plain.transcripts]
