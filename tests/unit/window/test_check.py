"""``check`` with peers: ready, or what is in the way, each reason once and no table of zeros."""

from __future__ import annotations

from tests.support.fake_fleet import FakeFleet
from tests.support.fake_transport import Fault

PLAY = "- {hosts: all, when: [\"inventory_hostname != 'c'\"], debug: {peers: 192.0.2.7, minutes: 60s}}"


def test_a_host_is_ready_or_it_is_said_what_is_in_the_way(fleet: FakeFleet) -> None:
    fleet.add("mx3").takes = 3.0
    fleet.add("mx1").running = False
    fleet.add("mx2", Fault("connect", "lost"))
    outcome = fleet.debug(check=True, out=None)
    assert outcome.code == 4
    assert "RECAP" not in outcome.shown
    heads = [line for line in outcome.shown.splitlines() if line[:1] != " " and " = " not in line]
    assert heads[0] == "mx3  ready"
    assert heads[1].startswith("mx1  refused: Postfix is not running")
    assert heads[2].startswith("mx2  unreachable: ")
    told = outcome.shown + outcome.said
    assert told.count("Postfix is not running") == 1
    assert told.count("unreachable: ") == 1
    assert "error: " not in outcome.said


def test_a_playbook_is_checked_alike(fleet: FakeFleet) -> None:
    for name in ("a", "b", "c"):
        fleet.add(name)
    fleet.net.hosts["b"].running = False
    outcome = fleet.play(PLAY, check=True, out=None)
    heads = [line for line in outcome.shown.splitlines() if line[:1] != " " and " = " not in line]
    assert heads[0] == "a  ready"
    assert heads[1].startswith("b  refused: ")
    assert heads[2].startswith("c  skipped: when: ")


def test_debugging_by_hand_has_a_word_of_its_own_at_the_end(fleet: FakeFleet) -> None:
    fleet.add().unexplained = ["debug_peer_list 192.0.2.1"]
    outcome = fleet.debug()
    assert outcome.host["state"] == "clean"
    assert outcome.host["by_hand"] is True
    assert "clean" not in outcome.said + outcome.shown
    assert "mx1  by hand " in outcome.shown
    assert "as it was before: with debugging by hand" in outcome.said
