"""A text that was left as it is is not read again, but only where nothing else would come of it."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfremote.maillog.parse.record import Record
from pfremote.maillog.redact import Redactor

C = "c[192.0.2.5]"
D = "d[192.0.2.6]"


def encode(text: str) -> str:
    return b64encode(text.encode()).decode()


def make(number: int, daemon: str, pid: int, text: str) -> Record:
    tag = f"postfix/{daemon}"
    return Record(number, None, "mx", tag, daemon, pid, f"Nov 24 02:13:49 mx {tag}[{pid}]: ", text)


def redact(*lines: tuple[str, int, str]) -> list[str]:
    redactor = Redactor()
    return [redactor.redact(make(at, *line)).text for at, line in enumerate(lines, 1)]


QUIET = f"< {C}: NOOP"


def test_a_command_that_was_shown_before_is_a_response_in_an_exchange() -> None:
    shown = redact(
        *(("smtpd", 7, text) for text in (QUIET, QUIET, f"< {C}: AUTH LOGIN", f"> {C}: 334 UGFzc3dvcmQ6", QUIET))
    )
    assert shown[:2] == [QUIET, QUIET]
    assert shown[-1] == f"< {C}: [redacted: password]"


def test_a_challenge_that_was_shown_outside_of_an_exchange_begins_one() -> None:
    prompt = f"> {C}: 334 UGFzc3dvcmQ6"
    shown = redact(*(("smtpd", 7, text) for text in (prompt, QUIET, f"> {C}: 250 Ok", prompt, QUIET)))
    assert shown[1] == shown[4] == f"< {C}: [redacted: password]"


def test_what_a_client_says_is_no_reply_of_a_server() -> None:
    text = f"< {C}: 250 word"
    assert redact(("smtp", 8, text), ("smtp", 8, text), ("smtpd", 7, text)) == [
        text,
        text,
        f"< {C}: [redacted: unrecognised command]",
    ]


def test_another_client_is_another_exchange() -> None:
    """The line of D ends C's exchange, whatever was shown of D before."""
    before = [("smtpd", 7, f"< {D}: NOOP")] * 2
    rest = [
        f"< {C}: AUTH LOGIN",
        f"< {D}: NOOP",
        f"< {D}: QUIT",
        f"< {D}: AUTH PLAIN {encode(f'{chr(0)}d{chr(0)}Gr4n7')}",
    ]
    lines = [*before, *(("smtpd", 7, text) for text in rest)]
    assert redact(*lines)[2:] == redact(*lines[2:])
    assert redact(*lines)[2:5] == rest[:3]


@pytest.mark.parametrize("name", ["transport", "(end)", "nexthop"])
def test_a_value_that_was_shown_under_another_name_is_masked_as_a_lookup(name: str) -> None:
    told, value = f"input attribute name: {name}", "input attribute value: relay:Gr4nite77"
    wanted = "input attribute name: value"
    lines = [("smtp", 8, text) for text in (told, value, told, value, wanted, value, value, told, value)]
    shown = redact(*lines)
    masked = "input attribute value: [redacted: password]"
    assert shown[5:7] == [masked, masked]


def test_a_table_without_passwords_ends_the_lookup_of_one_with_them() -> None:
    other = "maps_find: virtual_alias_maps: a@b.jp: not found"
    passwords = "maps_find: smtp_sasl_password_maps: hash:/p(0,lock): r = relay:Gr4nite77"
    answer = "mail_addr_find: r -> nobody"
    other_answer = "mail_addr_find: r -> mailer"
    lines = [("smtp", 8, text) for text in (other, other, passwords, answer, other, other_answer)]
    shown = redact(*lines)
    assert shown[3] == "mail_addr_find: r -> [redacted: table value]"
    assert shown[5] == other_answer


TEXTS = (
    f"connect from {C}",
    f"connect from {D}",
    QUIET,
    f"< {D}: NOOP",
    f"< {C}: HELP",
    f"> {C}: 250 Ok",
    f"> {C}: 334 VXNlcm5hbWU6",
    f"> {C}: 334 UGFzc3dvcmQ6",
    f"> {C}: 535 5.7.8 no",
    f"> {C}: 235 2.7.0 Authentication successful",
    f"< {C}: AUTH LOGIN",
    f"< {C}: {encode('alice')}",
    f"< {C}: {encode('Gr4nite77')}",
    f"< {D}: AUTH PLAIN {encode(f'{chr(0)}bob{chr(0)}HELP')}",
    "xsasl_dovecot_handle_reply: auth reply: OK?1?user=alice",
    "xsasl_dovecot_handle_reply: auth reply: DONE",
    "xsasl_cyrus_server_next: decoded response: Gr4nite77",
    "input attribute name: value",
    "input attribute name: transport",
    "input attribute value: relay:Gr4nite77",
    "input attribute value: smtp",
    "input attribute value: (end)",
    "maps_find: virtual_alias_maps: a@b.jp: not found",
    "maps_find: smtp_sasl_password_maps: r: not found",
    "maps_find: smtp_sasl_password_maps: hash:/p(0,lock): r = relay:Gr4nite77",
    "maps_find: smtp_header_checks: Subject: Gr4nite77",
    "dict_regexp_lookup: /etc/checks: Subject: a b",
    "mail_addr_find: r -> relay:other1",
    "mail_addr_find: r -> nobody",
    "8C36822E171: client=c[192.0.2.5], sasl_method=LOGIN, sasl_username=alice",
    "send attr sasl_username = alice",
    "message repeated 2 times: [ < c[192.0.2.5]: NOOP]",
)


@given(
    st.lists(
        st.tuples(st.sampled_from(("smtpd", "smtpd", "smtp", "lmtp")), st.integers(7, 8), st.sampled_from(TEXTS)),
        max_size=40,
    )
)
@settings(deadline=None, max_examples=400)
def test_what_is_remembered_changes_nothing(lines: list[tuple[str, int, str]]) -> None:
    redactor, forgetful = Redactor(), Redactor()
    for at, line in enumerate(lines, 1):
        record = make(at, *line)
        forgetful.forget()
        assert redactor.redact(record) == forgetful.redact(record)
    assert redactor.secrets == forgetful.secrets
    assert redactor.exposures == forgetful.exposures
