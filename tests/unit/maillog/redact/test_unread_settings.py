"""Postfix quotes a line of a settings file or table that it cannot read: what it quotes may be a password."""

from __future__ import annotations

import pytest

from pfremote.maillog.proof.prove import prove
from tests.support.maillines import make_records
from tests.support.redacting import redact_and_prove

SECRET = "hunter2secret"

#: As postmap and postconf of Postfix 3.7 say it; the same for the formats of other tables (util/dict.c).
LINES = [
    ("fatal: /etc/postfix/ldap.cf, line 3: missing '=' after attribute name: \"bind_pw {}\"", "bind_pw "),
    ("fatal: /etc/postfix/mysql.cf, line 3: missing '=' after attribute name: \"password {}\"", "password "),
    ("fatal: /etc/postfix/main.cf, line 9: missing '=' after attribute name: \"[mx.example.org]:587 bob:{}\"", ":587 "),
    ("fatal: /etc/postfix/main.cf, line 9: missing '=' after attribute name: \"bob:{}\"", "line 9"),
    ("fatal: /etc/postfix/main.cf, line 9: missing '=' after attribute name: \"{}\"", "line 9"),
    ('fatal: missing \'=\' after attribute name: "inline:{{bob {}}}"; need "inline:{{name=value...}}"', "missing"),
    ('fatal: /etc/postfix/memcache.cf, line 1: missing attribute name: "= {}"', "line 1"),
    (
        'warning: /etc/postfix/sasl_passwd: logical line must not start with whitespace: " [mx.example.org]:587 bob:{}"',
        ":587 ",
    ),
    ('warning: /etc/postfix/sasl_passwd, line 1: logical line must not start with whitespace: "bob:{}..."', "line 1"),
    (
        'warning: /etc/postfix/sasl_passwd: logical line must not start with whitespace: " bob@example.org {}"',
        "bob@example.org ",
    ),
    ('warning: /etc/postfix/sasl_passwd.db: duplicate entry: "bob:{}"', "duplicate"),
    ('warning: /etc/postfix/relay_cred, line 2: duplicate entry: "bob:{}"', "line 2"),
]


@pytest.mark.parametrize(("line", "kept"), LINES)
def test_what_is_quoted_is_masked_and_the_first_word_kept(line: str, kept: str) -> None:
    capture = redact_and_prove(make_records(line.format(SECRET), daemon="trivial-rewrite"))
    (record,) = capture.records
    assert (SECRET in record.text, SECRET[:8] in record.text, kept in record.text) == (False, False, True)
    assert "[redacted: " in record.text and capture.withheld == ()


@pytest.mark.parametrize(("line", "kept"), LINES)
def test_without_the_mask_the_line_is_withheld(line: str, kept: str) -> None:
    assert [
        item.number for item in prove([f"Nov 24 02:13:49 mx postfix/smtpd[7]: {line.format(SECRET)}"]).withheld
    ] == [1]


@pytest.mark.parametrize(
    "line",
    [
        "fatal: /etc/postfix/main.cf, line 9: missing '=' after attribute name: \"smtps inet n - y - - smtpd\"",
        'warning: /etc/postfix/sasl_passwd.db: duplicate entry: "[mx.example.org]:587"',
        'warning: /etc/postfix/sasl_passwd.db: duplicate entry: "bob@example.org"',
        'warning: /etc/postfix/virtual.db: duplicate entry: "bob:anything"',
        "warning: /etc/postfix/sasl_passwd, line 2: expected format: key whitespace value",
    ],
)
def test_what_holds_no_password_is_shown(line: str) -> None:
    assert [record.text for record in redact_and_prove(make_records(line)).records] == [line]
