"""The way of a message: hops of one host, joined over hosts, told as one story."""

from __future__ import annotations

from datetime import UTC, datetime

from pfremote.maillog.messages.collect import collect_hops
from pfremote.maillog.messages.join import join_messages
from pfremote.maillog.messages.message import Hop, Message
from pfremote.maillog.parse.lines import parse_line
from pfremote.report.stories import tell_story

NOW = datetime(2026, 11, 25, tzinfo=UTC)

MX = """\
Nov 24 10:00:00 mx postfix/smtpd[1]: 4A1B2C3D4E: client=out.example.net[192.0.2.7]
Nov 24 10:00:00 mx postfix/cleanup[2]: 4A1B2C3D4E: message-id=<m1@example.net>
Nov 24 10:00:00 mx postfix/qmgr[3]: 4A1B2C3D4E: from=<ann@example.net>, size=1200, nrcpt=2 (queue active)
Nov 24 10:00:01 mx postfix/smtp[4]: 4A1B2C3D4E: to=<bob@example.jp>, relay=filter[127.0.0.1]:10024, delay=1, delays=0.1/0/0.1/0.8, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5B2C3D4E5F)
Nov 24 10:00:01 mx postfix/smtpd[5]: 5B2C3D4E5F: client=localhost[127.0.0.1], orig_queue_id=4A1B2C3D4E, orig_client=out.example.net[192.0.2.7]
Nov 24 10:00:01 mx postfix/cleanup[2]: 5B2C3D4E5F: message-id=<m1@example.net>
Nov 24 10:00:02 mx postfix/smtp[6]: 5B2C3D4E5F: to=<bob@example.jp>, relay=mbox.example.jp[198.51.100.2]:25, delay=31, delays=0.1/0.1/30.2/0.2, tls=may:verified, dsn=4.2.0, status=deferred (host mbox.example.jp[198.51.100.2] said: 450 4.2.0 Greylisted)
Nov 24 10:05:02 mx postfix/smtp[6]: 5B2C3D4E5F: to=<bob@example.jp>, relay=mbox.example.jp[198.51.100.2]:25, delay=301, delays=300/0/0.5/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 6C3D4E5F6A)
Nov 24 10:05:02 mx postfix/qmgr[3]: 5B2C3D4E5F: removed
Nov 24 10:05:02 mx postfix/smtp[4]: 4A1B2C3D4E: to=<gone@example.jp>, relay=mbox.example.jp[198.51.100.2]:25, delay=2, delays=1/0/0/1, dsn=5.1.1, status=bounced (host mbox.example.jp[198.51.100.2] said: 550 5.1.1 no such user)
Nov 24 10:05:02 mx postfix/bounce[7]: 4A1B2C3D4E: sender non-delivery notification: 7D4E5F6A7B
Nov 24 10:05:03 mx postfix/cleanup[2]: 7D4E5F6A7B: message-id=<n1@mx>
Nov 24 10:05:03 mx postfix/smtp[4]: 7D4E5F6A7B: to=<ann@example.net>, relay=out.example.net[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
"""
MBOX = """\
Nov 24 10:05:02 mbox postfix/smtpd[1]: 6C3D4E5F6A: client=mx.example.jp[192.0.2.1]
Nov 24 10:05:02 mbox postfix/cleanup[2]: 6C3D4E5F6A: message-id=<m1@example.net>
Nov 24 10:05:02 mbox postfix/lmtp[3]: 6C3D4E5F6A: to=<bob@example.jp>, relay=mbox[private/dovecot-lmtp], delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 <bob> Saved)
Nov 24 10:05:02 mbox postfix/qmgr[4]: 6C3D4E5F6A: removed
Nov 24 11:00:00 mbox postfix/smtpd[1]: 6C3D4E5F6A: client=other.example.org[203.0.113.4]
"""


def hops(host: str, text: str) -> tuple[Hop, ...]:
    return collect_hops(host, [parse_line(line, at, now=NOW) for at, line in enumerate(text.splitlines(), 1)])


def messages() -> tuple[Message, ...]:
    return join_messages([*hops("mx", MX), *hops("mbox", MBOX)])


def test_a_filter_a_retry_a_bounce_and_the_next_host_are_one_story() -> None:
    first = messages()[0]
    assert [(hop.host, hop.queue_id) for hop in first.hops] == [
        ("mx", "4A1B2C3D4E"),
        ("mx", "5B2C3D4E5F"),
        ("mbox", "6C3D4E5F6A"),
        ("mx", "7D4E5F6A7B"),
    ]
    assert first.message_id == "<m1@example.net>"
    assert first.sender == "ann@example.net"
    assert first.recipients == ("bob@example.jp", "gone@example.jp")  # the bounce went to the sender
    assert first.fate == "bounced"  # of two recipients the worst counts


def test_a_queue_id_that_is_used_again_is_another_message() -> None:
    assert [[hop.queue_id for hop in message.hops] for message in messages()[1:]] == [["6C3D4E5F6A"]]
    assert messages()[1].hops[0].client == "other.example.org[203.0.113.4]"
    assert messages()[1].fate == "unknown"


def test_messages_without_a_message_id_are_not_one() -> None:
    text = "".join(
        f"Nov 24 10:00:00 mx postfix/cleanup[2]: {queue_id}: message-id=<>\n"
        for queue_id in ("4A1B2C3D4E", "5B2C3D4E5F")
    )
    first, second = join_messages(hops("mx", text))
    assert (first.message_id, second.message_id) == ("", "")


def test_the_story_tells_where_the_time_went_and_where_it_stopped() -> None:
    story = tell_story(messages()[0])
    steps = [step for hop in story.hops for step in hop.steps]
    assert any("30.2 s connecting" in step and "Greylisted" in step and "TLS may:verified" in step for step in steps)
    assert "came back from a content filter of 4A1B2C3D4E" in steps
    assert "is the bounce of 4A1B2C3D4E" in steps
    assert story.end.startswith("returned to its sender")


def test_held_discarded_refused_and_expired_mail_is_told() -> None:
    text = """\
Nov 24 10:00:00 mx postfix/cleanup[2]: 1A1B2C3D4E: milter-hold: END-OF-MESSAGE from a[192.0.2.1]: held
Nov 24 10:00:00 mx postfix/cleanup[2]: 2A1B2C3D4E: discard: header Subject: x from a[192.0.2.1]; gone
Nov 24 10:00:00 mx postfix/cleanup[2]: 3A1B2C3D4E: milter-reject: END-OF-MESSAGE from a[192.0.2.1]: 5.7.1 no
Nov 24 10:00:00 mx postfix/smtp[2]: 4A1B2C3D4E: to=<a@example.jp>, relay=none, delay=9, dsn=4.4.1, status=deferred (x)
"""
    assert [hop.fate for hop in hops("mx", text)] == ["held", "discarded", "refused", "deferred"]
