"""One window from armed to clean: what the operator, other operators and the host do meanwhile."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from pfremote.model.typed import TYPED
from tests.support.fake_fleet import FakeFleet
from tests.support.fake_transport import Fault


def test_a_window_from_the_first_look_to_the_report(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(20, host.visit)
    outcome = fleet.debug(out=fleet.folder / "run")
    assert outcome.code == 0
    assert outcome.kinds() == ["plan", "armed", "session", "reverted", "collected", "recap"]
    assert (outcome.host["sessions"], outcome.host["lines"], outcome.host["complete"]) == (1, 6, True)
    assert {path.name for path in (fleet.folder / "run").iterdir()} == {"run.json", "mx1", "report.html", "report.md"}
    assert not host.leases
    assert fleet.time.monotonic() == 60


@pytest.mark.parametrize("moment", [20, 59.5])
def test_what_fails_for_once_on_this_machine_leaves_no_host_armed(moment: float, fleet: FakeFleet) -> None:
    """Settings that ssh accepted before arming are asked for again at each visit, perhaps under load."""
    fleet.add()
    faults = fleet.net.faults["mx1"]
    fleet.at(moment, lambda: faults.append(Fault("connect", "unready", times=1)))
    outcome = fleet.debug()
    assert (outcome.code, outcome.host["state"], faults[0].times) == (0, "clean", 0)


# Ends before the deadline.


@pytest.mark.parametrize(
    ("moment", "code", "state"), [(0.5, 130, "untouched"), (1.5, 130, "clean"), (30, 130, "clean")]
)
def test_ctrl_c_ends_it_at_once_by_the_hosts_own_revert(moment: float, code: int, state: str, fleet: FakeFleet) -> None:
    fleet.forks = 1
    first, second = fleet.add("mx1"), fleet.add("mx2")
    first.takes = second.takes = 1.0
    fleet.at(10, first.visit)
    fleet.interrupt_at(moment)
    outcome = fleet.debug()
    assert outcome.code == code
    assert outcome.hosts["mx2"]["state"] == ("clean" if moment > 3 else "untouched")
    assert "interrupted: reverting on every host that was armed" in outcome.said
    assert fleet.time.monotonic() < 45
    if moment == 30:
        assert [event["why"] for event in outcome.events if event["event"] == "reverted"] == ["interrupt"] * 2
        assert outcome.host["lines"] == 6


@pytest.mark.parametrize("follow", [False, True])
def test_a_second_ctrl_c_leaves_at_once_and_says_what_is_not_known(follow: bool, fleet: FakeFleet) -> None:
    fleet.add("mx1", Fault("revert", "slow", seconds=100))
    fleet.add("mx2")
    fleet.interrupt_at(30, 31)
    outcome = fleet.debug(follow=follow)
    assert outcome.code == 5
    assert (outcome.hosts["mx1"]["state"], outcome.hosts["mx2"]["state"]) == ("unknown", "clean")
    assert "you left before it was done" in outcome.host["error"]["message"]
    assert fleet.time.monotonic() < 32


def test_a_reader_who_goes_away_ends_it(fleet: FakeFleet) -> None:
    """A closed pipe is heard as Ctrl-C is: that reader will not end it either."""
    host = fleet.add()
    fleet.at(20, fleet.close_pipe)
    outcome = fleet.debug()
    assert outcome.code == 130
    assert host.as_found
    assert fleet.time.monotonic() < 30


def test_enough_sessions_are_the_end(fleet: FakeFleet) -> None:
    host = fleet.add()
    for moment in (11, 12):
        fleet.at(moment, host.visit)
    outcome = fleet.debug("--stop-after", "2")
    assert outcome.code == 0
    assert outcome.host["sessions"] == 2
    assert fleet.time.monotonic() == 15


# Other operators.


def test_an_extended_lease_ends_when_the_host_says(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(30, partial(host.extend, 120))
    fleet.at(140, host.visit)
    outcome = fleet.debug()
    assert (outcome.code, outcome.host["sessions"]) == (0, 1)
    assert fleet.time.monotonic() == 150


def test_an_extension_that_was_not_seen_holds_all_the_same(fleet: FakeFleet) -> None:
    """The cable is out when the lease is extended and over the old deadline: it is asked after before it is ended."""
    host = fleet.add()
    fleet.at(57, partial(host.extend, 120))
    fleet.unplug("mx1", 56, 70)
    fleet.at(150, host.visit)
    outcome = fleet.debug()
    assert (outcome.code, outcome.host["sessions"]) == (0, 1)
    assert next(event["why"] for event in outcome.events if event["event"] == "reverted") == "deadline"
    assert fleet.time.monotonic() >= 177


def test_a_host_that_another_lease_keeps_armed_is_no_trouble_of_ours(fleet: FakeFleet) -> None:
    host = fleet.add()
    theirs = host.arm_other(600)
    outcome = fleet.debug()
    assert (outcome.code, outcome.host["state"], outcome.host["reverted"]) == (0, "armed", True)
    assert host.main_cf["debug_peer_list"] == "192.0.2.99"
    assert list(host.leases) == [theirs]


@pytest.mark.parametrize("verb", ["collect", "forget"])
def test_a_host_that_another_armed_before_our_evidence_came_home_is_not_called_clean(
    verb: str, fleet: FakeFleet
) -> None:
    """It was clean when our lease ended; a later visit finds what it is now."""
    host = fleet.add("mx1", Fault(verb, "lost", times=1))
    fleet.at(61.5, partial(host.arm_other, 600))
    outcome = fleet.debug(minutes="60s")
    assert (outcome.host["state"], outcome.host["reverted"], outcome.code) == ("armed", True, 0)


def test_a_lease_that_another_client_collected_is_no_mystery(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(66, host.forget_all)
    host.takes = 5.0
    outcome = fleet.debug()
    assert (outcome.code, outcome.host["state"], outcome.error) == (4, "clean", "not-collected")
    assert "another client has collected it" in outcome.host["error"]["message"]


def test_a_lease_may_be_over_and_collected_between_two_looks(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(11, host.visit)
    fleet.at(12, host.forget_all)
    outcome = fleet.debug("--stop-after", "1")
    assert (outcome.code, outcome.host["state"], outcome.error) == (4, "clean", "not-collected")
    assert fleet.time.monotonic() < 20


def test_a_lease_that_is_gone_from_a_host_that_is_not_clean(fleet: FakeFleet) -> None:
    host = fleet.add()
    host.dirt = ["file main.cf.pfremote is left"]
    fleet.at(66, host.forget_all)
    host.takes = 5.0
    outcome = fleet.debug()
    assert (outcome.code, outcome.host["state"], outcome.host["reverted"]) == (5, "unknown", False)


@pytest.mark.parametrize(("name", "conflict"), [("debug_peer_list", True), ("mynetworks", False)])
def test_another_persons_edit_stays(name: str, conflict: bool, fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(20, partial(host.edit, name, "theirs"))
    outcome = fleet.debug()
    assert host.main_cf[name] == "theirs"
    assert (outcome.code, outcome.host["state"]) == ((5, "conflict") if conflict else (0, "clean"))
    reverted = next(event for event in outcome.events if event["event"] == "reverted")
    assert reverted["restored"] == "params"
    assert reverted["conflicts"] == (["debug_peer_list ours=192.0.2.7 theirs=theirs"] if conflict else [])


# Processes that are still verbose.


@pytest.mark.parametrize(
    ("leaves", "drain", "code", "state", "drained"),
    [(70, "60s", 0, "clean", True), (100, "20s", 5, "unknown", False), (61, "1s", 0, "clean", True)],
)
def test_a_session_that_outlives_the_window_is_waited_for(
    leaves: float, drain: str, code: int, state: str, drained: bool, fleet: FakeFleet
) -> None:
    host = fleet.add()
    fleet.at(20, host.connect)
    fleet.at(leaves, lambda: host.disconnect(next(iter(host.verbose))))
    outcome = fleet.debug("--drain", drain)
    assert (outcome.code, outcome.host["state"], outcome.host["drained"]) == (code, state, drained)
    assert bool(host.leases) is not drained  # it must be able to say why a process is verbose
    assert outcome.codes() == ([] if leaves == 61 else ["draining"])
    if not drained:
        assert outcome.error == "not-drained"
        host.disconnect(next(iter(host.verbose)))


# What is asked for.


def test_detach_leaves_it_to_the_host(fleet: FakeFleet) -> None:
    host = fleet.add()
    outcome = fleet.debug(detach=True, out=None)
    assert (outcome.code, outcome.host["state"]) == (0, "armed")
    assert f"pfremote collect mx1 --lease {outcome.host['lease']}" in outcome.said
    assert host.armed
    fleet.time.sleep(60)
    assert host.as_found


def test_what_is_detached_on_many_hosts_is_named_by_one_command(fleet: FakeFleet) -> None:
    for name in ("mx1", "mx2", "mx3"):
        fleet.add(name)
    TYPED.note(["mx"], [("-i", "hosts.yml"), ("-u", "ops")])
    outcome = fleet.debug(detach=True, out=None)
    hints = re.findall(
        r"hint: (.*): pfremote (revert|collect) mx -i hosts.yml -u ops --lease ([0-9a-f]+)$", outcome.said, re.M
    )
    assert [hint[:2] for hint in hints] == [("End it early with", "revert"), ("Fetch the evidence with", "collect")]
    leases = [said["lease"] for said in outcome.hosts.values()]
    assert len(set(leases)) == 3
    assert all(lease.startswith(hints[0][2]) and len(lease) == 12 for lease in leases)


@pytest.mark.parametrize("kind", ["unheard", "belated", "slow"])
def test_detach_goes_on_when_the_answer_is_lost(kind: str, fleet: FakeFleet) -> None:
    host = fleet.add("mx1", Fault("arm", kind, 1, 1000 if kind == "slow" else 3))
    outcome = fleet.debug(detach=True, out=None)
    assert (outcome.code, outcome.host["state"]) == (0, "clean" if kind == "slow" else "armed")
    assert list(host.leases) == [outcome.host["lease"]]


def test_ctrl_c_ends_what_is_to_be_detached_where_it_still_can(fleet: FakeFleet) -> None:
    """mx1 was left armed before; what is under way is ended, and the exit code hides neither."""
    fleet.forks = 1
    hosts = [fleet.add(f"mx{number}") for number in (1, 2, 3)]
    for host in hosts:
        host.takes = 1.0
    fleet.interrupt_at(3.5)
    outcome = fleet.debug(detach=True, out=None)
    assert outcome.code == 5
    assert [said["state"] for said in outcome.hosts.values()] == ["armed", "clean", "untouched"]
    assert [host.armed for host in hosts] == [True, False, False]


def test_check_touches_nothing_and_shows_the_difference(fleet: FakeFleet) -> None:
    host = fleet.add()
    outcome = fleet.debug(check=True, diff=True, out=None)
    assert (outcome.code, outcome.host["state"], host.leases) == (0, "untouched", {})
    checked = next(event for event in outcome.events if event.get("checked"))
    assert "+debug_peer_list = 192.0.2.7" in checked["diff"]


def test_diff_shows_main_cf_as_it_is_while_armed(fleet: FakeFleet) -> None:
    fleet.add().main_cf["debug_peer_list"] = "192.0.2.50"
    outcome = fleet.debug("--smtpd-tls", "1", diff=True)
    armed = next(event for event in outcome.events if event["event"] == "armed")
    assert "+debug_peer_list = 192.0.2.50 192.0.2.7" in armed["diff"]
    assert armed["in_force"]["smtpd_tls_loglevel"] == "1"


@pytest.mark.parametrize(
    ("words", "reason"), [(["--level", "0"], "level"), (["--peer", "*"], "peer"), (["--smtpd-tls", "9"], "level")]
)
def test_what_would_break_is_refused_before_the_host_is_contacted(
    words: list[str], reason: str, fleet: FakeFleet
) -> None:
    host = fleet.add()
    outcome = fleet.debug(*words)
    assert (outcome.code, outcome.host["state"]) == (3, "untouched")
    assert any(reason in code for code in outcome.codes("failed")), outcome.codes("failed")
    assert "arm" not in {verb for _, verb in fleet.net.asked}
    assert not host.leases


def test_what_the_host_makes_impossible_is_refused(fleet: FakeFleet) -> None:
    fleet.add().running = False
    outcome = fleet.debug()
    assert (outcome.code, outcome.host["state"], outcome.codes("failed")) == (3, "untouched", ["not-running"])


# What is said while it is open, and what is missing at the end.


def test_what_a_look_finds_is_said_once(fleet: FakeFleet) -> None:
    host = fleet.add()
    host.predating, host.skew = 2, 100.0
    fleet.at(10, lambda: host.warnings.append("pattern lease 1: matched nobody"))
    fleet.at(20, partial(setattr, host, "guard_alive", False))
    outcome = fleet.debug()
    assert outcome.codes() == ["clock", "pattern", "guard-lost", "no-match-yet", "no-session"]
    assert (outcome.host["predating"], outcome.host["clock_ahead"]) == (2, 100.0)
    assert (outcome.code, host.as_found) == (0, True)


def test_no_match_is_wondered_at_while_there_is_time(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(10, partial(host.visit, "198.51.100.1"))
    fleet.at(45, host.visit)
    outcome = fleet.debug()
    assert outcome.codes() == ["no-match-yet"]
    assert outcome.host["sessions"] == 1


def test_evidence_that_the_host_lost_is_not_called_complete(fleet: FakeFleet) -> None:
    host = fleet.add()
    host.missing = ["rotated the file of the mark is gone"]
    fleet.at(20, host.visit)
    outcome = fleet.debug()
    assert (outcome.code, outcome.host["complete"], outcome.host["lines"]) == (0, False, 0)
    assert outcome.codes() == ["no-session"]
    collected = next(event for event in outcome.events if event["event"] == "collected")
    assert [reason["code"] for reason in collected["missing"]] == ["rotated"]


def test_a_window_that_cannot_be_stored_stays_on_the_host(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(50, lambda: fleet.spoil(fleet.folder / "run"))
    outcome = fleet.debug(out=fleet.folder / "run")
    assert (outcome.host["state"], outcome.error) == ("clean", "not-collected")
    assert outcome.code == 4
    assert list(host.leases) == [outcome.host["lease"]]


# Following.


def test_following_shows_each_session_as_it_happens(fleet: FakeFleet) -> None:
    host = fleet.add()
    host.tail_limit, host.utc_offset = 1, "unknown"
    for moment in (5, 5, 5, 50):
        fleet.at(moment, host.visit)
    outcome = fleet.debug(follow=True)
    assert outcome.code == 0
    assert outcome.shown.count("C: NOOP") == 4
    over = [event for event in outcome.events if "outcome" in event and "number" not in event]
    assert [event["outcome"] for event in over] == ["ended"] * 4


def test_following_goes_on_where_it_was(fleet: FakeFleet) -> None:
    host = fleet.add()
    for moment in (5, 25, 45):
        fleet.at(moment, host.visit)
    fleet.unplug("mx1", 10, 40)
    outcome = fleet.debug(follow=True)
    assert outcome.codes() == ["unreachable", "in-sight"]
    assert outcome.shown.count("C: NOOP") == 3


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("tail", "refused"), "not-followed"),
        (Fault("tail", "failed"), "not-followed"),
        (Fault("tail", "cut"), "not-followed"),
    ],
)
def test_a_log_that_cannot_be_followed_is_said_once(fault: Fault, code: str, fleet: FakeFleet) -> None:
    host = fleet.add("mx1", fault)
    fleet.at(30, host.visit)
    outcome = fleet.debug(follow=True)
    assert outcome.codes().count(code) == 1
    assert (outcome.code, outcome.host["sessions"]) == (0, 1)


def test_a_gap_in_what_is_followed_is_said(fleet: FakeFleet) -> None:
    host = fleet.add()
    host.gap = True
    outcome = fleet.debug(follow=True)
    assert "follow-gap" in outcome.codes()


def test_everything_is_said_with_pseudonyms(fleet: FakeFleet) -> None:
    host = fleet.add("secretive")
    fleet.at(30, host.visit)
    folder = fleet.folder / "run"
    outcome = fleet.debug(follow=True, pseudonymise=True, out=folder)
    assert "secretive" not in str(outcome.events)
    kept = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    assert kept and not any("secretive" in text for text in kept)


def test_sudo_is_asked_and_answered(fleet: FakeFleet) -> None:
    fleet.add()
    fleet.net.passwords["mx1"] = "Pw-invented"
    assert fleet.debug().error == "become"
    fleet.password = "Pw-invented"
    assert fleet.debug().code == 0


def test_an_installed_agent_is_called_by_its_path(fleet: FakeFleet, tmp_path: Path) -> None:
    fleet.add()
    fleet.variables["pfremote_helper"] = "/usr/local/sbin/pfremote-agent"
    assert fleet.debug().code == 0
