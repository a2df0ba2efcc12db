"""What was typed goes before what the inventory says, and the inventory's cap before both."""

from __future__ import annotations

import pytest

from pfremote.errors import UsageError
from pfremote.model.target import Target
from pfremote.options.request import RequestOptions, make_request

NOTHING = ("smtpd_tls", "smtp_tls", "lmtp_tls", "guard", "log", "stop_after", "max_log", "min_free", "drain")
FLAGS = ("allow_content", "all_peers", "allow_volatile_guard")
WORDS: dict[str, object] = {
    **dict.fromkeys(NOTHING),
    **dict.fromkeys(FLAGS, False),
    "peer": ("10.0.1.20",),
    "minutes": "10",
    "level": 2,
    "reason": "",
}


def _ask(**words: object) -> RequestOptions:
    return make_request(**{**WORDS, **words})


def test_the_defaults_are_those_of_the_reference() -> None:
    request = _ask().fit(Target("mx1", "mx1"))
    assert (request.seconds, request.level, request.max_log) == (600, 2, 256 * 1024 * 1024)
    assert (request.min_free, request.drain, request.guard) == (10, 60, "auto")
    assert request.owner
    assert request.origin


def test_the_inventory_speaks_where_nothing_was_typed() -> None:
    target = Target("mx1", "mx1", vars={"pfremote_guard": "cron", "pfremote_min_free": 25, "pfremote_drain": 5})
    request = _ask(min_free="15%").fit(target)
    assert (request.guard, request.min_free, request.drain) == ("cron", 15, 5)


def test_peers_are_read_where_they_are_typed() -> None:
    asked = _ask(peer=("10.0.1.20, MX1.example.jp", "!!bücher.example.jp", "2001:DB8::1"))
    assert asked.request.patterns == ("10.0.1.20", "mx1.example.jp", "xn--bcher-kva.example.jp", "[2001:db8::1]")
    assert asked.request.mistakes == ()


@pytest.mark.parametrize("typed", ["", "!", "10.0.0.1,10.0.0.1/8", "*"])
def test_what_is_no_peer_is_kept_as_a_mistake_and_not_lost(typed: str) -> None:
    asked = _ask(peer=(typed,))
    assert asked.names_peers
    assert len(asked.request.mistakes) == 1
    assert "mistakes" not in asked.request.as_json()


def test_a_window_has_a_cap_that_the_inventory_may_move() -> None:
    with pytest.raises(UsageError, match="mx1 is debugged for 2h at most"):
        _ask(minutes="3h").fit(Target("mx1", "mx1"))
    assert _ask(minutes="3h").fit(Target("mx1", "mx1", vars={"pfremote_max_minutes": 240})).seconds == 10_800
    with pytest.raises(UsageError, match="15m at most"):
        _ask(minutes="20").fit(Target("mx1", "mx1", vars={"pfremote_max_minutes": 15}))


@pytest.mark.parametrize("words", [{"minutes": "soon"}, {"max_log": "much"}, {"min_free": "200%"}, {"drain": "-1"}])
def test_a_value_that_is_none_is_a_usage_error(words: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        _ask(**words)
