"""Redaction of real lines: what is masked, what is left alone, and what a lost line does to it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pfremote.maillog.parse.record import Record
from pfremote.maillog.redact import Exposure, Redactor
from tests.support.maillines import RECORDED, SAMPLE, find_spellings, make_records, read_records, redact_texts
from tests.support.redacting import redact_and_prove


def encode(text: str) -> str:
    return b64encode(text.encode()).decode()


#: Why a line of the sample may change. Each changed line must match exactly one of these.
CATEGORIES = {
    "AUTH command": r"[<>] \S+: AUTH (?:PLAIN|LOGIN) \S+\Z",
    "response": r"[<>] \S+: [A-Za-z0-9+/]+=*\Z",
    "Dovecot cookie": r"xsasl_dovecot_server_connect: auth reply: COOKIE\?",
    "glue": r"xsasl_\w+_(?:first|next): (?:sasl_method \w+, init|decoded|uncoded)",
    "client password": r"xsasl_cyrus_client_get_passwd: |smtp_sasl_passwd_lookup: ",
    "password table": r"maps_find: smtp_sasl_password_maps: .* = ",
    "TLS key, session or seed": r"input attribute value: [A-Za-z0-9+/]{40,}=*\Z",
    "message content": r"rec_(?:put|get): type . len \d+ data .",
    "decrypted data": r"(?:Read|Write) \d+ chars: ",
    "TLS dump": r"[0-9a-f]{4} (?:[0-9a-f]{2}|-) ?",
}


def test_the_sample_changes_only_where_a_credential_or_content_is() -> None:
    redactor = Redactor()
    changed: Counter[str] = Counter()
    for record in read_records(SAMPLE):
        shown = redactor.redact(record)
        assert (shown.head, shown.number, shown.time) == (record.head, record.number, record.time)
        if shown.text != record.text:
            reasons = [name for name, shape in CATEGORIES.items() if re.match(shape, record.text)]
            assert len(reasons) == 1, record.text
            changed[reasons[0]] += 1
    assert changed == {
        "AUTH command": 18,
        "response": 6,
        "Dovecot cookie": 11,
        "glue": 23,
        "client password": 26,
        "password table": 13,
        "TLS key, session or seed": 26,
        "message content": 74,
        "decrypted data": 27,
        "TLS dump": 428,
    }


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_no_spelling_of_a_recorded_secret_is_left(path: Path) -> None:
    redactor = Redactor()
    shown = "\n".join(redactor.redact(record).text for record in read_records(path))
    original = path.read_text("utf-8", "surrogateescape")
    for secret in RECORDED[path]:
        assert find_spellings(secret, original), secret
        assert find_spellings(secret, shown) == []


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_redacting_twice_is_redacting_once(path: Path) -> None:
    once = [Redactor().redact(record) for record in read_records(path)]
    stream = Redactor()
    streamed = [stream.redact(record) for record in read_records(path)]
    again = Redactor()
    assert [again.redact(record) for record in streamed] == streamed
    assert [Redactor().redact(record) for record in once] == once


@pytest.mark.parametrize(
    ("blob", "mechanism", "mark"),
    [
        (encode("\0alice\0Kaze-77pw"), "PLAIN", "password of alice"),
        (encode("admin\0alice\0Kaze-77pw"), "plain", "password of alice"),
        (encode("alice"), "LOGIN", "user name of alice"),
        (
            encode("user=alice@example.jp\1auth=Bearer Kaze-77pw\1\1"),
            "XOAUTH2",
            "bearer token of alice@example.jp",
        ),
        (
            encode("n,a=alice,\1host=mx\1port=25\1auth=Bearer Kaze-77pw\1\1"),
            "OAUTHBEARER",
            "bearer token of alice",
        ),
        (encode("n,,n=alice,r=Kaze-77pw"), "SCRAM-SHA-256", "authentication response of alice"),
        (encode("alice"), "EXTERNAL", "authentication response"),
        ("YIIFzAYJKoZIhvcSAQICAQBuggW7MIIFt6AD", "GSSAPI", "authentication response"),
        ("TlRMTVNTUAABAAAAB4IIAAAAAAAAAAAAAAAAAAAAAAA=", "NTLM", "authentication response"),
        (encode("Kaze-77pw"), "X-HOUSE-MADE", "authentication response"),
        ("not base64 at all Kaze-77pw", "PLAIN", "authentication response"),
    ],
)
def test_an_initial_response_is_masked_and_its_user_named_when_the_server_names_it(
    blob: str, mechanism: str, mark: str
) -> None:
    line = f"< c[192.0.2.5]: AUTH {mechanism} {blob}"
    kind, _, user = mark.partition(" of ")
    assert redact_texts(line) == [f"< c[192.0.2.5]: AUTH {mechanism} [redacted: {kind}]"]
    named = f"warning: c[192.0.2.5]: SASL {mechanism} authentication failed: no, sasl_username={user or 'bob'}"
    shown, _ = redact_and_prove(make_records(line, named)).records
    assert shown.text == f"< c[192.0.2.5]: AUTH {mechanism} [redacted: {mark}]"


@pytest.mark.parametrize("command", ["auth  plain  {}", "AuTh PLAIN {}", "AUTH=PLAIN {}", " AUTH PLAIN {}"])
def test_auth_is_known_however_it_is_typed(command: str) -> None:
    blob = encode("\0alice\0Kaze-77pw")
    (shown,) = redact_texts("< c[192.0.2.5]: " + command.format(blob))
    assert blob not in shown
    assert shown.endswith("[redacted: password]")


def test_a_mechanism_nobody_knows_may_be_the_password_itself() -> None:
    auth, glue, warning = redact_texts(
        "< c[192.0.2.5]: AUTH Kaze-77pw",
        "xsasl_cyrus_server_first: sasl_method Kaze-77pw",
        "warning: c[192.0.2.5]: SASL Kaze-77pw authentication failed: no mechanism available",
    )
    assert "Kaze" not in auth + glue + warning
    assert "no mechanism available" in warning


LOGIN = (
    "< c[192.0.2.5]: AUTH LOGIN",
    "xsasl_dovecot_handle_reply: auth reply: CONT?2?VXNlcm5hbWU6",
    "> c[192.0.2.5]: 334 VXNlcm5hbWU6",
    f"< c[192.0.2.5]: {encode('alice')}",
    "xsasl_dovecot_handle_reply: auth reply: CONT?2?UGFzc3dvcmQ6",
    "> c[192.0.2.5]: 334 UGFzc3dvcmQ6",
    f"< c[192.0.2.5]: {encode('Kaze-77pw')}",
    "xsasl_dovecot_handle_reply: auth reply: OK?2?user=alice",
    "> c[192.0.2.5]: 235 2.7.0 Authentication successful",
    "< c[192.0.2.5]: MAIL FROM:<alice@example.jp>",
)


def test_login_in_full() -> None:
    shown = redact_texts(*LOGIN)
    assert [new for new, old in zip(shown, LOGIN, strict=True) if new != old] == [
        "< c[192.0.2.5]: [redacted: user name]",
        "< c[192.0.2.5]: [redacted: password]",
    ]


@pytest.mark.parametrize("lost", range(1, 2 ** len(LOGIN[:9])))
def test_whatever_lines_of_a_login_are_lost_the_password_is_masked(lost: int) -> None:
    kept = [line for bit, line in enumerate(LOGIN) if not lost >> bit & 1]
    shown = "\n".join(redact_texts(*kept))
    assert find_spellings("Kaze-77pw", shown) == []


@pytest.mark.parametrize("first", range(len(LOGIN) - 1))
@pytest.mark.parametrize("second", range(len(LOGIN) - 1))
def test_lines_that_overtake_each_other_give_nothing_away(first: int, second: int) -> None:
    lines = list(LOGIN)
    for at in (first, second):
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    assert find_spellings("Kaze-77pw", "\n".join(redact_texts(*lines))) == []


def test_a_password_in_the_place_of_the_user_name_is_never_shown() -> None:
    lines = [*LOGIN[:3], LOGIN[6], *LOGIN[4:6], LOGIN[3], *LOGIN[7:]]
    capture = redact_and_prove(make_records(*lines))
    assert find_spellings("Kaze-77pw", "\n".join(record.text for record in capture.records)) == []
    assert capture.withheld == ()
    assert capture.records[6].text == "< c[192.0.2.5]: [redacted: password]"
    assert "Kaze" not in repr(capture.exposures)


def test_a_cancelled_exchange_ends() -> None:
    lines = (
        "< c[192.0.2.5]: AUTH LOGIN",
        "> c[192.0.2.5]: 334 VXNlcm5hbWU6",
        "< c[192.0.2.5]: *",
        "> c[192.0.2.5]: 501 5.7.0 Authentication aborted",
        "< c[192.0.2.5]: QUIT",
    )
    assert redact_texts(*lines) == list(lines)


@pytest.mark.parametrize("typed", [encode("Kaze-77pw"), "Kaze-77pw", "c2VjcmV0", "MyPassw0rd typed here"])
def test_what_is_no_command_is_masked_without_any_auth(typed: str) -> None:
    assert redact_texts(f"< c[192.0.2.5]: {typed}") == ["< c[192.0.2.5]: [redacted: unrecognised command]"]


@pytest.mark.parametrize(
    "line",
    [
        "< c[192.0.2.5]: EHLO client.example.jp",
        "< c[192.0.2.5]: mail FROM:<alice@example.jp> size=92 AUTH=<>",
        "< c[192.0.2.5]: XCLIENT NAME=client.example.jp ADDR=192.0.2.7 LOGIN=bob",
        "< c[192.0.2.5]: BDAT 500 LAST",
        "> c[192.0.2.5]: 250-AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2",
        "> c[192.0.2.5]: 250-AUTH=PLAIN LOGIN",
        "> 127.0.0.1:10024: XFORWARD NAME=client.example.jp ADDR=192.0.2.7",
        "< 127.0.0.1:10024: 250 2.0.0 Ok: queued as 8C36822E17E",
        "8C36822E17E: message-id=<CAF3xAbCdEfGhIjKlMnOpQrStUvWxYz01234567@mail.example.jp>",
        "8C36822E17E: from=<SRS0=Ab1C=XY=bounceAbCdEf0123456789GhIjKlMnOp@relay.example.jp>, size=1",
        "save session 6A0F1F0C5B6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E8F90A1&s=smtp&l=805306480 to smtpd cache",
        "Trusted TLS connection established from c[192.0.2.5]: TLSv1.2 with cipher ECDHE-RSA-AES256-SHA384",
        "c[192.0.2.5]: subject_CN=c.example.jp, issuer_CN=Root, fingerprint=E7:F7:CC:B4:01:86:01:AD:5F:A5",
        "send attr session = [data 1158 bytes]",
        "send attr sasl_username = alice",
        "mail_addr_find: bob@example.jp -> bob.smith@example.jp",
        "warning: c[192.0.2.5]: SASL PLAIN authentication failed: generic failure, sasl_username=alice",
        "xsasl_dovecot_server_connect: auth reply: MECH?CRAM-MD5?dictionary?active",
        "disconnect from c[192.0.2.5] ehlo=2 starttls=1 auth=1 mail=1 commands=8",
        "SASL authentication debug: DIGEST-MD5 server step 1",
        "improper command pipelining after EHLO from c[192.0.2.5]: QUIT\\r\\n",
    ],
)
def test_ordinary_lines_are_left_as_they_are(line: str) -> None:
    assert redact_texts(line) == [line]


def test_a_secret_once_learnt_is_masked_in_lines_of_any_process() -> None:
    redactor = Redactor()
    for record in make_records(f"< c[192.0.2.5]: AUTH PLAIN {encode(chr(0) + 'alice' + chr(0) + 'Kaze-77pw')}"):
        redactor.redact(record)
    later = [
        "mysterious: Kaze-77pw!",
        "mysterious: kaze-77pw folded",
        f"mysterious: {encode('x:Kaze-77pw')} coded",
        "mysterious: 4b617a652d37377077",
        "mysterious: http://example.jp/?q=Kaze-77pw",
    ]
    shown = [redactor.redact(record).text for record in make_records(*later, daemon="cleanup", pid=99, host="mx2")]
    assert all("[redacted: " in line for line in shown)
    assert find_spellings("Kaze-77pw", "\n".join(shown)) == []


@pytest.mark.parametrize("weak", ["abc", "connect", "alice", "mail", "1234", "mx"])
def test_a_guessed_password_that_is_a_common_word_does_not_blank_the_log(weak: str) -> None:
    lines = (
        f"< c[192.0.2.5]: AUTH PLAIN {encode(chr(0) + 'alice' + chr(0) + weak)}",
        "connect from c[192.0.2.5]:1234",
        "abc mx mail for alice",
    )
    auth, *others = redact_texts(*lines)
    assert auth.endswith("[redacted: password]")
    assert others == list(lines[1:])


def test_exposures_name_account_place_and_line_and_never_the_secret() -> None:
    redactor = Redactor()
    for record in make_records(*LOGIN):
        redactor.redact(record)
    assert redactor.exposures == (Exposure("alice", "mx", None, "LOGIN", "SMTP dialogue", "password", 7),)
    assert "Kaze" not in repr(redactor.exposures)


def test_an_account_that_only_a_later_line_names_is_completed() -> None:
    redactor = Redactor()
    for record in make_records(*LOGIN[5:]):
        redactor.redact(record)
    assert [exposure.account for exposure in redactor.exposures] == ["alice"]


def test_bytes_that_are_no_utf8_survive() -> None:
    text = b"warning: odd \xff\xfe bytes from c[192.0.2.5]".decode("utf-8", "surrogateescape")
    assert redact_texts(text) == [text]
    blob = b64encode(b"\0al\xff\0Kaze\xff77pw").decode()
    assert blob not in redact_texts(f"< c[192.0.2.5]: AUTH PLAIN {blob}")[0]


def test_a_line_that_could_not_be_parsed_is_read_all_the_same() -> None:
    blob = encode("\0alice\0Kaze-77pw")
    text = f"[mail] postfix/smtpd[7]: < c[192.0.2.5]: AUTH PLAIN {blob}"
    shown = Redactor().redact(Record(1, None, "", "", "", None, "", text)).text
    assert shown == "[mail] postfix/smtpd[7]: < c[192.0.2.5]: AUTH PLAIN [redacted: password]"


def test_repeated_lines_are_read_inside() -> None:
    (shown,) = redact_texts(f"message repeated 2 times: [ < c[192.0.2.5]: {encode('Kaze-77pw')}]")
    assert shown == "message repeated 2 times: [ < c[192.0.2.5]: [redacted: unrecognised command]]"


_MARKS = (
    "[redacted: password of alice]",
    "[redacted: ",
    "]",
    "AUTH PLAIN ",
    "334 ",
    "\udcff",
    ": ",
    " = ",
    "?",
)


@given(data=st.data())
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_mutated_lines_are_stable_after_one_pass(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(_SHAPES))
    at = data.draw(st.integers(0, len(source)))
    cut = data.draw(st.integers(0, 12))
    text = source[:at] + data.draw(st.sampled_from(("", *_MARKS))) + source[at + cut :]
    daemon = data.draw(st.sampled_from(("smtpd", "smtp", "cleanup")))
    (once,) = redact_texts(text, daemon=daemon)
    assert redact_texts(once, daemon=daemon) == [once]


def test_a_value_without_its_name_is_stable_when_a_part_of_it_is_masked() -> None:
    text = "input attribute value: ?bOlnQjaYZmZ8eARr3se0k2+QegPDgkZVJ/f0KMl2Fms="
    (once,) = redact_texts(text, daemon="smtp")
    assert once == "input attribute value: ?[redacted: long opaque value]"
    assert redact_texts(once, daemon="smtp") == [once]


def test_a_word_that_was_masked_as_known_and_the_response_behind_it_are_stable() -> None:
    text = "< c[192.0.2.5]: AUTH [redacted: known secret] [redacted: authentication response]"
    assert redact_texts(text) == [text]


@given(st.text(st.characters(codec=None, exclude_characters="\n"), max_size=120))
@example("\0")
@settings(deadline=None)
def test_any_text_is_stable_after_one_pass(text: str) -> None:
    (once,) = redact_texts(text)
    assert redact_texts(once) == [once]


def _collect_shapes() -> list[str]:
    shapes: dict[str, str] = {}
    for path in RECORDED:
        for record in read_records(path):
            shapes.setdefault(re.sub(r"[0-9A-Fa-f]{2,}", "#", record.text)[:60], record.text[:300])
    return list(shapes.values())


_SHAPES = _collect_shapes()
