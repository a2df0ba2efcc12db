"""main.cf without its secrets, and with every other byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.maillog.mainconf import redact_main_cf

UNTOUCHED = b"""# See /usr/share/postfix/main.cf.dist
smtpd_banner = $myhostname ESMTP
  # a comment inside a value
\tsecond line
smtp_sasl_password_maps = hash:/etc/postfix/sasl_passwd, texthash:$config_directory/passwd
smtpd_sasl_path = private/auth
smtp_sasl_auth_enable=yes
virtual_alias_maps = inline:{ {a@example.jp = b@example.jp}, c=d }
debug_peer_list = static:all
local_recipient_maps = proxy:unix:passwd.byname $alias_maps
smtpd_sender_login_maps = ldap:/etc/postfix/ldap.cf
smtp_sasl_password_result_delimiter = :
smtpd_relay_restrictions = check_client_access static:OK, permit_mynetworks
relayhost = [relay.example.jp]:587
address_verify_map =
smtp_tls_policy_maps = $db_password_maps

no newline at the end = \xff\xfe"""


def test_a_file_without_secrets_keeps_every_byte() -> None:
    assert redact_main_cf(UNTOUCHED) == UNTOUCHED
    assert redact_main_cf(UNTOUCHED.replace(b"\n", b"\r\n")) == UNTOUCHED.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"db_password = hidden\n", b"db_password = [redacted]\n"),
        (b"db_password=hidden", b"db_password=[redacted]"),
        (b"db_password = hidden words \t\r\n", b"db_password = [redacted] \t\r\n"),
        (b"db_password =\n  hidden\n\thidden too\n", b"db_password =\n  [redacted]\n\t[redacted]\n"),
        (b"db_password = a\n# why\n\n  hidden\n", b"db_password = [redacted]\n# why\n\n  [redacted]\n"),
        (b"#db_password = hidden\n", b"#db_password = [redacted]\n"),
        (b"#  api_token = hidden\n", b"#  api_token = [redacted]\n"),
        (b"db_password = $other\n", b"db_password = $other\n"),
        (b"smtp_sasl_password_maps = static:u:hidden\n", b"smtp_sasl_password_maps = static:[redacted]\n"),
        (
            b"smtp_sasl_password_maps =\n static:u:hidden\n",
            b"smtp_sasl_password_maps =\n static:[redacted]\n",
        ),
        (
            b"smtp_sasl_password_maps = static:{u:hid den}, hash:/x\n",
            b"smtp_sasl_password_maps = static:{ [redacted] }, hash:/x\n",
        ),
        (
            b"lmtp_sasl_password_maps = inline:{r=u:hidden, {[s]:587 = u:hid den}}\n",
            b"lmtp_sasl_password_maps = inline:{r=[redacted], {[s]:587 = [redacted]}}\n",
        ),
        (
            b"smtp_sasl_password_maps = inline:{\n  { a = u:hidden }\n  { b = v:hidden }\n }\n",
            b"smtp_sasl_password_maps = inline:{\n  { a = [redacted] }\n  { b = [redacted] }\n }\n",
        ),
        (
            b"# smtp_sasl_password_maps = static:u:hidden\n",
            b"# smtp_sasl_password_maps = static:[redacted]\n",
        ),
        (b"x_maps = mysql://u:hidden@db/x\n", b"x_maps = mysql://u:[redacted]@db/x\n"),
        (b"# old: ldap://u:hidden@ldap/\n", b"# old: ldap://u:[redacted]@ldap/\n"),
        (b"ldap_bind_pw = hidden\n", b"ldap_bind_pw = [redacted]\n"),
        (
            b"smtp_sasl_password_maps = pcre:{{/./ u:hidden}}\n",
            b"smtp_sasl_password_maps = pcre:{[redacted]}\n",
        ),
    ],
)
def test_secret_values_are_masked(before: bytes, after: bytes) -> None:
    assert redact_main_cf(before) == after
    assert redact_main_cf(after) == after
    mixed = UNTOUCHED + b"\n" + before
    assert redact_main_cf(mixed) == UNTOUCHED + b"\n" + after


_LINES = st.sampled_from(
    [
        b"db_password = hid den\n",
        b"smtp_sasl_password_maps = inline:{r=u:hidden, {s = u:hid}}\n",
        b"smtp_sasl_password_maps = static:u:hidden pcre:{{/./ u:hid}}\n",
        b"  continued ldap://u:hidden@h/ inline:{ a=b:c\n",
        b"# comment static:{u:hid\n",
        b"\n",
        b"}\r\n",
        b"relayhost = [mx]:587",
    ]
)


@given(st.lists(st.one_of(_LINES, st.binary(max_size=20))).map(b"".join))
def test_masking_twice_is_masking_once(text: bytes) -> None:
    once = redact_main_cf(text)
    assert redact_main_cf(once) == once
    assert once.count(b"\n") == text.count(b"\n")
