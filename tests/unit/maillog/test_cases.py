"""What admins posted, in invented names: each line in its session, at its time, and nothing that matters folded away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.sessions.build import Session, Sessions, build_sessions
from pfremote.maillog.sessions.select import select
from pfremote.maillog.transcripts.explicit import topic_of
from pfremote.maillog.transcripts.render import render_text
from pfremote.maillog.transcripts.transcript import Transcript, build_transcripts
from tests.support.recorder.expect import FIXTURES, NOW
from tests.support.redacting import redact_and_prove

CASES = FIXTURES / "cases" / "log"


def read(data: bytes) -> Sessions:
    return build_sessions(redact_and_prove(parse_evidence(data, now=NOW, utc_offset=timedelta(0))).records)


def case(name: str) -> Sessions:
    return read((CASES / f"{name}.log").read_bytes())


def lines(*texts: str) -> Sessions:
    return read("".join(f"Nov 24 02:13:49 mx postfix/{text}\n" for text in texts).encode())


def transcript_of(found: Sessions) -> Transcript:
    (transcript,) = build_transcripts(found.sessions, found.followed)
    return transcript


def texts(transcript: Transcript) -> list[str]:
    return [turn.text for turn in transcript.turns]


def test_another_client_ends_the_session_and_is_not_shown() -> None:
    found = case("lost-lines-merge-clients")
    first, other = found.sessions
    assert (first.peer, first.cut) == ("client.example.jp[192.0.2.10]", "end")
    assert (other.peer, other.cut) == ("other.example.net[198.51.100.7]", "start")
    kept = select(found, lambda session: session.peer_name == "client.example.jp")
    assert not any("other.example.net" in record.text for record in kept.records())


@pytest.mark.parametrize(
    "text",
    [
        "NOQUEUE: reject: RCPT from b[192.0.2.2]: 550 5.1.1 <x@example.jp>: Recipient address rejected: User unknown",
        "5AB0C11D22E: client=b[192.0.2.2]",
        "warning: b[192.0.2.2]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
        "SSL_accept error from b[192.0.2.2]: -1",
        "Anonymous TLS connection established from b[192.0.2.2]: TLSv1.3 with cipher X (256/256 bits)",
        "5AB0C11D22E: milter-reject: RCPT from b[192.0.2.2]: 550 no",
        "NOQUEUE: lost connection after EHLO from b[192.0.2.2]",
        "lost connection after EHLO from b[192.0.2.2]",
        "warning: Connection rate limit exceeded: 9 from b[192.0.2.2] for service smtp",
        "> b[192.0.2.2]: 250 2.1.0 Ok",
        "warning: non-SMTP command from b[192.0.2.2]: GET / HTTP/1.1",
        "too many errors after RCPT from b[192.0.2.2]",
    ],
)
def test_every_line_that_names_another_client_ends_the_session(text: str) -> None:
    found = lines("smtpd[1]: connect from a[192.0.2.1]", "smtpd[1]: > a[192.0.2.1]: 220 hi", f"smtpd[1]: {text}")
    assert [session.peer for session in found.sessions] == ["a[192.0.2.1]", "b[192.0.2.2]"]
    assert [session.cut for session in found.sessions] == ["end", "both"]


def test_a_client_that_says_xclient_gets_one_other_name() -> None:
    found = lines(
        "smtpd[1]: connect from proxy[192.0.2.1]",
        "smtpd[1]: < proxy[192.0.2.1]: XCLIENT NAME=b ADDR=192.0.2.2",
        "smtpd[1]: > b[192.0.2.2]: 220 hi",
        "smtpd[1]: > b[192.0.2.2]: 250 ok",
        "smtpd[1]: > c[192.0.2.3]: 250 ok",
    )
    assert [len(session.records) for session in found.sessions] == [4, 1]


def outbound(*texts: str) -> tuple[Session, ...]:
    return lines(*(f"smtp[1]: {text}" for text in texts)).sessions


def test_another_server_without_a_greeting_ends_the_conversation() -> None:
    first, second = outbound(
        "< a[192.0.2.1]:25: 220 hi",
        "> a[192.0.2.1]:25: EHLO mx",
        "< b[192.0.2.2]:25: 250 ok",
        "AAAAAA1: to=<x@b>, relay=b[192.0.2.2]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)",
    )
    assert (first.peer, first.cut, first.queue_ids) == ("a[192.0.2.1]:25", "end", ())
    assert (second.peer, second.cut, second.queue_ids) == ("b[192.0.2.2]:25", "start", ("AAAAAA1",))


def test_a_status_of_another_server_is_none_of_this_conversation() -> None:
    first, second = outbound(
        "< a[192.0.2.1]:25: 220 hi",
        "> a[192.0.2.1]:25: EHLO mx",
        "AAAAAA1: to=<x@b>, relay=b[192.0.2.2]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)",
    )
    assert (first.cut, first.queue_ids) == ("end", ())
    assert second.queue_ids == ("AAAAAA1",)


def test_another_queue_id_ends_the_conversation() -> None:
    first, second = outbound(
        "< a[192.0.2.1]:25: 220 hi",
        "> a[192.0.2.1]:25: EHLO mx",
        "AAAAAA1: host a[192.0.2.1] said: 450 later (in reply to RCPT TO command)",
        "BBBBBB2: host a[192.0.2.1] said: 450 later (in reply to RCPT TO command)",
    )
    assert (first.queue_ids, first.cut) == (("AAAAAA1",), "end")
    assert second.queue_ids == ("BBBBBB2",)


def test_two_stamps_make_one_session() -> None:
    (session,) = case("docker-time-before-time").sessions
    assert session.started == datetime(2026, 11, 26, 1, 0, 0, 100001, tzinfo=UTC)
    assert [record.host for record in session.records] == [""] * 4


def test_lines_of_cleanup_stand_before_the_reply_that_they_explain() -> None:
    said = texts(transcript_of(case("followed-line-after-disconnect")))
    at = next(number for number, text in enumerate(said) if text.startswith("cleanup: "))
    assert said[at + 1].startswith("550 5.7.1 Spam")


def test_what_cleanup_says_without_a_queue_id_is_its_messages() -> None:
    said = texts(transcript_of(case("milter-crash-line-lost")))
    assert any("can't read SMFIC_BODYEOB" in text for text in said)


def test_a_line_between_two_messages_is_the_earlier_ones() -> None:
    found = lines(
        "smtpd[1]: 5AB0C11D22E: client=a[192.0.2.1]",
        "cleanup[2]: 5AB0C11D22E: message-id=<1@a>",
        "cleanup[2]: warning: milter inet:127.0.0.1:1: can't read SMFIC_HEADER reply packet header: EOF",
        "cleanup[2]: 6AB0C11D22E: message-id=<2@a>",
        "cleanup[3]: warning: nobody's",
    )
    assert [record.number for record in found.followed] == [2, 3]
    assert [record.number for record in found.unplaced] == [4, 5]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hidden-explicit-lines", "SMTPS wrappermode (TCP port 465) requires"),
        ("dane-mismatch-called-name", "num=65:no matching DANE TLSA records"),
        ("mail-vanished-hold-discard", "milter-discard: END-OF-MESSAGE"),
        ("auth-temporary-failure", "SASL server refused alice@example.jp: temp"),
        ("outbound-no-auth-info", "no auth info found"),
        ("tls-own-certificate-missing", "cannot get RSA certificate"),
    ],
)
def test_what_postfix_says_of_its_own_accord_is_shown(name: str, words: str) -> None:
    assert words in "\n".join(texts(transcript_of(case(name))))


@pytest.mark.parametrize("name", ["auth-user-not-logged", "auth-temporary-failure"])
def test_the_user_of_a_login_is_shown(name: str) -> None:
    shown = render_text(transcript_of(case(name)))
    assert "user not logged" not in shown
    assert "SASL: PLAIN alice" in shown


def test_what_only_warned_is_no_refusal() -> None:
    assert transcript_of(case("warn-if-reject")).rejects == ()


@pytest.mark.parametrize(
    "text",
    [
        "table hash:/etc/postfix/x(0,lock) has changed -- restarting",
        "proxy-reject: END-OF-MESSAGE: 550 no; from=<a@b> to=<c@d> proto=ESMTP helo=<e>",
        "Host offered STARTTLS: [mx.example.com]",
        "mx.example.com[192.0.2.1]:25: re-using session with untrusted certificate, look for details earlier in the log",
        "TLSRPT: status=failure, domain=example.com, receiving_mx=mx[192.0.2.1], failure_type=certificate_expired",
        "a sentence that no version of Postfix had when this was written",
    ],
)
def test_what_is_said_at_the_normal_level_has_a_topic(text: str) -> None:
    assert topic_of(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "connect to subsystem private/rewrite",
        "tls_proxy_client_init_print ret=0",
        "SSL_connect:SSLv3/TLS write client hello",
        "save session relay&[127.0.0.1]:25 to smtp cache",
        "0000 16 03 01 02                                      ....",
        "Comparing: something",
    ],
)
def test_what_only_debugging_says_has_none(text: str) -> None:
    assert topic_of(text) is None


def test_real_postfix_3_11_reads_whole() -> None:
    found = read((FIXTURES / "verbose-3.11.7-sid.log").read_bytes())
    assert [(session.kind, session.cut) for session in found.sessions] == [("smtpd", "")] * 3 + [("smtp", "")]
    assert [record.text for record in found.unplaced] == [
        "daemon started -- version 3.11.7, configuration /etc/postfix"
    ]
    (shown,) = (render_text(one) for one in build_transcripts(found.sessions[2:3], found.followed))
    # Refused before any server looked at it: no line but the client's own says who it is.
    assert "SASL: PLAIN (user not logged) refused" in shown
