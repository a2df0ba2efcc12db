"""main.cf without its secrets, and with every other byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.maillog.redact.main_cf import redact_main_cf

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


@pytest.mark.parametrize(
    "text",
    [
        b"smtp_sasl_password_maps = static:{\n  relayuser:Gr4nite77 }\n",
        b"smtp_sasl_password_maps = inline:{\n  { a = u:Gr4nite77 }\n# see }\n  { b = u:Bas4lt88 }\n }\n",
        b"import_environment = MAIL_CONFIG TZ PGPASSWORD=Gr4nite77\n",
        b"import_environment = MAIL_CONFIG { PGPASSWORD = Gr4nite77 } LANG=C MYSQL_PWD=Bas4lt88\n",
        b"export_environment =\n  TZ\n  HOOK=Gr4nite77\n",
        b"ldap_bind_pw =\n# other = x\n   Gr4nite77\n",
        b"ldap_bind_pw =\n   # other = x\n\n   Gr4nite77\n",
        b"mysql_pwd = Gr4nite77\n",
        b"ldap_bindpw = Gr4nite77\n",
        b"# relay password: Gr4nite77\n",
        b"# the password for relay is: Gr4nite77\n",
        b"mailbox_command = /usr/bin/x --password Gr4nite77 --user me\n",
        b"mailbox_command = curl -u me:Gr4nite77 https://x.example.jp/\n",
        b"my_login = pcre:{{/./ u:Gr4nite77}}\nsmtp_sasl_password_maps = $my_login\n",
        b"my_login = static:u|Gr4nite77\nsmtp_sasl_password_maps = $my_login\n",
        b"my_login = relayuser:Gr4nite77\nsmtp_sasl_password_maps = static:$my_login\n",
        b"smtp_sasl_password_maps = static:{u:Gr4n{it}e77}\n",
        b"smtp_sasl_password_maps = inline:{ {x = u:Gr4n{it}Gr4nite77} }\n",
        b"smtp_sasl_password_maps = regexp:{{/other/ second:Gr4nite77}\n",
        b"virtual_alias_maps = cidr:{ {192.0.2.0/24 u:Gr4nite77}, {0.0.0.0/0 no} }\n",
        b"#smtp_sasl_password_maps = inline:{\n#  { a = u:Gr4nite77 }\n# }\n",
        b"x_maps = texthash:{ Gr4nite77 }\n",
        b"some_thing = { Gr4nite77 }\n",
        b"x = ${a?{static:u:Gr4nite77}}\n",
        b"smtp_sasl_password_maps =\n  static:{\n  u:\n  Gr4nite77\n  }\n",
    ],
)
def test_the_value_that_postfix_sees_is_what_is_masked(text: bytes) -> None:
    """Case A3-main-cf-copies, all five points of it, and others of its kind."""
    for ends in (text, text.replace(b"\n", b"\r\n"), text.rstrip(b"\n")):
        once = redact_main_cf(ends)
        assert b"Gr4nite77" not in once, once
        assert b"Bas4lt88" not in once, once
        assert redact_main_cf(once) == once
        assert once.count(b"\n") == ends.count(b"\n")


@pytest.mark.parametrize(
    "text",
    [
        b"tls_high_cipherlist = aNULL:-aNULL:HIGH:+RC4:@STRENGTH\n",
        b"smtpd_milters = { inet:127.0.0.1:8891, connect_timeout=10s }, unix:private/milter\n",
        b"smtpd_relay_restrictions = check_policy_service { inet:127.0.0.1:10023, timeout=5s }\n",
        b"mynetworks = 127.0.0.0/8 [::1]/128 2001:db8::/32\n",
        b"default_transport = smtp:relay.example.jp\ntransport_maps = hash:/etc/postfix/transport\n",
        b"relayhost = relay.example.jp:587\ncontent_filter = scan:[127.0.0.1]:10024\n",
        b"smtpd_banner = $myhostname ESMTP: hello:there\n",
        b"mail_name = ${my?{Post}:{fix}}\n",
        b"virtual_uid_maps = static:5000\n",
    ],
)
def test_what_is_no_secret_is_left_as_it_is(text: bytes) -> None:
    assert redact_main_cf(text) == text
