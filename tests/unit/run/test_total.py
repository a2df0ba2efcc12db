"""--stop-after-total: all hosts end once they have seen enough together."""

from __future__ import annotations

import pytest

from pfremote.cli import main
from tests.support.fake_fleet import FakeFleet

PLAY = """
- name: one by one
  hosts: all
  serial: 1
  debug: {peers: ["192.0.2.7"], minutes: 60s}
"""


def test_all_hosts_end_once_they_have_seen_enough_together(fleet: FakeFleet) -> None:
    first, second = fleet.add("mx1"), fleet.add("mx2")
    for moment, host in ((5, first), (10, second), (20, first)):
        fleet.at(moment, host.visit)
    outcome = fleet.debug(minutes="10m", stop_after_total=3)
    assert (outcome.code, {name: said["sessions"] for name, said in outcome.hosts.items()}) == (0, {"mx1": 2, "mx2": 1})
    assert "3 matching sessions on all hosts together" in outcome.said
    assert fleet.time.monotonic() < 60
    assert {event["why"] for event in outcome.events if event["event"] == "reverted"} == {"request"}


def test_a_host_ends_by_itself_at_the_same_number(fleet: FakeFleet) -> None:
    host = fleet.add()
    for moment in (1, 1.2, 1.4):
        fleet.at(moment, host.visit)
    outcome = fleet.debug("--stop-after", "9", minutes="10m", stop_after_total=2)
    assert (outcome.code, outcome.host["sessions"]) == (0, 2)
    assert next(event["why"] for event in outcome.events if event["event"] == "reverted") == "stop-after"


def test_fewer_sessions_end_nothing(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(5, host.visit)
    outcome = fleet.debug(stop_after_total=2)
    assert (outcome.code, outcome.host["sessions"], "together" in outcome.said) == (0, 1, False)
    assert fleet.time.monotonic() >= 60


def test_a_playbook_leaves_alone_what_comes_after_the_end(fleet: FakeFleet) -> None:
    hosts = [fleet.add(name) for name in ("mx1", "mx2", "mx3")]
    fleet.at(5, hosts[0].visit)
    fleet.at(70, hosts[1].visit)
    outcome = fleet.play(PLAY, stop_after_total=2)
    assert (outcome.code, outcome.hosts["mx1"]["sessions"], outcome.hosts["mx2"]["sessions"]) == (0, 1, 1)
    assert outcome.hosts["mx3"]["skipped"] == "enough sessions were seen on the other hosts"
    assert hosts[2].leases == {} and "mx3" not in {event.get("host") for event in outcome.events}


def test_it_needs_a_run_that_stays(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["debug", "mx1", "--peer", "192.0.2.7", "--stop-after-total", "3", "--detach"]) == 2
    assert "--stop-after-total counts while this run goes on" in capsys.readouterr().err
