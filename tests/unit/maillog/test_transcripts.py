"""Session → transcript, on recorded logs and on single lines."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.sessions.build import build_sessions
from pfremote.maillog.transcripts.transcript import Transcript, build_transcript, render_text, to_json
from tests.support.recorder.expect import FIXTURES, NOW, describe, recorded


def transcripts(name: str) -> list[Transcript]:
    return transcripts_in(FIXTURES / f"{name}-postfix-3.7.log")


def transcripts_in(path: Path) -> list[Transcript]:
    data = path.read_bytes()
    found = build_sessions(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))
    return [build_transcript(session, found.followed) for session in found.sessions]


def of_lines(*lines: str) -> Transcript:
    data = "".join(f"{line}\n" for line in lines).encode()
    found = build_sessions(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))
    return build_transcript(found.sessions[0], found.followed)


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_recordings_read_as_expected(path: Path) -> None:
    assert describe(path) == path.with_suffix(".expected.txt").read_text()


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_every_session_can_be_written_as_json(path: Path) -> None:
    for transcript in transcripts_in(path):
        value = json.loads(json.dumps(to_json(transcript)))
        assert len(value["turns"]) + value["folded"] >= len(transcript.session.records)


def test_in_smtpd_the_received_lines_are_the_clients() -> None:
    (transcript,) = transcripts("relay-denied")
    said = [(turn.who, turn.text[:4]) for turn in transcript.turns if turn.who != "*"]
    assert said[:2] == [("S", "220 "), ("C", "EHLO")]


def test_in_smtp_we_are_the_client() -> None:
    (transcript,) = transcripts("outbound-sent")
    said = [(turn.who, turn.text[:4]) for turn in transcript.turns if turn.who != "*"]
    assert said[:2] == [("S", "220 "), ("C", "EHLO")]
    assert [delivery.status for delivery in transcript.deliveries] == ["sent"]


def test_names_the_restriction_and_the_table_entry_that_decided() -> None:
    (transcript,) = transcripts("client-access-rejected")
    check = transcript.checks[-1]
    assert (check.decision, check.restriction, check.key) == ("reject", "check_client_access", "192.0.2.10")
    assert check.result == "REJECT not from here"


def test_a_restriction_that_runs_others_is_named_once() -> None:
    (transcript,) = transcripts("sender-login-mismatch")
    assert [check.restriction for check in transcript.checks] == ["reject_sender_login_mismatch"]


def test_tls_and_sasl_facts_are_taken() -> None:
    (transcript,) = transcripts("sasl-accepted")
    assert [(tls.protocol, tls.trust) for tls in transcript.tls] == [("TLSv1.3", "Anonymous")]
    assert [(s.mechanism, s.user, s.outcome) for s in transcript.sasl] == [("PLAIN", "user@example.jp", "accepted")]


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("sasl-bad-password", "refused"),
        ("sasl-bad-password-login", "refused"),
        ("sasl-aborted", "aborted"),
        ("sasl-hung-up", "unfinished"),
        ("sasl-mechanism-not-offered", "refused"),
        ("outbound-sasl-refused", "refused"),
    ],
)
def test_the_end_of_authentication_is_known(name: str, outcome: str) -> None:
    (transcript,) = transcripts(name)
    assert [sasl.outcome for sasl in transcript.sasl] == [outcome]


def test_a_pause_is_shown_before_the_line_that_ended_it() -> None:
    transcript = of_lines(
        "2026-11-24T02:00:00.000000+00:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]",
        "2026-11-24T02:00:00.100000+00:00 mx postfix/smtpd[1]: > a[192.0.2.1]: 220 hi",
        "2026-11-24T02:00:12.600000+00:00 mx postfix/smtpd[1]: < a[192.0.2.1]: QUIT",
    )
    late = transcript.slowest
    assert late is not None
    assert (late.who, late.gap) == ("C", 12.5)
    assert "02:00:12.600   +12s C: QUIT" in render_text(transcript)


def test_repeated_lines_are_shown_once_with_their_number() -> None:
    transcript = of_lines(
        "Nov 24 02:13:49 mx postfix/smtpd[1]: connect from a[192.0.2.1]",
        "Nov 24 02:13:49 mx postfix/smtpd[1]: message repeated 3 times: [ > a[192.0.2.1]: 500 what?]",
    )
    assert transcript.turns[-1].count == 3
    assert "S: 500 what? (repeated 3 times)" in render_text(transcript)


def test_bytes_that_are_not_utf8_can_be_shown() -> None:
    transcript = of_lines("Nov 24 02:13:49 mx postfix/smtpd[1]: connect from a[192.0.2.1]")
    odd = b"Nov 24 02:13:49 mx postfix/smtpd[1]: connect from a[192.0.2.1]\n"
    odd += b"Nov 24 02:13:49 mx postfix/smtpd[1]: < a[192.0.2.1]: HELO \xff\n"
    found = build_sessions(parse_evidence(odd, now=NOW, utc_offset=timedelta(0)))
    render_text(build_transcript(found.sessions[0])).encode("utf-8")
    assert "incomplete: its end is not in the log" in render_text(transcript)
