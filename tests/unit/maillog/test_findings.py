"""Findings on recorded failures: the right cause, the right certainty, a proof that is in the log."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pfremote.maillog.findings import RULES, Finding, find
from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.sessions.build import build_sessions
from pfremote.maillog.transcripts.transcript import build_transcript
from tests.support.recorder.expect import FIXTURES, NOW, recorded

#: recording -> (code, certainty) of all that is to be found in it
CAUSES: dict[str, list[tuple[str, str]]] = {
    "client-access-rejected": [("policy.access", "proven")],
    "client-timeout": [("session.client-timeout", "proven")],
    "client-timeout-data": [("session.client-timeout", "proven")],
    "connection-count": [("limit.connections", "proven"), ("frontdoor.health-check", "likely")],
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
    "lost-connection-data": [("session.lost-in-message", "likely")],
    "lost-connection-rcpt": [("session.lost", "likely")],
    "milter-down": [("policy.milter-down", "proven")],
    "milter-rejected": [("policy.milter", "proven")],
    "outbound-bounced": [("delivery.unknown-recipient", "proven")],
    "outbound-busy": [("delivery.rate-limited", "proven")],
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
    "outbound-second-host": [("delivery.rate-limited", "proven")],
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
    "policy-rejected": [("policy.spf", "proven")],
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
    "too-many-errors": [("session.command-unknown", "proven"), ("limit.errors", "proven")],
    "too-many-recipients": [("limit.recipients", "proven")],
    "unknown-user": [("policy.unknown-recipient", "proven")],
    "xclient": [],
    "address-syntax": [("policy.address-syntax", "proven")],
    "auth-malformed": [("auth.malformed", "proven")],
    "auth-twice": [("auth.twice", "proven")],
    "bdat-wrong": [("limit.bdat", "proven")],
    "client-refused": [("policy.login-needed", "proven")],
    "command-order": [("session.command-order", "proven")],
    "command-syntax": [("session.command-syntax", "proven")],
    "command-unknown": [("session.command-unknown", "proven")],
    "discarded": [("disposition.discarded", "proven")],
    "encryption-required": [("policy.encryption-required", "proven")],
    "end-of-data-refused": [("policy.end-of-data", "proven")],
    "health-check": [("frontdoor.health-check", "likely")],
    "held": [("disposition.held", "proven")],
    "hops": [("limit.hops", "proven"), ("session.slow", "likely")],
    "http": [("policy.non-smtp", "proven")],
    "local-unknown": [("local.unknown-user", "proven")],
    "mechanism-too-weak": [("auth.mechanism-not-offered", "proven")],
    "milter-discards": [("disposition.discarded", "proven")],
    "milter-greylists": [("policy.milter-tempfail", "likely")],
    "milter-hangs-up": [("policy.milter-lost", "proven")],
    "milter-nonsense": [("policy.milter-setting", "proven")],
    "milter-tempfail": [("policy.milter-unavailable", "likely")],
    "option-unknown": [("session.command-syntax", "proven")],
    "outbound-bad-policy": [("tls.own-policy", "proven")],
    "outbound-bind": [("delivery.bind", "proven")],
    "outbound-blocked": [("delivery.blocked", "proven")],
    "outbound-disabled": [("delivery.mailbox-disabled", "proven")],
    "outbound-error": [("local.unknown-user", "proven")],
    "outbound-filter-down": [("filter.content-unavailable", "proven")],
    "outbound-hops": [("limit.hops", "proven")],
    "outbound-login-app-password": [("auth.relay-app-password", "proven")],
    "outbound-login-browser": [("auth.relay-web-login", "proven")],
    "outbound-login-disabled": [("auth.relay-method-disabled", "proven")],
    "outbound-login-required": [("auth.relay-required", "proven")],
    "outbound-login-temporary": [("auth.relay-temporary", "proven")],
    "outbound-our-helo": [("delivery.our-helo", "proven")],
    "outbound-our-rdns": [("delivery.our-rdns", "proven")],
    "outbound-policy": [("delivery.policy", "proven")],
    "outbound-rate": [("delivery.rate-limited", "proven")],
    "outbound-relay-denied": [("delivery.relay-denied", "proven")],
    "outbound-remote-disk": [("delivery.remote-trouble", "proven")],
    "outbound-remote-table": [("delivery.remote-trouble", "proven")],
    "outbound-sender": [("delivery.sender-refused", "proven")],
    "outbound-size-552": [("limit.size", "proven")],
    "outbound-spam": [("delivery.content-refused", "proven")],
    "outbound-spf": [("delivery.sender-authentication", "proven")],
    "outbound-starttls-refused": [("tls.refused-by-server", "proven")],
    "outbound-tls-wanted": [("delivery.tls-wanted", "proven")],
    "outbound-transport-absent": [("delivery.transport-down", "proven")],
    "outbound-virus-scan": [("filter.amavis", "proven")],
    "outbound-wrapper-needed": [("tls.wrappermode-needed", "proven")],
    "own-certificate-absent": [("tls.own-certificate", "proven")],
    "own-key-mismatch": [("tls.own-key-mismatch", "proven")],
    "pattern-mistake": [("table.pattern-mistake", "proven")],
    "pipe-absent": [("process.fatal", "proven"), ("local.command-said", "proven")],
    "pipe-fails": [("local.command-failed", "proven")],
    "pipe-later": [("local.command-said", "proven")],
    "policy-spf": [("policy.spf", "proven")],
    "proxy-filter-down": [("filter.proxy-down", "proven")],
    "proxy-header-missing": [("frontdoor.proxy-protocol-missing", "proven")],
    "proxy-header-unexpected": [("frontdoor.proxy-protocol-unexpected", "proven")],
    "rbl-refuses-us": [("policy.rbl-refuses-us", "proven")],
    "refused-at-connect": [("policy.login-needed", "proven")],
    "restriction-unknown": [("policy.unknown-restriction", "proven")],
    "setting-nonsense": [("config.number", "proven"), ("process.throttled", "proven")],
    "table-absent": [("table.unavailable", "proven")],
    "table-type-missing": [("table.type-missing", "proven")],
    "unlisted-sender": [("policy.unknown-sender", "proven")],
    "warned-only": [("policy.warned-only", "proven")],
    "xclient-refused": [("policy.xclient", "proven")],
}


#: case of ``fixtures/cases/log`` -> the same; what an experienced admin expects to be told
CASES: dict[str, list[tuple[str, str]]] = {
    "auth-temporary-failure": [("auth.service-temporary", "proven")],
    "auth-user-not-logged": [("auth.bad-credentials", "proven")],
    "dane-mismatch-called-name": [("tls.dane-mismatch", "proven")],
    "docker-time-before-time": [],
    "ehlo-auth-list-masked": [("auth.relay-no-mechanism", "proven")],
    "followed-line-after-disconnect": [("policy.milter", "proven")],
    "haproxy-no-header": [("frontdoor.proxy-protocol-missing", "proven")],
    "hidden-explicit-lines": [("tls.wrappermode-needed", "proven")],
    "host-less-syslog": [("tls.no-shared-cipher", "proven"), ("policy.relay-denied", "proven")],
    "idle-before-quit": [],
    "lost-lines-merge-clients": [
        ("process.lost-lines", "proven"),
        ("policy.unknown-recipient", "proven"),
        ("auth.bad-credentials", "likely"),
    ],
    "mail-vanished-hold-discard": [("disposition.discarded", "proven")],
    "milter-crash-line-lost": [("policy.milter-lost", "proven")],
    "milter-greylist-called-content": [("policy.milter-tempfail", "likely")],
    "outbound-no-auth-info": [("auth.relay-required", "proven")],
    "outbound-relay-denied": [("delivery.relay-denied", "proven")],
    "peer-name-hex-label": [],
    "rbl-open-resolver": [("policy.rbl-refuses-us", "proven")],
    "temporary-lookup-failure": [("table.unavailable", "proven")],
    "tls-alert-46-and-code-0": [("tls.certificate-unknown", "proven")],
    "tls-own-certificate-missing": [("tls.own-certificate", "proven")],
    "warn-if-reject": [("policy.warned-only", "proven")],
}

#: What another version's log does not tell as well.
OTHERWISE: dict[tuple[str, str], list[tuple[str, str]]] = {
    ("outbound-tls-wrong-name", "3.5"): [("tls.name-mismatch", "likely")],
    ("table-absent", "3.11"): [("table.type-leaving", "proven"), ("table.unavailable", "proven")],
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


@pytest.mark.parametrize("path", sorted((FIXTURES / "cases/log").glob("*.log")), ids=lambda path: path.stem)
def test_names_the_cause_of_a_case(path: Path) -> None:
    found = found_in(path.read_bytes())
    assert [(finding.code, finding.certainty) for finding in found] == CASES[path.stem]


def test_what_belongs_to_another_session_is_no_proof_in_this_one() -> None:
    first, *others = found_in((FIXTURES / "cases/log/lost-lines-merge-clients.log").read_bytes())
    assert first.session is None
    assert {finding.session for finding in others} == {2}


def test_a_missing_login_names_the_table_that_has_no_entry() -> None:
    (finding,) = found_in((FIXTURES / "cases/log/outbound-no-auth-info.log").read_bytes())
    assert "smtp_sasl_password_maps has no entry for smtp.example.com" in finding.meaning


def test_a_delivery_that_came_through_later_is_told() -> None:
    (finding,) = found_in(
        b"Nov 24 02:13:49 mx postfix/smtp[1]: AAAAAA1: to=<a@c.jp>, relay=c[192.0.2.3]:25, delay=310, delays=0.1/0/300/9.9, "
        b"dsn=4.2.0, status=deferred (host c[192.0.2.3] said: 450 4.2.0 Greylisted (in reply to RCPT TO command))\n"
        b"Nov 24 02:23:49 mx postfix/smtp[2]: AAAAAA1: to=<a@c.jp>, relay=c[192.0.2.3]:25, delay=1, delays=0/0/0/1, "
        b"dsn=2.0.0, status=sent (250 ok)\n"
    )
    assert "It was delivered 10 min 0 s later." in finding.meaning
    assert "300 s to connect" in finding.meaning


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
        ("fatal: open /etc/postfix/x.db: No such file or directory", "table.unavailable"),
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


PAUSES: list[tuple[str, str, str]] = [
    ("< a[192.0.2.1]: MAIL FROM:<x@y.jp>", "> a[192.0.2.1]: 250 ok", "this host took 30 s"),
    ("> a[192.0.2.1]: 250 ok", "< a[192.0.2.1]: RCPT TO:<x@y.jp>", "the client took 30 s"),
    ("> a[192.0.2.1]: 354 End data", "public/cleanup socket: wanted attribute: status", "the client, while it sent"),
    ("public/cleanup socket: wanted attribute: status", "input attribute name: status", "cleanup on this host"),
    (
        "smtp_stream_setup: maxtime=300 enable_deadline=0",
        "public/cleanup socket: wanted attribute: status",
        "the client",
    ),
    ("private/rewrite socket: wanted attribute: flags", "input attribute name: flags", "a service of this host"),
    ("127.0.0.1:12001: wanted attribute: action", "input attribute name: action", "a policy service"),
    ("milter8_rcpt_event: milter inet:127.0.0.1:1: rcpt <x>", "reply: SMFIR_CONTINUE data 0 bytes", "a milter"),
    ("dict_ldap_lookup: In dict_ldap_lookup", "dict_ldap_lookup: Search found", "a lookup table"),
    ("dns_query: x.rbl.example (A): OK", "> a[192.0.2.1]: 554 no", "DNS"),
    ("xsasl_dovecot_server_first: sasl_method PLAIN", "> a[192.0.2.1]: 235 ok", "the SASL server"),
]


@pytest.mark.parametrize(("before", "after", "who"), PAUSES)
def test_a_long_pause_is_charged_to_the_one_who_was_waited_for(before: str, after: str, who: str) -> None:
    head = "mx postfix/smtpd[1]: "
    data = (
        f"2026-11-24T02:00:00+00:00 {head}connect from a[192.0.2.1]\n2026-11-24T02:00:00+00:00 {head}{before}\n"
        f"2026-11-24T02:00:30+00:00 {head}{after}\n"
    )
    found = [finding for finding in found_in(data.encode()) if finding.code == "session.slow"]
    assert [finding.title.startswith(who) for finding in found] == [True], found


def test_cleanups_message_id_parts_the_time_of_the_client_from_ours() -> None:
    lines = (
        "02:00:00 smtpd[1]: AAAAAA1: client=a[192.0.2.1]",
        "02:00:00 smtpd[1]: > a[192.0.2.1]: 354 End data",
        "02:00:40 cleanup[2]: AAAAAA1: message-id=<1@a>",
        "02:00:41 smtpd[1]: > a[192.0.2.1]: 250 2.0.0 Ok: queued as AAAAAA1",
    )
    data = "".join(f"2026-11-24T{line[:8]}+00:00 mx postfix/{line[9:]}\n" for line in lines)
    (finding,) = found_in(data.encode())
    assert finding.title == "the client, while it sent the message, took 40 s"


@pytest.mark.parametrize(
    "after", ["< a[192.0.2.1]: QUIT", "< a[192.0.2.1]: MAIL FROM:<x@y.jp>", "disconnect from a[192.0.2.1]"]
)
def test_a_client_that_keeps_its_connection_is_not_slow(after: str) -> None:
    head = "mx postfix/smtpd[1]: "
    data = (
        f"2026-11-24T02:00:00+00:00 {head}connect from a[192.0.2.1]\n"
        f"2026-11-24T02:00:00+00:00 {head}> a[192.0.2.1]: 250 2.0.0 Ok: queued as AAAAAA1\n"
        f"2026-11-24T02:00:30+00:00 {head}{after}\n"
    )
    assert found_in(data.encode()) == ()
