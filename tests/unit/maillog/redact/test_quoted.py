"""What a client said is quoted in many lines beside the dialogue; what a guesser tries must not hide the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.proof.prove import prove
from tests.support.maillines import FIXTURES, b64, find_spellings, make_records, redact_texts
from tests.support.redacting import redact_and_prove

C = "c.example.jp[192.0.2.5]"
R = "r.example.net[192.0.2.9]:587"
SECRETS = ("S3cretPW", "Kaze;77 pw", "q=w?e%r`t'y", "ya29.a0AfB_byC-Tokenish0123")


def read(*lines: str) -> Capture:
    data = "".join(f"Nov 24 02:13:49 mx postfix/smtpd[7]: {line}\n" for line in lines).encode()
    now = datetime(2026, 12, 1, tzinfo=UTC)
    return read_capture(data, now=now, utc_offset=timedelta(0), match=lambda _session: True)


#: Daemon and line; {plain} is a PLAIN response, {coded} the secret in base64, {clear} the secret.
QUOTES = [
    ("smtpd", f"warning: {C}: request longer than 2048: AUTH PLAIN {{plain}}..."),
    ("smtpd", f"warning: {C}: request longer than 12288: {{coded}}..."),
    ("smtpd", f"warning: non-SMTP command from {C}: {{coded}}"),
    ("smtpd", f"warning: non-SMTP command from {C}: {{clear}}"),
    ("smtpd", f"warning: non-SMTP command from {C}: Authorization: Basic {{coded}}"),
    ("smtpd", f"warning: {C}: SASL {{plain}} authentication failed: no mechanism available"),
    ("smtpd", f"warning: {C}: SASL {{plain}} authentication aborted"),
    ("smtpd", f"warning: {C}: SASL LOGIN authentication failed: {{coded}}"),
    ("smtpd", f"warning: {C}: SASL LOGIN authentication failed: {{coded}}, sasl_username=alice"),
    ("smtpd", f'{C}: replacing command "AUTH PLAIN {{plain}}" with "AUTH LOGIN"'),
    ("smtpd", f'{C}: replacing command "{{coded}}" with "NOOP"'),
    ("smtpd", 'warning: pcre:/etc/postfix/cmd lookup error for "AUTH PLAIN {plain}"'),
    ("smtpd", rf"improper command pipelining after EHLO from {C}: NOOP\r\nAUTH PLAIN {{plain}}\r\n"),
    ("smtpd", rf"improper command pipelining after CONNECT from {C}: EHLO x\r\nAUTH LOGIN\r\n{{coded}}\r\n"),
    ("smtpd", f"< {C}: AUTH?PLAIN?{{plain}}"),
    ("smtpd", f"< {C}: GET /?login={{coded}} HTTP/1.1"),
    ("smtpd", "milter8_unknown_event: milter inet:localhost:8891: unknown command: {clear}"),
    ("smtpd", "milter8_unknown_event: milter inet:localhost:8891: unknown command: {coded}"),
    ("postscreen", r"PREGREET 60 after 0.1 from [192.0.2.5]:1234: EHLO x\r\nAUTH PLAIN {plain}\r\n"),
    ("postscreen", r"COMMAND PIPELINING from [192.0.2.5]:1234 after AUTH: {coded}\r\n"),
    ("postscreen", r"COMMAND PIPELINING from [192.0.2.5]:1234 after {clear}: QUIT\r\n"),
    ("postscreen", "NON-SMTP COMMAND from [192.0.2.5]:1234 after AUTH: {coded} "),
    ("postscreen", "BARE NEWLINE from [192.0.2.5]:1234 after AUTH PLAIN {plain}"),
    ("cleanup", f"8C36822E17E: warning: header Authorization: Basic {{coded}} from {C}; from=<a@b> to=<c@d>: noted"),
    ("cleanup", f"8C36822E17E: warning: header Authorization: Bearer {{coded}} from {C}; from=<a@b> to=<c@d>: noted"),
    ("cleanup", f"8C36822E17E: warning: header X-My-Auth: {{clear}} from {C}; from=<a@b> to=<c@d>: noted"),
    ("cleanup", f"8C36822E17E: warning: header X-Site-Key: {{clear}} from {C}; from=<a@b> to=<c@d>: noted"),
    ("cleanup", f"8C36822E17E: info: header Set-Cookie: a=b; sid={{clear}} from {C}; from=<a@b>: noted"),
    ("cleanup", f"8C36822E17E: reject: body the word is {{clear}} from {C}; from=<a@b> to=<c@d>: noted"),
    ("smtp", f'{R}: replacing server reply "334 {{coded}}" with "334 x"'),
    ("smtp", 'hash:/etc/postfix/sasl_passwd lookup: "[r.example.net]:587" = "user:{clear}"'),
    ("smtp", 'dict_memcache_lookup: memcache:/etc/postfix/mc: key "r"(r) => user:{clear}'),
    ("smtp", "dict_tcp_lookup: recv: 200 user:{clear}"),
    ("smtp", "input attribute value: the user:{clear}"),
    ("smtpd", "dict_update: relay_password = {clear}"),
    ("smtpd", "cfg_get_str: /etc/postfix/pg.cf: hosts = postgresql://user:x@{coded}@db.example.jp/mail"),
    ("smtpd", "warning: connect to pgsql server host=db password='{clear}' dbname=mail: no"),
    ("smtpd", "odd: password=ab,{coded}"),
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(("daemon", "shape"), QUOTES, ids=[shape[:50] for _, shape in QUOTES])
def test_a_secret_in_a_quoted_command_is_masked(daemon: str, shape: str, secret: str) -> None:
    line = shape.format(plain=b64(f"\0alice\0{secret}"), coded=b64(secret), clear=secret)
    capture = redact_and_prove(make_records(line, daemon=daemon))
    (record,) = capture.records
    assert find_spellings(secret, record.text) == []
    assert "[redacted: " in record.text
    assert prove([record.head + record.text], [secret]).withheld == ()
    assert redact_texts(record.text, daemon=daemon) == [record.text]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            rf"improper command pipelining after CONNECT from {C}: \026\003\001\002\000\001\000",
            rf"improper command pipelining after CONNECT from {C}: \026\003\001[redacted: TLS bytes]",
        ),
        (
            r"PREGREET 30 after 0 from [192.0.2.5]:9: EHLO x\r\nAUTH LOGIN\r\nUzNjcmV0UFc=\r\n",
            r"PREGREET 30 after 0 from [192.0.2.5]:9: EHLO x\r\nAUTH LOGIN\r\n[redacted: authentication response]\r\n",
        ),
    ],
)
def test_what_is_harmless_in_a_quote_stays(line: str, shown: str) -> None:
    assert redact_texts(line) == [shown]
    assert prove([shown]).withheld == ()


ORDINARY = [
    rf"improper command pipelining after EHLO from {C}: MAIL FROM:<a@example.jp> SIZE=10\r\nRCPT TO:<b@example.jp>\r\n",
    f"warning: non-SMTP command from {C}: GET / HTTP/1.1",
    f"> {C}: 334 dXNlcm5hbWU6",
    "xsasl_dovecot_handle_reply: auth reply: CONT?2?cGFzc3dvcmQ6",
    "smtp_sasl_passwd_lookup: no auth info found (sender=`alice@example.jp', host=`r.example.net')",
    f"warning: {R} offered null AUTH mechanism list",
    "dict_lookup: debug_peer_level = 2",
    "dict_update: relayhost = [relay.example.net]:587",
    "dict_update: smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd",
    "dict_eval: expand $myhostname -> mx.example.jp",
    "dict_ldap_lookup: Search returned nothing",
    "dict_ldap_get_values[1]: search returned 1 value(s) for requested result attribute maildrop",
    "cfg_get_str: /etc/postfix/ldap.cf: server_host = ldap://ldap.example.jp:389",
    f"8C36822E17E: warning: header Subject: Your password reset from {C}; from=<a@example.jp> to=<b@example.jp>: noted",
    "warning: c.example.jp[192.0.2.5]: SASL PLAIN authentication failed: authentication failure",
    'tcp:mx:1 lookup: "bob" = "not_found"',
]


@pytest.mark.parametrize("daemon", ["smtpd", "smtp"])
@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_lines_stay_and_expose_nobody(line: str, daemon: str) -> None:
    if daemon == "smtp" and line.startswith(">"):
        line = f"<{line[1:]}"
    capture = redact_and_prove(make_records(line, daemon=daemon))
    assert [record.text for record in capture.records] == [line]
    assert capture.exposures == ()


def test_a_next_hop_looked_up_by_smtpd_is_no_password() -> None:
    line = "mail_addr_find: bob@example.jp -> smtp:[mx2.example.jp]:25"
    capture = redact_and_prove(make_records(line, "send attr nexthop = [mx2.example.jp]:25"))
    assert capture.records[0].text == line
    assert capture.records[1].text == "send attr nexthop = [mx2.example.jp]:25"


def test_tls_on_a_plain_port_is_found_in_what_may_be_shown() -> None:
    data = (FIXTURES / "tls-wrapper-on-plain-port-postfix-3.7.log").read_bytes()
    now = datetime(2026, 12, 1, tzinfo=UTC)
    capture = read_capture(data, now=now, utc_offset=timedelta(0), match=lambda _session: True)
    assert [finding.code for finding in capture.findings] == ["tls.to-plain-port"]


def test_a_token_is_no_account_where_the_auth_line_is_lost() -> None:
    lines = (
        f"< {C}: AUTH LOGIN",
        f"> {C}: 535 5.7.8 Error: authentication failed: ",
        "xsasl_cyrus_server_first: decoded initial response n,a=carol,?host=mx?auth=Bearer qvXFwXEd??",
    )
    capture = redact_and_prove(make_records(*lines))
    assert "qvXFwXEd" not in repr(capture)
    assert [exposure.account for exposure in capture.exposures] in (["carol"], ["(unknown)"])


def _guess(user: str, password: str, *, accepted: bool = False) -> list[str]:
    said = [
        f"< {C}: AUTH LOGIN",
        f"> {C}: 334 VXNlcm5hbWU6",
        f"< {C}: {b64(user)}",
        f"> {C}: 334 UGFzc3dvcmQ6",
        f"< {C}: {b64(password)}",
    ]
    refused = f"> {C}: 535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6"
    return [*said, f"> {C}: 235 2.7.0 Authentication successful" if accepted else refused]


AROUND = (
    f"connect from {C}",
    f"> {C}: 220 mx.example.jp ESMTP Postfix",
    f"< {C}: EHLO c.example.jp",
    f"< {C}: MAIL FROM:<alice@example.jp>",
    "generic_checks: name=reject_unknown_client_hostname status=0",
    f"NOQUEUE: reject: RCPT from {C}: 454 4.7.1 <x@dest.example.net>: Relay access denied; proto=ESMTP helo=<c>",
)


GUESSES = (
    "example.jp mx.example.jp alice@example.jp dest.example.net NOQUEUE status=0 generic_checks: name= proto=ESMTP"
)


@pytest.mark.parametrize("password", [*GUESSES.split(), "reject:", "RCPT from", "454 4.7.1", "connect from "])
def test_a_refused_guess_does_not_hide_the_log(password: str) -> None:
    capture = read(*AROUND[:3], *_guess("bob", password), *AROUND[3:])
    texts = [record.text for record in capture.records]
    assert [line for line in AROUND if line not in texts] == []
    assert capture.withheld == ()


def test_a_password_like_a_host_name_is_a_secret_once_it_is_accepted() -> None:
    lines = (
        *_guess("bob", "my.secret.word"),
        f"< {C}: VRFY my.secret.word",
        *_guess("bob", "my.secret.word", accepted=True),
    )
    capture = read(AROUND[0], *lines, "odd: my.secret.word")
    assert "my.secret.word" not in capture.evidence_text()


@pytest.mark.parametrize(
    "command",
    [
        "From: alice@example.jp",
        "Received: from mx.example.jp",
        "alice@example.jp",
        "Subject: hello",
        "MAIL: x",
        "192.0.2.5",
    ],
)
def test_a_message_sent_as_commands_does_not_hide_the_log(command: str) -> None:
    capture = read(*AROUND[:3], f"< {C}: {command}", *AROUND[3:])
    texts = [record.text for record in capture.records]
    assert [line for line in AROUND if line not in texts] == []


def test_many_secrets_that_begin_alike_are_all_masked() -> None:
    secrets = [f"Summer{number * 7919}!" for number in range(300)]
    lines = [f"< {C}: AUTH PLAIN {b64(f'{chr(0)}u{chr(0)}{secret}')}" for secret in secrets]
    capture = redact_and_prove(make_records(*lines, *(f"odd: {secret} {b64(secret)}" for secret in secrets)))
    shown = "\n".join(record.text for record in capture.records)
    assert [secret for secret in secrets if find_spellings(secret, shown)] == []
    assert capture.withheld == ()


@pytest.mark.parametrize("piece", ["a", "x/", "Ab1", "Ab1Ab1Ab1Ab1Ab1Ab1Ab1Ab1."])
def test_a_line_of_unknown_layout_may_be_long(piece: str) -> None:
    capture = redact_and_prove(make_records(piece * (100_000 // len(piece)), daemon=""))
    assert len(capture.records) == 1
