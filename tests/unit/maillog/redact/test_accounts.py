"""A user is named only where a line of the server names the same: what came in the user's place may be the password."""

from __future__ import annotations

import struct
from base64 import b64encode
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pfremote.maillog.live import LiveReader
from pfremote.maillog.proof.table import RedactedTable
from tests.support.maillines import b64, find_spellings, make_login, make_records
from tests.support.recorder.expect import NOW
from tests.support.redacting import redact_and_prove

SECRET = "Kaze-77pw"
PEER = "c[192.0.2.5]"
RELAY = "r[192.0.2.9]:587"


def read(*lines: str, daemon: str = "smtpd") -> RedactedTable:
    return redact_and_prove(make_records(*lines, daemon=daemon))


def told(capture: RedactedTable) -> str:
    return "\n".join(record.text for record in capture.records) + repr(capture.exposures)


#: What servers say of a LOGIN: Dovecot, Cyrus, a server whose lines name no user, one that accepts.
ENDS = {
    "Dovecot": ("xsasl_dovecot_handle_reply: auth reply: FAIL?2?user=alice", f"> {PEER}: 535 5.7.8 no"),
    "Postfix 3.5": (
        f"warning: {PEER}: SASL LOGIN authentication failed: no, sasl_username=alice",
        f"> {PEER}: 535 5.7.8 no",
    ),
    "no name": (f"warning: {PEER}: SASL LOGIN authentication failed: no", f"> {PEER}: 535 5.7.8 no"),
    "accepted": (
        f"> {PEER}: 235 2.7.0 ok",
        f"8C36822E171: client={PEER}, sasl_method=LOGIN, sasl_username=alice",
    ),
}


def login(end: str) -> list[str]:
    return [*make_login(PEER, b64(SECRET)), *ENDS[end]]


