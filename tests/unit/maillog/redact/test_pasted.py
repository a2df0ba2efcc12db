"""Secrets beside Postfix's own lines: a typed dialogue, a password table, Dovecot's and Courier's debug lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.redact import Redactor

SECRETS = ("aHVudGVyMg==", "hunter2x", "AG5vAGh1bnRlcjI=")
LOGGED = b"Nov 24 02:13:49 mx postfix/smtpd[7]: connect from c.example.net[192.0.2.7]\n"


def read(lines: str) -> str:
    """Return all lines of a log that has these in its middle, as they are shown."""
    data = LOGGED + lines.encode() + b"\n" + LOGGED
    redactor = Redactor()
    records = parse_evidence(data, now=datetime(2026, 11, 24, 3, tzinfo=UTC), utc_offset=timedelta(0))
    return "\n".join(record.head + redactor.redact(record).text for record in records)


@pytest.mark.parametrize(
    ("lines", "stays"),
    [
        ("334 UGFzc3dvcmQ6\naHVudGVyMg==\n535 5.7.8 Error", "535 5.7.8 Error"),
        ("S: 334 UGFzc3dvcmQ6\nC: aHVudGVyMg==\n", "334 UGFzc3dvcmQ6"),
        ("[relay.example.com]:587 user@example.net:hunter2x", "[relay.example.com]:587"),
        ("> relay.example.com  user:hunter2x", "relay.example.com"),
        (
            "Nov 24 02:13:49 mx dovecot: auth: Debug: client in: CONT#0111#011aHVudGVyMg== (previous base64)",
            "client in: CONT",
        ),
        ("Nov 24 02:13:49 mx dovecot: auth: Debug: client in: CONT\t1\taHVudGVyMg==", "client in: CONT"),
        (
            "Nov 24 02:13:49 mx dovecot: auth: Debug: client in: AUTH#0111#011PLAIN#011service=smtp#011resp=AG5vAGh1bnRlcjI= (x)",
            "service=smtp",
        ),
        (
            "Nov 24 02:13:49 mx authdaemond: supplied password 'hunter2x' does not match encrypted password",
            "does not match",
        ),
    ],
)
def test_what_stands_beside_postfixs_lines_is_masked(lines: str, stays: str) -> None:
    shown = read(lines)
    assert stays in shown
    assert [secret for secret in SECRETS if secret in shown] == []


def test_what_is_no_response_and_no_table_stays() -> None:
    kept = [
        "250 2.1.0 Ok",
        "quit",
        "see https://example.org/x",
        "mx.example.org says: hello there",
        "disable_vrfy_command = yes",
    ]
    shown = read("\n".join(kept))
    assert [line for line in kept if line not in shown] == []
