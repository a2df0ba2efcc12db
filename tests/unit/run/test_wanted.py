"""What ``explain`` is asked for: words as people copy them, and words that fit nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pfremote.errors import UsageError
from pfremote.maillog.narrow import Wanted
from pfremote.postfix.matching import match_peer
from pfremote.run.wanted import read_wanted

NOTHING: dict[str, Any] = {
    **dict.fromkeys(("peer", "senders", "recipients", "queue_ids", "message_ids", "users"), ()),
    **{"since": None, "until": None, "failed": False},
}


def read(**words: Any) -> Wanted:
    return read_wanted({**NOTHING, **words})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("4abcde1234", "4ABCDE1234"),
        ("4ABCDE1234:", "4ABCDE1234"),
        ("4ABCDE1234*", "4ABCDE1234"),
        ("4Zx0gY1bNCz5xGh", "4Zx0gY1bNCz5xGh"),
        ("4Zx0gY1bNCz5xGh!", "4Zx0gY1bNCz5xGh"),
    ],
)
def test_a_queue_id_as_it_is_copied(typed: str, meant: str) -> None:
    assert read(queue_ids=(typed,)).queue_ids == (meant,)


@pytest.mark.parametrize(
    ("typed", "name", "address", "fits"),
    [
        ("192.0.2.10", "a.example.jp", "192.0.2.10", True),
        ("[192.0.2.10]", "a.example.jp", "192.0.2.10", True),
        ("192.0.2.0/24", "a.example.jp", "192.0.2.10", True),
        ("2001:DB8::1", "a.example.jp", "2001:db8::1", True),
        ("example.jp", "a.example.jp", "192.0.2.10", True),
        (".example.jp", "a.example.jp", "192.0.2.10", True),
        (".example.jp", "a.example.org", "192.0.2.10", False),
        ("192.0.2.9, 192.0.2.10", "a.example.jp", "192.0.2.10", True),
        ("[mx.example.org]:587", "mx.example.org", "198.51.100.3", True),
        ("!192.0.2.10", "a.example.jp", "192.0.2.10", False),
        ("!192.0.2.10", "a.example.jp", "192.0.2.11", True),
    ],
)
def test_a_peer_as_it_is_typed(typed: str, name: str, address: str, fits: bool) -> None:
    assert match_peer(read(peer=(typed,)).peers, name, address) is fits


@pytest.mark.parametrize(
    ("words", "problem", "way_out"),
    [
        ({"peer": ("",)}, "--peer is empty", "variable of your shell"),
        ({"users": ("alice", " ")}, "--user is empty", "variable of your shell"),
        ({"senders": ("",)}, "--from is empty", "variable of your shell"),
        ({"recipients": ("",)}, "--to is empty", "variable of your shell"),
        ({"queue_ids": ("",)}, "--queue-id is empty", "variable of your shell"),
        ({"message_ids": ("",)}, "--message-id is empty", "variable of your shell"),
        ({"peer": ("*",)}, "no wildcard", "Leave --peer out"),
        ({"peer": ("192.0.2.0/33",)}, "mask length", "/0 to /32"),
        ({"peer": ("192.0.2.10:25",)}, "has no port", "Type 192.0.2.10."),
        ({"peer": ("mx.example.org[198.51.100.3]",)}, "not a pattern", "Type 198.51.100.3"),
        ({"peer": ("/etc/postfix/peers",)}, "a file on a mail host", "Name the peers"),
        ({"peer": ("hash:/etc/postfix/peers",)}, "a table on a mail host", "Name the peers"),
    ],
)
def test_a_word_that_fits_nothing_is_refused(words: dict[str, Any], problem: str, way_out: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        read(**words)
    assert way_out in str(caught.value.hint)


def test_the_empty_sender_is_that_of_bounces() -> None:
    assert read(senders=("<>",)).senders == ("",)
    assert read(senders=("<a@example.jp>",)).senders == ("a@example.jp",)