CYRUS = [
    f"< {PEER}: AUTH LOGIN",
    "xsasl_cyrus_server_auth_response: uncoded server challenge: Username:",
    f"> {PEER}: 334 VXNlcm5hbWU6",
    f"< {PEER}: {b64('alice')}",
    "xsasl_cyrus_server_next: decoded response: alice",
    "xsasl_cyrus_server_auth_response: uncoded server challenge: Password:",
    f"> {PEER}: 334 UGFzc3dvcmQ6",
    f"< {PEER}: {b64(SECRET)}",
    f"xsasl_cyrus_server_next: decoded response: {SECRET}",
    f"> {PEER}: 535 5.7.8 no",
]
OUTBOUND = [
    f"smtp_sasl_passwd_lookup: host `r' user `alice' pass `{SECRET}'",
    f"> {RELAY}: AUTH LOGIN",
    f"< {RELAY}: 334 VXNlcm5hbWU6",
    f"> {RELAY}: {b64('alice')}",
    f"< {RELAY}: 334 UGFzc3dvcmQ6",
    f"> {RELAY}: {b64(SECRET)}",
    f"< {RELAY}: 535 5.7.8 no",
]
#: A relay that asks for the user twice: SASL's client sends the password second, whatever it was asked (RFC 4616 has no
#: such step; draft-murchison-sasl-login lets the prompts be any text).
LYING = [
    *OUTBOUND[1:4],
    OUTBOUND[2],
    f"> {RELAY}: {b64(SECRET)}",
    f"< {RELAY}: 334 UGFzc3dvcmQ6",
    f"> {RELAY}: ",
    f"< {RELAY}: 535 5.7.8 no",
]
DIALOGUES = {
    "lying relay": (LYING, "smtp"),
    **{end: (login(end), "smtpd") for end in ENDS},
    "Cyrus": (CYRUS, "smtpd"),
    "outbound": (OUTBOUND, "smtp"),
}


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A dialogue, and which of its lines come, in which order."""
    name = draw(st.sampled_from(sorted(DIALOGUES)))
    count = len(DIALOGUES[name][0])
    order = draw(st.permutations(range(count)))
    kept = draw(st.sets(st.integers(0, count - 1)))
    return name, [at for at in order if at in kept]


@given(broken())
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(("no name", [0, 1, 4, 3, 2, 5, 6]))
@example(("no name", [3, 4, 1, 2, 6]))
@example(("Dovecot", [0, 1, 4, 3, 2, 6]))
@example(("Cyrus", [0, 1, 2, 7, 5, 6, 3, 9]))
@example(("outbound", [1, 2, 5, 4, 3, 6]))
def test_a_login_dialogue_in_any_order_shows_no_password(case: tuple[str, list[int]]) -> None:
    name, order = case
    lines, daemon = DIALOGUES[name]
    shown = told(read(*(lines[at] for at in order), daemon=daemon))
    assert find_spellings(SECRET, shown) == []


@given(broken())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(("no name", [0, 1, 4, 3, 2, 5, 6]))
def test_followed_it_shows_none_either(case: tuple[str, list[int]]) -> None:
    name, order = case
    lines, daemon = DIALOGUES[name]
    head = f"Nov 24 02:13:49 mx postfix/{daemon}[7]: "
    data = "".join(f"{head}{lines[at]}\n" for at in order).encode()
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=lambda _session: True)
    assert find_spellings(SECRET, repr((reader.feed(data), reader.finish()))) == []


@pytest.mark.parametrize("end", ["Dovecot", "Postfix 3.5", "accepted"])
def test_a_confirmed_user_is_named_in_the_mark(end: str) -> None:
    capture = read(*login(end))
    assert capture.records[4].text == f"< {PEER}: [redacted: password of alice]"
    assert [exposure.account for exposure in capture.exposures] == ["alice"]


def test_a_user_whom_no_line_of_the_server_names_is_not_shown() -> None:
    capture = read(*login("no name"))
    assert [record.text for record in capture.records[2:5:2]] == [
        f"< {PEER}: [redacted: user name]",
        f"< {PEER}: [redacted: password]",
    ]
    assert [exposure.account for exposure in capture.exposures] == ["(unknown)"]


def ntlm(user: str) -> str:
    name = user.encode("utf-16-le")
    head = b"NTLMSSP\0" + struct.pack("<I", 3) + bytes(24) + struct.pack("<HHI", len(name), len(name), 64) + bytes(20)
    return b64encode(head + name).decode()


#: Each mechanism's response for a user, with something in the place of the password.
RESPONSES = {
    "PLAIN": lambda user: b64(f"\0{user}\0alice"),
    "LOGIN": b64,
    "CRAM-MD5": lambda user: b64(f"{user} {'0123456789abcdef' * 2}"),
    "DIGEST-MD5": lambda user: b64(f'username="{user}",realm="x",response={"0123456789abcdef" * 2}'),
    "XOAUTH2": lambda user: b64(f"user={user}\1auth=Bearer t0ken-4242\1\1"),
    "OAUTHBEARER": lambda user: b64(f"n,a={user},\1host=mx\1auth=Bearer t0ken-4242\1\1"),
    "SCRAM-SHA-256": lambda user: b64(f"n,,n={user},r=abcdef"),
    "NTLM": ntlm,
}


@pytest.mark.parametrize("reason", ["no", "no, sasl_username=(unavailable)", "no, sasl_username=bob"])
@pytest.mark.parametrize("mechanism", RESPONSES)
def test_a_password_in_the_place_of_the_user_is_not_shown(mechanism: str, reason: str) -> None:
    capture = read(
        f"< {PEER}: AUTH {mechanism} {RESPONSES[mechanism](SECRET)}",
        f"warning: {PEER}: SASL {mechanism} authentication failed: {reason}",
        f"> {PEER}: 535 5.7.8 no",
    )
    assert find_spellings(SECRET, told(capture)) == []
    assert capture.withheld == ()
    assert "bob" not in capture.records[0].text, "smtpd may name the user of an earlier exchange"


@pytest.mark.parametrize("mechanism", RESPONSES)
def test_the_same_in_the_session_with_a_relay(mechanism: str) -> None:
    lines = [f"> {RELAY}: AUTH {mechanism} {RESPONSES[mechanism](SECRET)}", f"< {RELAY}: 535 5.7.8 no"]
    assert find_spellings(SECRET, told(read(*lines, daemon="smtp"))) == []


@pytest.mark.parametrize("mechanism", RESPONSES)
@pytest.mark.parametrize(
    ("daemon", "peer", "named"),
    [
        ("smtpd", f"< {PEER}", f"warning: {PEER}: SASL X authentication failed: no, sasl_username=carol"),
        ("smtpd", f"< {PEER}", "xsasl_dovecot_handle_reply: auth reply: FAIL?1?user=carol"),
        ("smtpd", f"< {PEER}", f"8C36822E171: client={PEER}, sasl_method=X, sasl_username=carol, sasl_sender=x"),
        ("smtpd", f"< {PEER}", "send attr sasl_username = carol"),
        ("smtp", f"> {RELAY}", "smtp_sasl_passwd_lookup: host `r' user `carol' pass `Sora-88pw'"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_every_line_that_names_the_user_confirms_it(
    mechanism: str, daemon: str, peer: str, named: str, before: bool
) -> None:
    auth = f"{peer}: AUTH {mechanism} {RESPONSES[mechanism]('carol')}"
    capture = read(*((named, auth) if before else (auth, named)), daemon=daemon)
    assert capture.withheld == ()
    assert capture.records[1 if before else 0].text.endswith(" of carol]")


def test_a_line_that_another_client_is_named_in_confirms_nothing() -> None:
    capture = read(
        "connect from d[192.0.2.6]",
        "8C36822E171: client=d[192.0.2.6], sasl_method=PLAIN, sasl_username=carol",
        f"connect from {PEER}",
        f"< {PEER}: AUTH PLAIN {b64(f'{chr(0)}carol{chr(0)}{SECRET}')}",
    )
    assert capture.records[3].text.endswith("[redacted: password]")


@pytest.mark.parametrize("word", ["gr4n.it", "pass", "abc", "Kaze-77pw", "alice@example.jp"])
def test_the_server_may_repeat_a_part_of_what_cannot_be_decided(word: str) -> None:
    """Too short to be learned, or written like a host name: it is masked in the user's place all the same."""
    named = [
        f"warning: {PEER}: SASL PLAIN authentication failed: no, sasl_username={word}",
        f"xsasl_dovecot_handle_reply: auth reply: FAIL?1?user={word}?original_user={word}?auth_user={word}",
        f"8C36822E171: client={PEER}, sasl_method=PLAIN, sasl_username={word}, sasl_sender=x",
        f"send attr sasl_username = {word}",
    ]
    auth = f"< {PEER}: AUTH PLAIN {b64(f'alice{chr(0)}{word}{chr(0)}')}"
    for line in named:
        (_, shown) = read(auth, line).records
        assert f"={word}" not in shown.text
        assert not shown.text.endswith(word)


