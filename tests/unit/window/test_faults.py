"""Faults by verb: whatever breaks on the way, the end is true, and the host is as it was found."""

from __future__ import annotations

import pytest

from tests.support.fake_fleet import FakeFleet
from tests.support.fake_transport import ALWAYS, Fault

#: The kinds are explained in tests/support/fake_transport.py. ``home``: the evidence is stored here. ``host``: the lease
#: is still on the host, with its evidence.
TABLE = """
    verb     kinds                                  times   exit  state      error          lease
    connect  lost                                   always  4     untouched  unreachable    -
    probe    lost unheard                           once    4     untouched  unreachable    -
    probe    cut mute                               once    4     untouched  cut-off        -
    probe    noise                                  once    4     untouched  protocol       -
    probe    slow                                   once    4     untouched  deadline       -
    probe    failed                                 once    4     untouched  trouble        -
    probe    refused                                once    3     untouched  trouble        -
    arm      refused                                always  3     untouched  trouble        -
    arm      failed                                 always  4     untouched  trouble        -
    arm      lost                                   always  4     untouched  unreachable    -
    arm      belated unheard cut mute noise stranger slow once 0 clean    -              home
    arm      arming                                 once    0     clean      -              home
    arm      aborted                                once    4     clean      unreachable    host
    status   lost unheard cut mute noise stranger slow failed once 0 clean -            home
    status   lost unheard cut mute noise slow failed always 0     clean      -              home
    status   refused                                always  0     clean      -              home
    status   refused                                once    0     clean      -              home
    tail     lost cut failed refused stranger       always  0     clean      -              home
    revert   lost belated unheard cut mute noise stranger slow failed once 0 clean    -              home
    revert   lost unheard cut mute noise stranger slow failed always 5     unknown    unknown        host
    revert   refused                                always  5     unknown    unknown        host
    collect  lost belated unheard cut mute noise stranger slow failed once 0 clean    -              home
    collect  lost unheard cut mute noise stranger slow failed always 4     clean      not-collected  host
    collect  refused                                always  4     clean      not-collected  host
    forget   lost belated unheard cut mute noise slow failed once 0 clean    -              home
    forget   lost failed                            always  4     clean      not-forgotten  home+host
    forget   unheard cut mute noise                 always  4     clean      not-forgotten  home
    forget   refused                                always  4     clean      not-forgotten  home+host
"""

CASES = [
    (verb, kind, times, int(code), state, error.strip("-"), lease)
    for verb, *kinds, times, code, state, error, lease in map(str.split, TABLE.strip().splitlines()[1:])
    for kind in kinds
]


@pytest.mark.parametrize(("verb", "kind", "times", "code", "state", "error", "lease"), CASES)
def test_a_fault_at_a_verb(
    verb: str, kind: str, times: str, code: int, state: str, error: str, lease: str, fleet: FakeFleet
) -> None:
    seconds = 10_000.0 if kind == "slow" else 3.0
    host = fleet.add("mx1", Fault(verb, kind, {"once": 1, "always": ALWAYS}[times], seconds))
    fleet.at(5, host.visit)
    outcome = fleet.debug(follow=verb == "tail")
    assert (outcome.code, outcome.host["state"], outcome.error) == (code, state, error)
    assert (outcome.host["lines"] > 0) is ("home" in lease)
    assert bool(host.leases) is ("host" in lease)
    assert host.as_found
    assert [event["event"] for event in outcome.events].count("collected") == ("home" in lease)


@pytest.mark.parametrize("verb", ["arm", "status", "revert", "collect", "forget"])
def test_a_host_that_never_answers_is_given_up_and_holds_up_nobody(verb: str, fleet: FakeFleet) -> None:
    """The connection's own deadline does not help: the scheduler's does."""
    fleet.add("stuck", Fault(verb, "stuck", seconds=100_000))
    fleet.add("well")
    fleet.forks = 2
    outcome = fleet.debug()
    assert outcome.hosts["well"]["state"] == "clean"
    stuck = outcome.hosts["stuck"]
    expected = {
        "arm": ("unknown", "unknown"),
        "status": ("unknown", "unknown"),
        "revert": ("unknown", "unknown"),
        "collect": ("clean", "not-collected"),
        "forget": ("clean", "not-forgotten"),
    }
    assert (stuck["state"], stuck["error"]["code"]) == expected[verb]
    assert outcome.code == (5 if stuck["state"] == "unknown" else 4)


@pytest.mark.parametrize(
    ("begin", "end", "code"), [(10, 30, 0), (50, 90, 0), (1.5, 9, 0), (1.5, 1000, 5), (10, 1000, 5)]
)
def test_a_cable_that_is_out_for_a_while_ends_nothing(begin: float, end: float, code: int, fleet: FakeFleet) -> None:
    host = fleet.add()
    host.takes = 1.0
    fleet.at(5, host.visit)
    fleet.unplug("mx1", begin, end)
    outcome = fleet.debug()
    assert outcome.code == code
    assert host.as_found
    if code:
        assert "Its own guard ends the lease by" in outcome.host["error"]["hint"]
