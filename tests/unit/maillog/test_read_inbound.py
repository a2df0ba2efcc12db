"""What verbose and inbound logs that admins posted must read as: each of these was once read wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.sessions.build import build_sessions
from pfremote.maillog.transcripts.transcript import Transcript, build_transcript
from tests.support.recorder.expect import NOW
from tests.support.redacting import redact_and_prove
from tests.unit.maillog.test_causes import find
from tests.unit.maillog.test_findings import found_in

CLIENT = "smtpd: connect from c.example.jp[192.0.2.1]"


@pytest.mark.parametrize(
    "line",
    [
        "smtpd: dict_mysql_get_active: attempting to connect to host unix:/run/mysqld/mysqld.sock",
        "smtpd: dict_mysql: successful connection to host 192.0.2.9",
        "smtpd: dict_mysql_lookup: retrieved 1 rows",
        "smtpd: dict_pgsql: successful query from host 192.0.2.9",
        "postscreen: haproxy_srvr_parse: addr=192.0.2.1 proto=TCP4",
        "smtpd: cfg_get_str: /etc/postfix/mysql-aliases.cf: dbname = mail",
    ],
)
def test_what_a_verbose_log_says_of_its_way_is_no_trouble(line: str) -> None:
    assert find([line]) == ()


def test_a_command_of_postfix_is_heard_under_its_bare_name() -> None:
    lines = (
        b"Nov 24 02:13:49 mx postmulti[9]: fatal: parameter myhostname: bad parameter value: 192.0.2.5\n"
        b"Nov 24 02:13:49 mx postfix[9]: /usr/sbin/postconf: warning: /etc/postfix/main.cf: support for parameter"
        b' "smtpd_use_tls" will be removed; instead, specify "smtpd_tls_security_level"\n'
    )
    assert [finding.code for finding in found_in(lines)] == ["process.setting", "config.value"]


def test_a_name_of_signs_is_shown_and_can_be_searched_for() -> None:
    (finding,) = find([CLIENT, 'smtpd: warning: unknown smtpd restriction: "."'])
    assert 'is called "."' in finding.meaning
    assert "grep -F -e '.'" in finding.next_step


def redacted(text: str) -> str:
    data = f"Nov 24 02:13:49 mx postfix/{text}\n".encode()
    (record,) = redact_and_prove(parse_evidence(data, now=NOW, utc_offset=timedelta(0))).records
    return record.text


def test_whether_a_password_was_sent_is_no_password() -> None:
    text = "warning: connect to mysql server 192.0.2.9: Access denied for user 'mail'@'mx' (using password: YES)"
    assert redacted(f"proxymap[7]: {text}") == text


@pytest.mark.parametrize("why", ["No such file or directory", "Permission denied"])
def test_why_a_file_of_passwords_cannot_be_opened_is_no_password(why: str) -> None:
    text = f"fatal: open sasl_passwd: {why}"
    assert redacted(f"postmap[7]: {text}") == text


@pytest.mark.parametrize(
    "text",
    [
        "sasl_passwd: No such file or directory hunter2",
        "(using password: YES-hunter2)",
        "password: YES)",
        "(using password: NOpe!)",
    ],
)
def test_what_only_looks_like_it_is_still_masked(text: str) -> None:
    assert "[redacted: password]" in redacted(f"proxymap[7]: warning: {text}")


#: As Postfix before 2.10 traces a refused recipient: END only where nothing decided.
OLD_TRACE = [
    CLIENT,
    "smtpd: < c.example.jp[192.0.2.1]: RCPT TO:<b@example.jp>",
    "smtpd: >>> START Client host RESTRICTIONS <<<",
    "smtpd: generic_checks: name=permit_mynetworks",
    "smtpd: generic_checks: name=permit_mynetworks status=0",
    "smtpd: >>> END Client host RESTRICTIONS <<<",
    "smtpd: >>> START Helo command RESTRICTIONS <<<",
    "smtpd: generic_checks: name=permit",
    "smtpd: generic_checks: name=permit status=1",
    "smtpd: >>> START Recipient address RESTRICTIONS <<<",
    "smtpd: generic_checks: name=permit_sasl_authenticated",
    "smtpd: generic_checks: name=permit_sasl_authenticated status=0",
    "smtpd: generic_checks: name=reject",
    "smtpd: NOQUEUE: reject: RCPT from c.example.jp[192.0.2.1]: 554 5.7.1 <b@example.jp>: Recipient address rejected: Access denied; from=<a@example.com> to=<b@example.jp> proto=ESMTP helo=<c>",
    "smtpd: generic_checks: name=reject status=2",
    "smtpd: > c.example.jp[192.0.2.1]: 554 5.7.1 <b@example.jp>: Recipient address rejected: Access denied",
]


def test_an_old_postfix_never_says_that_a_list_is_over() -> None:
    (transcript,) = transcripts_of(OLD_TRACE)
    assert [(check.stage, check.decision, check.restriction) for check in transcript.checks] == [
        ("Client host", "undecided", ""),
        ("Helo command", "permit", "permit"),
        ("Recipient address", "reject", "reject"),
    ]
    assert [turn.topic for turn in transcript.turns][-3:] == ["reject", "check", "smtp"]
    (finding,) = find(OLD_TRACE)
    assert "Decided by: Recipient address restrictions: reject by reject." in finding.meaning


def test_what_follows_a_permit_ends_its_list() -> None:
    lines = [*OLD_TRACE[:3], *OLD_TRACE[7:9], "smtpd: >>> CHECKING RECIPIENT MAPS <<<"]
    (transcript,) = transcripts_of(lines)
    assert [(check.stage, check.restriction) for check in transcript.checks] == [("Client host", "permit")]


def transcripts_of(lines: list[str]) -> tuple[Transcript, ...]:
    data = "".join(f"Nov 24 02:13:49 mx postfix/{line.replace(': ', '[7]: ', 1)}\n" for line in lines).encode()
    found = build_sessions(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))
    return tuple(build_transcript(session, found.followed) for session in found.sessions)


def test_a_delivery_of_a_postfix_without_dsn_is_one() -> None:
    """Postfix 2.2 logs neither delays nor dsn."""
    data = (
        b"Nov 24 02:13:49 mx postfix/smtpd[7]: 9A36114854002: client=c.example.jp[192.0.2.1]\n"
        b"Nov 24 02:13:49 mx postfix/qmgr[5]: 9A36114854002: from=<a@example.com>, size=5764, nrcpt=1 (queue active)\n"
        b"Nov 24 02:13:49 mx postfix/local[9]: 9A36114854002: to=<b@example.jp>, orig_to=<c@example.jp>, relay=local,"
        b' delay=0, status=bounced (unknown user: "b")\n'
        b"Nov 24 02:13:49 mx postfix/qmgr[5]: 9A36114854002: removed\n"
    )
    assert [finding.code for finding in found_in(data)] == ["local.unknown-user"]
    found = build_sessions(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))
    (transcript,) = (build_transcript(session, found.followed) for session in found.sessions)
    assert [(one.recipient, one.status, one.dsn) for one in transcript.deliveries] == [("b@example.jp", "bounced", "")]


def test_a_process_that_no_client_came_to_kept_none_waiting() -> None:
    data = (
        b"Nov 24 02:13:49 mx postfix/smtpd[7]: connect from c.example.jp[192.0.2.1]\n"
        b"Nov 24 02:13:49 mx postfix/smtpd[7]: > c.example.jp[192.0.2.1]: 220 2.0.0 Ready to start TLS\n"
        b"Nov 24 02:15:29 mx postfix/smtpd[7]: idle timeout -- exiting\n"
    )
    assert found_in(data) == ()


def test_a_password_that_was_refused_for_now_is_to_be_judged() -> None:
    """Under soft_bounce the 535 of a wrong password is a 435."""
    data = (
        b"Nov 24 02:13:49 mx postfix/smtpd[7]: < c.example.jp[192.0.2.1]: AUTH PLAIN AGZvbwBodW50ZXIy\n"
        b"Nov 24 02:13:51 mx postfix/smtpd[7]: > c.example.jp[192.0.2.1]: 435 4.7.8 Error: authentication failed:\n"
    )
    redacted = redact_and_prove(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))
    assert [one.refused for one in redacted.exposures] == [True]