@pytest.mark.parametrize(
    "value", ["Kaze-77pw", "alice#Kaze-77pw", "alice Kaze-77pw", "alice|Kaze-77pw", "alice=Kaze-77pw"]
)
def test_a_table_value_that_smtp_did_not_split_is_no_user(value: str) -> None:
    """smtp_sasl_password_result_delimiter is not the one of the table: what smtp takes for the user is all of it."""
    lines = [
        f"smtp_sasl_passwd_lookup: host `r' user `{value}' pass `'",
        f"xsasl_cyrus_client_get_user: {value}",
        f"> {RELAY}: AUTH LOGIN",
        f"< {RELAY}: 334 VXNlcm5hbWU6",
        f"> {RELAY}: {b64(value)}",
        f"< {RELAY}: 334 UGFzc3dvcmQ6",
        f"> {RELAY}: ",
        f"odd: {SECRET}",
    ]
    for kept in (lines, lines[1:-1], lines[2:-1], lines[:1]):
        assert find_spellings(SECRET, told(read(*kept, daemon="smtp"))) == []


@pytest.mark.parametrize("end", ["", " ", "'", "' ", "'\0", "'\r", "' [redacted: password of alice]", "'?", "'xxx"])
def test_an_empty_password_is_known_behind_what_a_damaged_line_has(end: str) -> None:
    shown = told(read(f"smtp_sasl_passwd_lookup: host `r' user `{SECRET}' pass `{end}", daemon="smtp"))
    assert find_spellings(SECRET, shown) == []


@pytest.mark.parametrize("behind", [" x", " [redacted: password of alice]", "xxxxx", "=x", "\0\0x", "?x", ":x"])
def test_a_response_with_something_behind_it_gives_its_parts_away_to_us(behind: str) -> None:
    capture = read(
        f"< {PEER}: AUTH PLAIN {b64(f'alice{chr(0)}{SECRET}{chr(0)}')}{behind}",
        f"xsasl_dovecot_handle_reply: auth reply: FAIL?1?user={SECRET}",
    )
    assert find_spellings(SECRET, told(capture)) == []


