"""What was typed goes before what the inventory says, and the inventory's cap before both."""

from __future__ import annotations

import pytest

from pfremote.commands.request_options import Asked, make_request
from pfremote.errors import UsageError
from pfremote.target import Target

NOTHING = ("smtpd_tls", "smtp_tls", "lmtp_tls", "guard", "stop_after", "max_log", "min_free", "drain")
FLAGS = ("allow_content", "all_peers", "allow_volatile_guard")
WORDS: dict[str, object] = {
    **dict.fromkeys(NOTHING),
    **dict.fromkeys(FLAGS, False),
    "peer": ("10.0.1.20",),
    "minutes": "10",
    "level": 2,
    "reason": "",
}


def _ask(**words: object) -> Asked:
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
