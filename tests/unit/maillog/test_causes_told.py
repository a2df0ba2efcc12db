"""Whom a finding is about and what was answered, over recorded logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.causes import list_causes, number_lines
from pfremote.maillog.parties import list_recipients, list_senders
from pfremote.model.cause import Cause

FIXTURES = Path(__file__).parents[2] / "fixtures"
US, SOMEONE = "user@example.jp", "user@local.example.jp"


def read(name: str) -> Capture:
    log = (FIXTURES / f"{name}-postfix-3.7.log").read_bytes()
    return read_capture(log, now=datetime(2026, 12, 1, tzinfo=UTC), utc_offset=timedelta(0), match=None)


@pytest.mark.parametrize(
    ("name", "code", "account", "sender", "recipient", "answer"),
    [
        ("relay-denied", "policy.relay-denied", "", US, "someone@elsewhere.example.net", "554 5.7.1 <someone@elsew"),
        ("sasl-bad-password", "auth.bad-credentials", US, "", "", "535 5.7.8 Error: authentication failed"),
        ("outbound-greylisted", "delivery.greylisted", "", US, "someone@greylist.example.jp", "450 4.2.0 Greylisted"),
        ("outbound-refused", "delivery.refused", "", "", "someone@refused.example.jp", ""),
        ("sasl-mechanism-not-offered", "auth.mechanism-not-offered", "", "", "", "535 5.7.8 Error"),
        # A reply names the form of a command, not a sender.
        ("command-syntax", "session.command-syntax", "", "", "", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        # The reason of a block list stands behind a semicolon.
        (
            "rbl-listed",
            "policy.rbl",
            "",
            US,
            SOMEONE,
            "554 5.7.1 Service unavailable; Client host [192.0.2.13] blocked",
        ),
        # A slow client was not answered by what it did later.
        ("hops", "session.slow", "", US, SOMEONE, ""),
        ("hops", "limit.hops", "", US, SOMEONE, "554 5.4.0 Error: too many hops"),
    ],
)
def test_a_cause_names_whom_it_is_about(
    name: str, code: str, account: str, sender: str, recipient: str, answer: str
) -> None:
    (cause,) = [cause for cause in list_causes(read(name)) if cause.code == code]
    assert (cause.account, cause.sender, cause.recipient) == (account, sender, recipient)
    assert cause.answer.startswith(answer) and bool(cause.answer) is bool(answer)
    assert Cause.from_json(cause.as_json()) == cause


def test_the_parties_of_a_session_are_those_of_its_commands() -> None:
    (transcript,) = read("command-syntax").transcripts
    assert (list_senders(transcript), list_recipients(transcript)) == ([], [])
    (transcript,) = read("relay-denied").transcripts
    assert (list_senders(transcript), list_recipients(transcript)) == ([US], ["someone@elsewhere.example.net"])


def test_a_place_in_the_evidence_is_that_of_the_line() -> None:
    capture = read("relay-denied")
    (cause,) = list_causes(capture, number_lines(capture))
    assert "Relay access denied" in capture.evidence_text().splitlines()[cause.line - 1]


def test_a_warning_that_no_rule_knows_is_not_told_with_the_answer_to_something_else() -> None:
    texts = (
        "connect from a[192.0.2.1]",
        "warning: the moon is full",
        "< a[192.0.2.1]: MAIL FROM:<user@example.jp>",
        "> a[192.0.2.1]: 250 2.1.0 Ok",
        "< a[192.0.2.1]: RCPT TO:<bob@elsewhere.test>",
        "NOQUEUE: reject: RCPT from a[192.0.2.1]: 554 5.7.1 <bob@elsewhere.test>: Relay access denied; "
        "from=<user@example.jp> to=<bob@elsewhere.test> proto=SMTP helo=<a>",
        "> a[192.0.2.1]: 554 5.7.1 <bob@elsewhere.test>: Relay access denied",
        "< a[192.0.2.1]: XYZ",
        "> a[192.0.2.1]: 555 not in this phase of the moon",
        "disconnect from a[192.0.2.1] mail=1 rcpt=0/1 unknown=0/1 commands=1/3",
    )
    log = "".join(f"Nov 24 02:13:49 mx postfix/smtpd[7]: {text}\n" for text in texts).encode()
    capture = read_capture(log, now=datetime(2026, 12, 1, tzinfo=UTC), utc_offset=timedelta(0), match=None)
    answers = {cause.code: cause.answer for cause in list_causes(capture)}
    assert answers["policy.relay-denied"].startswith("554 5.7.1")
    assert answers["unknown.warning"] == ""
    assert answers["unknown.refused"] == "555 not in this phase of the moon"
