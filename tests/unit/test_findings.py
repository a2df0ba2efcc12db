"""Findings on recorded failures: the right cause, the right certainty, a proof that is in the log."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.recorder.expect import FIXTURES, NOW, recorded

from pfremote.maillog.findings import RULES, Finding, find
from pfremote.maillog.parse import parse_evidence
from pfremote.maillog.sessions import build_sessions
from pfremote.maillog.transcript import build_transcript

#: recording -> (code, certainty) of all that is to be found in it
CAUSES: dict[str, list[tuple[str, str]]] = {
    "client-access-rejected": [("policy.access", "proven")],
    "client-timeout": [("session.client-timeout", "proven")],
    "client-timeout-data": [("session.client-timeout", "proven")],
    "connection-count": [("limit.connections", "proven"), ("session.lost", "likely")],
    "connection-rate": [("limit.connections", "proven")],
    "content-rejected": [("policy.content", "proven")],
    "delivered-inbound": [],
    "disk-full": [("limit.disk-full", "proven")],
    "helo-invalid": [("policy.helo", "proven")],
    "helo-not-fqdn": [("policy.helo", "proven")],
    "helo-required": [("policy.helo-missing", "proven")],
    "lmtp-mailbox-full": [("delivery.mailbox-full", "proven")],
    "lmtp-no-socket": [("delivery.no-socket", "proven")],
    "lmtp-sent": [],
    "lost-connection-data": [("session.lost", "likely")],
    "lost-connection-rcpt": [("session.lost", "likely")],
    "milter-down": [("policy.milter-down", "proven")],
    "milter-rejected": [("policy.milter", "proven")],
    "outbound-bounced": [("delivery.unknown-recipient", "proven")],
    "outbound-busy": [("delivery.unwelcome", "proven")],
    "outbound-cached-connection": [],
    "outbound-connect-timeout": [("delivery.connect-timeout", "proven")],
    "outbound-content-deferred": [("delivery.deferred", "proven")],
    "outbound-dns-failure": [("delivery.dns-failed", "proven")],
    "outbound-domain-not-found": [("delivery.dns-not-found", "proven")],
    "outbound-greylisted": [("delivery.greylisted", "likely")],
    "outbound-host-not-found": [("delivery.dns-not-found", "proven")],
    "outbound-loops-back": [("delivery.loop", "proven")],
    "outbound-lost-connection": [("delivery.lost", "proven")],
    "outbound-mailbox-full": [("delivery.mailbox-full", "proven")],
    "outbound-no-route": [("delivery.no-route", "proven")],
    "outbound-refused": [("delivery.refused", "proven")],
    "outbound-sasl-no-mechanism": [("auth.relay-no-mechanism", "proven")],
    "outbound-sasl-refused": [("auth.relay-refused", "proven")],
    "outbound-second-host": [("delivery.unwelcome", "proven")],
    "outbound-sent": [],
    "outbound-silent-server": [("delivery.server-timeout", "proven")],
    "outbound-slow-after-data": [("delivery.server-timeout", "proven")],
    "outbound-tls-expired": [("tls.certificate-expired", "proven")],
    "outbound-tls-garbage": [("tls.plaintext", "proven")],
    "outbound-tls-not-offered": [("tls.not-offered", "proven")],
    "outbound-tls-sent": [],
    "outbound-tls-untrusted": [("tls.untrusted", "proven")],
    "outbound-tls-wrong-name": [("tls.name-mismatch", "proven")],
    "outbound-too-large": [("limit.size", "proven")],
    "outbound-unwelcome": [("delivery.unwelcome", "proven")],
    "pipelining": [("policy.pipelining", "proven")],
    "policy-down": [("policy.service-down", "proven")],
    "policy-greylisted": [("policy.greylisted", "likely")],
    "policy-rejected": [("policy.service", "proven")],
    "rbl-listed": [("policy.rbl", "proven")],
    "rdns-mismatch": [("policy.rdns-mismatch", "proven"), ("policy.rdns", "proven")],
    "rdns-missing": [("policy.rdns", "proven")],
    "recipient-domain-not-found": [("policy.domain-not-found", "proven")],
    "relay-denied": [("policy.relay-denied", "proven")],
    "outbound-sasl-cram-md5": [],
    "outbound-sasl-digest-md5": [],
    "outbound-sasl-plain": [],
    "outbound-sasl-scram": [],
    "sasl-accepted-login": [],
    "sasl-aborted": [("auth.aborted", "proven")],
    "sasl-accepted": [],
    "sasl-bad-password": [("auth.bad-credentials", "proven")],
    "sasl-bad-password-login": [("auth.bad-credentials", "proven")],
    "sasl-before-starttls": [("auth.before-starttls", "likely")],
    "sasl-hung-up": [("auth.unfinished", "likely")],
    "sasl-mechanism-not-offered": [("auth.mechanism-not-offered", "proven")],
    "sasl-no-auth-service": [("auth.no-service", "proven"), ("process.throttled", "proven")],
    "sasl-not-enabled": [("auth.before-starttls", "likely")],
    "sender-domain-not-found": [("policy.domain-not-found", "proven")],
    "sender-login-mismatch": [("auth.sender-not-owned", "proven")],
    "sender-not-fqdn": [("policy.address-form", "proven")],
    "size-limit": [("limit.size", "proven")],
    "size-limit-data": [("limit.size", "proven")],
    "tls-certificate-expired": [("tls.certificate-expired", "proven")],
    "tls-hung-up-after-starttls": [("tls.hung-up", "likely")],
    "tls-name-mismatch-client": [("tls.bad-certificate", "likely")],
    "tls-no-shared-cipher": [("tls.no-shared-cipher", "proven")],
    "tls-ok-inbound": [],
    "tls-plaintext-on-tls-port": [("tls.plaintext", "proven")],
    "tls-required-by-server": [("tls.required", "proven")],
    "tls-unknown-ca": [("tls.unknown-ca", "proven")],
    "tls-version-too-low": [("tls.version", "proven")],
    "tls-wrapper-on-plain-port": [("tls.to-plain-port", "proven")],
    "too-many-errors": [("limit.errors", "proven")],
    "too-many-recipients": [("limit.recipients", "proven")],
    "unknown-user": [("policy.unknown-recipient", "proven")],
    "xclient": [],
}


#: What another version's log does not tell as well.
OTHERWISE: dict[tuple[str, str], list[tuple[str, str]]] = {
    ("outbound-tls-wrong-name", "3.5"): [("tls.name-mismatch", "likely"), ("delivery.deferred", "proven")],
}


def found_in(data: bytes) -> tuple[Finding, ...]:
    found = build_sessions(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))
    transcripts = [build_transcript(session, found.followed) for session in found.sessions]
    return find(transcripts, found.followed, found.unplaced)


def found_in_lines(*lines: str) -> list[tuple[str, str]]:
    data = "".join(f"Nov 24 02:13:49 mx postfix/{line}\n" for line in lines).encode()
    return [(finding.code, finding.certainty) for finding in found_in(data)]


def test_every_recording_has_its_causes_listed() -> None:
    assert {path.name.split("-postfix-")[0] for path in recorded()} - {"postfix-3.7-debug.log"} == set(CAUSES)


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_names_the_cause(path: Path) -> None:
    data = path.read_bytes()
    found = found_in(data)
    cause, version = path.stem.split("-postfix-")
    wanted = OTHERWISE.get((cause, version), CAUSES[cause])
    assert [(finding.code, finding.certainty) for finding in found] == wanted
    lines = data.decode("utf-8", "surrogateescape").splitlines()
    for finding in found:
        assert lines[finding.proof.number - 1] == finding.proof.head + finding.proof.text


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_no_text_has_an_unfilled_place(path: Path) -> None:
    for finding in found_in(path.read_bytes()):
        said = f"{finding.title} {finding.meaning} {finding.next_step}"
        assert "{" not in said
        assert "  " not in said
        assert finding.meaning.strip() == finding.meaning


def test_a_refusal_names_the_restriction_that_decided() -> None:
    (finding,) = found_in((FIXTURES / "client-access-rejected-postfix-3.7.log").read_bytes())
    assert "check_client_access" in finding.meaning
    assert "REJECT not from here" in finding.meaning


def test_codes_are_family_and_cause() -> None:
    assert all(rule.code.count(".") == 1 for rule in RULES)
    assert len({rule.code for rule in RULES}) >= 50


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SSL_accept error from a[192.0.2.1]: Connection timed out", "tls.timeout"),
        ("SSL_accept error from a[192.0.2.1]: -1", "tls.failed"),
        (
            "warning: a[192.0.2.1]: SASL PLAIN authentication failed: Connection lost to authentication server",
            "auth.service-lost",
        ),
        (
            "warning: AUTH command rate limit exceeded: 9 from a[192.0.2.1] for service submission",
            "limit.messages",
        ),
        ("warning: debug_peer_list: hash:/nonexist: table lookup problem", "process.debug-list"),
        ("fatal: open /etc/postfix/x.db: No such file or directory", "process.fatal"),
    ],
)
def test_single_lines(text: str, code: str) -> None:
    found = found_in_lines("smtpd[1]: connect from a[192.0.2.1]", f"smtpd[1]: {text}")
    assert [name for name, _ in found] == [code]


def test_an_unexplained_failure_is_called_unknown() -> None:
    found = found_in_lines("smtpd[1]: connect from a[192.0.2.1]", "smtpd[1]: SSL_accept error from a[192.0.2.1]: -1")
    assert found == [("tls.failed", "unknown")]


def test_lost_log_lines_are_told_of_the_host() -> None:
    data = b"Nov 24 02:13:49 mx systemd-journald[1]: Suppressed 99 messages from postfix@-.service\n"
    (finding,) = found_in(data)
    assert (finding.code, finding.session) == ("process.lost-lines", None)


def test_several_recipients_keep_their_different_causes() -> None:
    found = found_in_lines(
        "smtp[1]: AAAAAA1: to=<a@c.jp>, relay=c[192.0.2.3]:25, delay=1, dsn=5.2.2, status=bounced "
        "(host c[192.0.2.3] said: 552 5.2.2 Mailbox full (in reply to RCPT TO command))",
        "smtp[1]: AAAAAA1: to=<b@c.jp>, relay=c[192.0.2.3]:25, delay=1, dsn=4.0.0, status=deferred "
        "(host c[192.0.2.3] said: 451 not now (in reply to RCPT TO command))",
    )
    assert [code for code, _ in found] == ["delivery.mailbox-full", "delivery.deferred"]


def test_a_long_pause_names_the_side_that_was_waited_for() -> None:
    data = (
        b"2026-11-24T02:00:00+00:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]\n"
        b"2026-11-24T02:00:00+00:00 mx postfix/smtpd[1]: < a[192.0.2.1]: MAIL FROM:<x@y.jp>\n"
        b"2026-11-24T02:00:30+00:00 mx postfix/smtpd[1]: > a[192.0.2.1]: 250 ok\n"
    )
    (finding,) = found_in(data)
    assert finding.code == "session.slow"
    assert finding.title.startswith("this host took 30 s")
