"""What verbose and inbound logs that admins posted must read as: each of these was once read wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pfremote.maillog.parse.lines import parse_evidence
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


@pytest.mark.parametrize("text", ["(using password: YES-hunter2)", "password: YES)", "(using password: NOpe!)"])
def test_what_only_looks_like_it_is_still_masked(text: str) -> None:
    assert "[redacted: password]" in redacted(f"proxymap[7]: warning: {text}")
