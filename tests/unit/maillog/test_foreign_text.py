"""What strangers wrote into a line is no cause: a subject, an address, a HELO name, a command, a filter's words."""

from __future__ import annotations

import pytest

from pfremote.maillog.findings import explain
from pfremote.maillog.parse.record import Record
from tests.support.message_table import read_table, sample
from tests.unit.maillog.test_findings import found_in_lines

_REJECT = "NOQUEUE: reject: RCPT from c.example.net[192.0.2.7]: 554 5.7.1 <b@example.org>: Relay access denied; "
_CHECK = " from c.example.net[192.0.2.7]; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<c>"
_STATUS = "relay=local, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced "
#: The daemon, a line with a place for a stranger's words, and the code that it has whatever they are.
PLACES = [
    ("cleanup", "5AB0C11D22E: message-id=<{}>", ""),
    ("cleanup", "5AB0C11D22E: resent-message-id=<{}>", ""),
    ("cleanup", "5AB0C11D22E: reject: header Subject: {}" + _CHECK + ": 5.7.1 no", "policy.content"),
    ("cleanup", "5AB0C11D22E: reject: body {}" + _CHECK + ": 5.7.1 no", "policy.content"),
    ("cleanup", "5AB0C11D22E: warning: header Subject: {}" + _CHECK, "policy.content-warned"),
    ("cleanup", "5AB0C11D22E: hold: header Subject: {}" + _CHECK, "disposition.held"),
    ("cleanup", "5AB0C11D22E: info: header Subject: {}" + _CHECK, ""),
    ("cleanup", "5AB0C11D22E: prepend: header Subject: {}" + _CHECK + ": X-Tag: 1", ""),
    ("smtp", "5AB0C11D22E: replace: header Subject: {}: Subject: other", ""),
    ("qmgr", '5AB0C11D22E: from=<"{}"@example.net>, size=812, nrcpt=1 (queue active)', ""),
    ("qmgr", '5AB0C11D22E: from=<"{}"@example.net>, status=expired, returned to sender', "delivery.expired"),
    ("pickup", "5AB0C11D22E: uid=1000 from=<{}>", ""),
    ("smtpd", "5AB0C11D22E: client=c.example.net[192.0.2.7], sasl_method=PLAIN, sasl_username={}", ""),
    ("smtpd", _REJECT + 'from=<"{}"@example.net> to=<b@example.org> proto=ESMTP helo=<c>', "policy.relay-denied"),
    ("smtpd", _REJECT + "from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<{}>", "policy.relay-denied"),
    ("local", '5AB0C11D22E: to=<"{}"@example.org>, ' + _STATUS + '(unknown user: "b")', "local.unknown-user"),
    ("pipe", "5AB0C11D22E: to=<b@example.org>, " + _STATUS + "(service unavailable. Command output: {} )", "local."),
    ("smtpd", "warning: non-SMTP command from c.example.net[192.0.2.7]: Subject: {}", "policy."),
    ("smtpd", "improper command pipelining after DATA from c.example.net[192.0.2.7]: {}", "policy.pipelining"),
    ("smtpd", "warning: Illegal address syntax from c.example.net[192.0.2.7] in MAIL command: <{}>", "policy."),
    ("postscreen", "PREGREET 30 after 0.1 from [192.0.2.7]:40404: EHLO {}", "screen.pregreet"),
    ("postscreen", "NON-SMTP COMMAND from [192.0.2.7]:40404 after CONNECT: {}", "screen.protocol"),
    ("postscreen", "COMMAND PIPELINING from [192.0.2.7]:40404 after MAIL: {}", "screen.protocol"),
    (
        "smtpd",
        "NOQUEUE: milter-reject: END-OF-MESSAGE from c.example.net[192.0.2.7]: 5.7.1 {}; from=<a@example.net> "
        "to=<b@example.org> proto=ESMTP helo=<c>",
        "policy.",
    ),
]


def _hostile() -> list[str]:
    """Return one of Postfix's own messages for each cause that its sources lead to."""
    samples = {message.decision: sample(message) for message in read_table() if not message.reason}
    words = [sample.replace(";", ",") for sample in samples.values()]
    return [*words, "fips", "reindex", "error:0A000102:SSL routines::unsupported protocol", "lots of deferred mail"]


@pytest.mark.parametrize(("daemon", "line", "code"), PLACES, ids=lambda place: place[:40])
def test_a_strangers_words_are_no_cause(daemon: str, line: str, code: str) -> None:
    for words in _hostile():
        text = line.format(words)
        record = Record(1, None, "mx", f"postfix/{daemon}", daemon, 1, "", text)
        said = explain(record, text)
        assert all(found.startswith(code or "-") for found in said) and bool(said) is bool(code), (words, said)
        assert explain(record, f"{daemon}: {text}") == said  # as a transcript of another daemon shows it


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("smtp: warning: unknown group name: mailnull", [("unknown.warning", "unknown")]),
        ("pipe: fatal: get_service_attr: unknown group: mail", [("process.setting", "proven")]),
        ("cleanup: warning: milter inet:127.0.0.1:8891: bad packet length: 99", [("policy.milter-protocol", "proven")]),
        (
            "postscreen: warning: haproxy read: unsupported network protocol",
            [("frontdoor.proxy-protocol-family", "proven")],
        ),
    ],
)
def test_words_of_the_tls_library_mean_something_else_in_other_lines(line: str, wanted: list[tuple[str, str]]) -> None:
    assert found_in_lines(line) == wanted
