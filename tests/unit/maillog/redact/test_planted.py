"""A secret planted in every place where Postfix, of any version, may write one; then it must be nowhere."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from pfremote.maillog.proof.prove import prove
from tests.support.maillines import b64, find_spellings, make_records
from tests.support.redacting import redact_and_prove

SECRETS = (
    "S3cretPW",
    "Kaze;77 pw",
    "pä55+/wörd",
    "q=w?e%r`t'y",
    "ya29.a0AfB_byC-Tokenish0123",
    "\udcffbytes-9x",
)


def hexed(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()


def url(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe="")


Make = Callable[[str], str]
#: Shape by shape: daemon, then the line. Each is tried as the only line of a capture.
ALONE: dict[str, tuple[str, Make]] = {
    "initial PLAIN": ("smtpd", lambda s: f"< c[192.0.2.5]: AUTH PLAIN {b64(f'{chr(0)}alice{chr(0)}{s}')}"),
    "continuation, AUTH lost": ("smtpd", lambda s: f"< c[192.0.2.5]: {b64(s)}"),
    "PLAIN continuation, AUTH lost": ("smtpd", lambda s: f"< c[192.0.2.5]: {b64(f'{chr(0)}al{chr(0)}{s}')}"),
    "typed as a command": ("smtpd", lambda s: f"< c[192.0.2.5]: {s}"),
    "typed as a mechanism": ("smtpd", lambda s: f"< c[192.0.2.5]: AUTH {s}"),
    "XOAUTH2": (
        "smtpd",
        lambda s: f"< c[192.0.2.5]: AUTH XOAUTH2 {b64(f'user=al{chr(1)}auth=Bearer {s}{chr(1)}')}",
    ),
    "challenge": ("smtpd", lambda s: f"> c[192.0.2.5]: 334 {b64(s)}"),
    "Dovecot initial": (
        "smtpd",
        lambda s: f"xsasl_dovecot_server_first: sasl_method PLAIN, init_response {b64(s)}",
    ),
    "Dovecot challenge": ("smtpd", lambda s: f"xsasl_dovecot_handle_reply: auth reply: CONT?2?{b64(s)}"),
    "Dovecot field": ("smtpd", lambda s: f"xsasl_dovecot_handle_reply: auth reply: OK?1?user=alice?pass={s}"),
    "Dovecot answer": (
        "smtpd",
        lambda s: f"xsasl_dovecot_handle_reply: auth reply: OK?1?user=alice?resp={b64(s)}",
    ),
    "Dovecot cookie": ("smtpd", lambda s: f"xsasl_dovecot_server_connect: auth reply: COOKIE?{hexed(s)}"),
    "Dovecot, unknown": ("smtpd", lambda s: f"xsasl_dovecot_new_function: something {s}"),
    "Cyrus initial": (
        "smtpd",
        lambda s: f"xsasl_cyrus_server_first: sasl_method NTLM, init_response {b64(s)}",
    ),
    "Cyrus decoded initial": ("smtpd", lambda s: f"xsasl_cyrus_server_first: decoded initial response {s}"),
    "Cyrus decoded": ("smtpd", lambda s: f"xsasl_cyrus_server_next: decoded response: {s}"),
    "Cyrus challenge": (
        "smtpd",
        lambda s: f"xsasl_cyrus_server_auth_response: uncoded server challenge: {s}",
    ),
    "libsasl pass": ("smtpd", lambda s: f"SASL authentication pass: {s}"),
    "libsasl trace": ("smtpd", lambda s: f"SASL authentication trace: {s}"),
    "libsasl debug": ("smtpd", lambda s: f"SASL authentication debug: {s}"),
    "pipelined": (
        "smtpd",
        lambda s: f"improper command pipelining after EHLO from c[192.0.2.5]: AUTH PLAIN {b64(s)}\\r\\n",
    ),
    "pipelined response": (
        "smtpd",
        lambda s: f"improper command pipelining after AUTH from c[192.0.2.5]: {b64(s)}",
    ),
    "map": (
        "smtp",
        lambda s: f"maps_find: smtp_sasl_password_maps: hash:/etc/p(0,lock|fold_fix): [r]:587 = user:{s}",
    ),
    "static map": (
        "smtp",
        lambda s: f"maps_find: smtp_sasl_password_maps: static:user:{s}(0,lock): r = user:{s}",
    ),
    "inline map": (
        "smtp",
        lambda s: f"maps_find: smtp_sasl_password_maps: inline:{{r=u:{s}}}(0,lock): x: not found",
    ),
    "mail_addr_find": ("smtp", lambda s: f"mail_addr_find: alice@example.jp -> user:{s}"),
    "passwd_lookup": ("smtp", lambda s: f"smtp_sasl_passwd_lookup: host `relay' user `user' pass `{s}'"),
    "get_passwd": ("lmtp", lambda s: f"xsasl_cyrus_client_get_passwd: {s}"),
    "uncoded initial": (
        "smtp",
        lambda s: f"xsasl_cyrus_client_first: uncoded initial reply: \\000user\\000{s}",
    ),
    "uncoded response": ("smtp", lambda s: f"xsasl_cyrus_client_next: uncoded client response {s}"),
    "decoded challenge": ("smtp", lambda s: f"xsasl_cyrus_client_next: decoded challenge: {s}"),
    "wire, out": ("smtp", lambda s: f"> r[192.0.2.9]:587: AUTH PLAIN {b64(f'{chr(0)}user{chr(0)}{s}')}"),
    "wire, out, bare": ("lmtp", lambda s: f"> r[192.0.2.9]:587: {b64(s)}"),
    "wire, challenge": ("smtp", lambda s: f"< r[192.0.2.9]:587: 334 {b64(s)}"),
    "proxied": (
        "smtp",
        lambda s: f"dict_proxy_lookup: table=mysql:/x flags=lock key=k -> status=0 result=user:{s}",
    ),
    "tcp table": ("smtp", lambda s: f"dict_tcp_lookup: found: user:{s}"),
    "ldap table": ("smtp", lambda s: f"dict_ldap_lookup: Search returned user:{s}"),
    "failed login cache": ("smtp", lambda s: f"send attr value = 1795497163;{b64(s)};5.7.8;535 no"),
    "bind password": ("smtpd", lambda s: f"cfg_get_str: /etc/postfix/ldap.cf: bind_pw = {s}"),
    "database password": ("trivial-rewrite", lambda s: f"cfg_get_str: /etc/postfix/my.cf: password = {s}"),
    "record put": ("smtpd", lambda s: f"rec_put: type N len 20 data {s}"),
    "record get": ("smtp", lambda s: f"rec_get: type N len 20 data {s}"),
    "read": ("smtpd", lambda s: f"Read 33 chars: AUTH PLAIN {b64(s)}??"),
    "written": ("smtp", lambda s: f"Write 61 chars: {s}"),
    "dump": ("smtpd", lambda s: f"0000 16 03 01 02 {hexed(s[:4])}  {s}"),
    "transcript": ("smtpd", lambda s: f"In:  AUTH PLAIN {b64(f'{chr(0)}alice{chr(0)}{s}')}"),
    "netstring": ("smtp", lambda s: f"netstring_put: write netstring len 20 data {s}"),
    "milter header": ("cleanup", lambda s: f"milter8_header_event: header Authorization: {s}"),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("shape", ALONE)
def test_planted_alone(shape: str, secret: str) -> None:
    daemon, make = ALONE[shape]
    line = make(secret)
    capture = redact_and_prove(make_records(line, daemon=daemon))
    (record,) = capture.records
    assert find_spellings(secret, record.text) == []
    assert secret not in repr(capture.exposures)
    assert "[redacted: " in record.text, "the redactor does it, the proof pass is for what it does not know"
    assert prove([record.head + record.text], [secret]).withheld == ()


ATTRIBUTES = ("keybuf", "session", "seed", "value")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize("named", ["wanted", "input", "both"])
def test_planted_in_an_attribute(name: str, secret: str, named: str) -> None:
    lines = [f"private/tlsmgr: wanted attribute: {name}", f"input attribute name: {name}"]
    value = f"user:{secret}" if name == "value" else b64(secret * 3)
    kept = {"wanted": lines[:1], "input": lines[1:], "both": lines}[named]
    capture = redact_and_prove(make_records(*kept, f"input attribute value: {value}", daemon="smtp"))
    assert find_spellings(secret, capture.records[-1].text) == []
    assert "[redacted: " in capture.records[-1].text


@pytest.mark.parametrize("secret", SECRETS)
def test_planted_in_every_line_after_it_was_learnt(secret: str) -> None:
    learn = f"< c[192.0.2.5]: AUTH PLAIN {b64(f'{chr(0)}alice{chr(0)}{secret}')}"
    later = [
        f"odd: {secret}",
        f"odd: x{secret}y",
        f"odd: {b64(secret)}",
        f"odd: {b64('a' + secret)}",
        f"odd: {b64('ab' + secret)}",
        f"odd: {hexed(secret)}",
        f"odd: {hexed(secret).upper()}",
        f"odd: {url(secret)}",
        f"warning: c[192.0.2.5]: SASL LOGIN authentication failed: no, sasl_username={secret}",
        f"send attr sasl_username = {secret}",
    ]
    capture = redact_and_prove(make_records(learn, *later))
    assert capture.withheld == ()
    for record in capture.records:
        assert find_spellings(secret, record.text) == [], record.text
    assert "sasl_username=[redacted: known secret]" in capture.records[-2].text


@pytest.mark.parametrize("secret", SECRETS)
def test_a_line_before_the_one_that_gives_it_away_is_withheld(secret: str) -> None:
    learn = f"< c[192.0.2.5]: AUTH PLAIN {b64(f'{chr(0)}alice{chr(0)}{secret}')}"
    capture = redact_and_prove(make_records(f"odd: {secret}", learn))
    assert [item.number for item in capture.withheld] == [1]
    first = capture.records[0]
    assert first.head.endswith("postfix/smtpd[7]: ")
    assert first.text == "[line withheld: a secret that another line gave away]"


@pytest.mark.parametrize("secret", SECRETS[:2])
def test_a_password_typed_as_user_name_goes_once_the_server_has_accepted_it_elsewhere(secret: str) -> None:
    def log_in(user: str, password: str) -> list[str]:
        return [
            "< c[192.0.2.5]: AUTH LOGIN",
            "> c[192.0.2.5]: 334 VXNlcm5hbWU6",
            f"< c[192.0.2.5]: {b64(user)}",
            "> c[192.0.2.5]: 334 UGFzc3dvcmQ6",
            f"< c[192.0.2.5]: {b64(password)}",
        ]

    wrong = [
        *log_in(secret, "another-9"),
        f"xsasl_dovecot_handle_reply: auth reply: FAIL?1?user={secret.lower()}",
        f"warning: c[192.0.2.5]: SASL LOGIN authentication failed: no, sasl_username={secret}",
        "> c[192.0.2.5]: 535 5.7.8 Error: authentication failed: no",
    ]
    capture = redact_and_prove(make_records(*wrong, *log_in("alice", secret), "> c[192.0.2.5]: 235 2.7.0 ok"))
    shown = "\n".join(record.text for record in capture.records)
    assert find_spellings(secret, shown) == []
    assert secret.lower() not in shown.lower()
    assert secret.lower() not in repr(capture.exposures).lower()


def test_a_guess_does_not_hide_a_user_name() -> None:
    guess = [f"< c[192.0.2.5]: AUTH PLAIN {b64(f'{chr(0)}bob{chr(0)}alice.a')}", "> c[192.0.2.5]: 535 5.7.8 no"]
    name = ["< c[192.0.2.5]: AUTH LOGIN", f"< c[192.0.2.5]: AUTH PLAIN {b64(f'{chr(0)}alice.a{chr(0)}S3cretPW')}"]
    capture = redact_and_prove(make_records(*name, *guess, "send attr sasl_username = alice.a"))
    assert capture.records[-1].text.endswith("alice.a")