def test_a_user_who_was_let_in_stays_one_whatever_is_sent_later() -> None:
    accepted = [
        f"< {PEER}: AUTH PLAIN {b64(f'{chr(0)}alice{chr(0)}{SECRET}')}",
        "xsasl_dovecot_handle_reply: auth reply: OK?1?user=alice",
        f"> {PEER}: 235 2.7.0 ok",
    ]
    external = [f"< {PEER}: AUTH EXTERNAL {b64('alice')}", f"> {PEER}: 535 5.7.8 no"]
    capture = read(*accepted, *external)
    assert capture.withheld == ()
    assert capture.records[0].text.endswith("[redacted: password of alice]")
    assert capture.records[3].text.endswith("AUTH EXTERNAL [redacted: authentication response]")


@pytest.mark.parametrize(
    "lines",
    [
        (f"< {PEER}: MAIL FROM:<a@b.jp> {SECRET}", f"> {PEER}: 555 5.5.4 Unsupported option: {SECRET}"),
        (f"< {PEER}: VRFY {SECRET}", f"> {PEER}: 252 2.0.0 {SECRET}"),
        (f"< {PEER}: RCPT TO:<{SECRET}>", f"> {PEER}: 554 5.7.1 <{SECRET}>: Relay access denied"),
        (f"< {PEER}: HELO {SECRET}", f"> {PEER}: 504 5.5.2 <{SECRET}>: Helo command rejected"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_secret_that_smtpd_repeats_in_its_reply_is_masked(lines: tuple[str, str], before: bool) -> None:
    auth = (f"< {PEER}: AUTH PLAIN {b64(f'{chr(0)}alice{chr(0)}{SECRET}')}", f"> {PEER}: 535 5.7.8 no")
    capture = read(*((*auth, *lines) if before else (*lines, *auth)))
    assert find_spellings(SECRET, told(capture)) == []
    assert capture.withheld == ()


@pytest.mark.parametrize("shown", [SECRET, b64(SECRET), b64("x" + SECRET), SECRET.encode().hex(), SECRET.lower()])
def test_a_relay_that_repeats_our_password_gives_nothing_away(shown: str) -> None:
    lines = [
        f"smtp_sasl_passwd_lookup: host `r' user `alice' pass `{SECRET}'",
        f"> {RELAY}: AUTH PLAIN {b64(f'{chr(0)}alice{chr(0)}{SECRET}')}",
        f"< {RELAY}: 535 5.7.8 {shown} is wrong",
        f"8C36822E171: to=<a@b.jp>, relay={RELAY}, delay=1, dsn=4.7.8, status=deferred (SASL failed: {shown} is wrong)",
    ]
    text = told(read(*lines, daemon="smtp"))
    assert find_spellings(SECRET, text) == []
    assert SECRET.lower() not in text


def test_a_secret_written_like_a_name_that_only_the_client_gave_is_learned() -> None:
    """User and password in each other's place, then the right way round: neither guess keeps the other on show."""
    capture = read(
        f"< {PEER}: AUTH PLAIN {b64(f'{chr(0)}{SECRET}{chr(0)}alice')}",
        f"> {PEER}: 535 5.7.8 no",
        f"< {PEER}: AUTH PLAIN {b64(f'{chr(0)}alice{chr(0)}{SECRET}')}",
        f"> {PEER}: 535 5.7.8 no",
        f"< {PEER}: NOOP {SECRET}",
    )
    assert find_spellings(SECRET, told(capture)) == []


def test_a_user_who_guesses_its_own_name_is_still_named() -> None:
    capture = read(
        f"< {PEER}: AUTH PLAIN {b64(f'{chr(0)}alice{chr(0)}alice')}",
        f"warning: {PEER}: SASL PLAIN authentication failed: no, sasl_username=alice",
        f"> {PEER}: 535 5.7.8 no",
    )
    assert capture.withheld == ()
    assert capture.records[0].text.endswith("[redacted: password of alice]")
    assert capture.records[1].text.endswith("sasl_username=alice")


@pytest.mark.parametrize("again", [True, False])
def test_a_warning_before_the_first_connect_is_of_the_client_that_it_names(again: bool) -> None:
    """Found by mutation: it stood there when a later response told that the name may be the password."""
    warning = f"warning: {PEER}: SASL LOGIN authentication failed: no, sasl_username={SECRET}"
    capture = read(
        warning,
        *((f"connect from {PEER}",) if again else ()),
        f"> {PEER}: 220 mx",
        f"< {PEER}: AUTH PLAIN {b64(f'alice{chr(0)}{SECRET}{chr(0)}')}",
        f"> {PEER}: 535 5.7.8 no",
    )
    assert find_spellings(SECRET, told(capture)) == []
    assert capture.records[0].text.startswith(f"warning: {PEER}: SASL LOGIN authentication failed: no")


def follow(*lines: str, daemon: str = "smtpd") -> str:
    """Return what is shown of lines that come one by one."""
    head = f"Nov 24 02:13:49 mx postfix/{daemon}[7]: "
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=lambda _session: True)
    fed = [reader.feed(f"{head}{line}\n".encode()) for line in lines]
    return repr((fed, reader.finish()))


NAMES = (
    f"xsasl_dovecot_handle_reply: auth reply: FAIL?1?user={SECRET}",
    f"xsasl_dovecot_handle_reply: auth reply: OK?1?user=bob?original_user={SECRET}",
    f"warning: {PEER}: SASL LOGIN authentication failed: no, sasl_username={SECRET}",
    f"8C36822E171: client={PEER}, sasl_method=PLAIN, sasl_username={SECRET}",
    f"send attr sasl_username = {SECRET}",
)
#: No one can tell which part of this response is the user.
TELLS = (f"< {PEER}: AUTH PLAIN {b64(f'alice{chr(0)}{SECRET}{chr(0)}')}", f"> {PEER}: 535 5.7.8 no")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "before",
    [
        (),
        (f"connect from {PEER}", f"> {PEER}: 220 mx"),
        (f"connect from {PEER}", f"> {PEER}: 220 mx", *login("Dovecot")),
    ],
    ids=["nothing", "connect", "login of another"],
)
def test_a_name_that_came_before_its_response_is_not_shown_while_following(name: str, before: tuple[str, ...]) -> None:
    """Two lines were swapped: what has been shown cannot be taken back, so it waits for a client that says the same."""
    assert find_spellings(SECRET, follow(*before, name, *TELLS, "disconnect from " + PEER)) == []


def test_nor_is_one_that_came_within_the_exchange_but_is_another_than_the_client_says() -> None:
    lines = [
        f"connect from {PEER}",
        *login("accepted")[:2],
        NAMES[0],
        *login("accepted")[2:4],
        f"> {PEER}: 235 2.7.0 ok",
    ]
    assert find_spellings(SECRET, follow(*lines, *TELLS, f"disconnect from {PEER}")) == []


@pytest.mark.parametrize("end", sorted(set(ENDS) - {"no name"}))
def test_a_user_whom_client_and_server_name_is_shown_while_following(end: str) -> None:
    shown = follow(f"connect from {PEER}", f"> {PEER}: 220 mx", *login(end), f"disconnect from {PEER}")
    named = next(line for line in ENDS[end] if "alice" in line)
    assert named in shown


def test_a_user_of_kerberos_is_shown_while_following_since_its_client_names_none() -> None:
    lines = [
        f"connect from {PEER}",
        f"< {PEER}: AUTH GSSAPI {b64('ticket' * 9)}",
        "xsasl_dovecot_handle_reply: auth reply: OK?1?user=alice@EXAMPLE.JP",
        f"> {PEER}: 235 2.7.0 ok",
    ]
    assert "user=alice@EXAMPLE.JP" in follow(*lines, f"disconnect from {PEER}")


def test_of_two_names_the_one_that_the_client_said_stands_in_its_own_place() -> None:
    reply = "xsasl_dovecot_handle_reply: auth reply: OK?1?user=bob?original_user=alice"
    response = b64(f"{chr(0)}alice{chr(0)}{SECRET}")
    shown = follow(f"connect from {PEER}", f"< {PEER}: AUTH PLAIN {response}", reply, f"> {PEER}: 235 ok")
    assert "OK?1?user=[redacted: user name]?original_user=alice" in shown
