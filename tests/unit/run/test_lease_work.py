"""What extend, revert, collect, status and check do on hosts that already have leases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.agent.read_facts import read_leases
from pfremote.errors import ExitCode
from pfremote.model.result import HostResult, choose_exit_code
from pfremote.model.target import Target
from pfremote.model.typed import TYPED
from pfremote.options.request import name_operator
from pfremote.output.output import Output
from pfremote.run.describe_host import describe_hosts
from pfremote.run.evidence import EvidenceStore
from pfremote.run.hosts import Review, visit_hosts
from pfremote.run.lease_work import collect_lease, extend_lease, force_values, revert_lease, tell_how_to_fetch
from pfremote.run.leases import describe_lease, forgive_done, refuse_armed
from pfremote.run.status import monitor_hosts, show_status
from pfremote.store import RunStore
from tests.support.fake_fleet import FakeFleet, Outcome
from tests.support.fake_host import FakeHost
from tests.support.fake_transport import Fault

Work = Callable[[str, OpenHost, Output], HostResult]


def visit(fleet: FakeFleet, work: Work, review: Review = tuple) -> Outcome:
    """Do ``work`` on every host as a command does."""

    def run(output: Output) -> ExitCode:
        def visit_one(target: Target, host: OpenHost) -> HostResult:
            return work(target.name, host, output)

        results = visit_hosts(fleet.hosts, visit_one, output, review=review)
        return output.recap(results, choose_exit_code(results, may_stay_armed=True))

    return fleet.tell(run)


def status(fleet: FakeFleet, lease: str = "", history: int = 0) -> Outcome:
    return fleet.tell(lambda output: show_status(fleet.hosts, lease, history, output))


def check(fleet: FakeFleet) -> Outcome:
    return fleet.tell(lambda output: describe_hosts(fleet.hosts, output))


def extend(fleet: FakeFleet, lease: str = "", seconds: int = 300) -> Outcome:
    return visit(fleet, lambda name, host, output: extend_lease(name, host, lease, seconds, output))


def revert(fleet: FakeFleet, lease: str = "all") -> Outcome:
    return visit(fleet, lambda name, host, output: revert_lease(name, host, lease, 2, output, []))


def collect(fleet: FakeFleet, lease: str = "", *, forget: bool = True, out: str = "collected") -> Outcome:
    store = RunStore.create(fleet.folder / out, command=["pfremote", "collect"], started=datetime.now(UTC))
    return visit(
        fleet,
        lambda name, host, output: collect_lease(name, host, lease, EvidenceStore(store, output.emit), forget=forget),
        partial(forgive_done, lease=lease),
    )


@pytest.fixture
def armed(fleet: FakeFleet) -> FakeHost:
    """Return a host that was left armed, by ``debug --detach``."""
    host = fleet.add()
    fleet.debug(detach=True, out=None)
    return host


def test_a_lease_is_extended_and_ended_from_anywhere(armed: FakeHost, fleet: FakeFleet) -> None:
    (lease,) = armed.leases
    extended = extend(fleet, lease[:5])
    assert (extended.code, extended.host["state"], extended.host["lease"]) == (0, "armed", lease)
    assert f"ends in 5m, extended by {name_operator()}" in extended.said

    def show(name: str, host: OpenHost, _output: Output) -> HostResult:
        return HostResult(name, lease=describe_lease(read_leases(tasks.status(host))[0])[0])

    shown = visit(fleet, show)
    assert f", extended by {name_operator()}" in shown.host["lease"]
    fleet.time.sleep(200)
    assert armed.armed
    ended = revert(fleet, lease[:5])
    assert (ended.code, ended.host["state"], armed.as_found) == (0, "clean", True)
    assert (extend(fleet).code, extend(fleet).error) == (3, "no-lease")
    again = revert(fleet)
    assert (again.code, "no lease to revert" in again.said) == (0, True)


def test_a_revert_that_leaves_something_is_not_called_clean(armed: FakeHost, fleet: FakeFleet) -> None:
    armed.dirt = ["file main.cf.pfremote is left"]
    outcome = revert(fleet)
    assert (outcome.code, outcome.host["state"], outcome.error) == (5, "unknown", "not-clean")
    armed.leases.clear()
    assert (revert(fleet).code, revert(fleet).error) == (5, "not-clean")


def test_the_leases_of_one_run_are_fetched_by_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    TYPED.note(["mail"], [("-i", "hosts")])
    kept = [("mx2", "4e65a8e00001"), ("mx1", "4e65a8e00000"), ("mx2", "25591b200001")]
    tell_how_to_fetch(kept, Output())
    assert capsys.readouterr().err.splitlines() == [
        "hint: Fetch their evidence with: pfremote collect mail -i hosts --lease 4e65a8e",
        "mx2: hint: Fetch its evidence with: pfremote collect mx2 -i hosts --lease 25591b200001",
    ]


def test_values_of_before_go_over_another_edit_only_by_force(armed: FakeHost, fleet: FakeFleet) -> None:
    armed.edit("debug_peer_list", "theirs")
    assert revert(fleet).host["state"] == "conflict"

    def force(name: str, host: OpenHost, output: Output) -> HostResult:
        (lease,) = armed.leases
        return force_values(HostResult(name, lease=lease), host, output)

    outcome = visit(fleet, force)
    assert (outcome.code, outcome.host["state"], armed.as_found) == (0, "clean", True)
    assert "-debug_peer_list = theirs" in outcome.shown


@pytest.mark.parametrize("forget", [True, False])
def test_evidence_is_collected_later(forget: bool, armed: FakeHost, fleet: FakeFleet) -> None:
    armed.visit()
    fleet.time.sleep(61)
    outcome = collect(fleet, forget=forget)
    assert (outcome.code, outcome.host["sessions"], outcome.host["lines"]) == (0, 1, 6)
    assert bool(armed.leases) is not forget


def test_a_group_of_which_some_are_done_is_collected_again(armed: FakeHost, fleet: FakeFleet) -> None:
    other, idle = fleet.add("mx2"), fleet.add("mx3")
    armed.visit()
    fleet.time.sleep(61)
    (lease,) = armed.leases
    other.leases.clear()
    outcome = collect(fleet, lease[:8])
    assert (outcome.code, outcome.kinds()) == (0, ["session", "collected", "recap"])
    assert outcome.hosts["mx1"]["skipped"] is None
    for host in (other, idle):
        said = outcome.hosts[host.name]
        assert (said["skipped"], said["state"]) == (
            f"nothing to do, there is no lease with evidence {lease[:8]}",
            "untouched",
        )
    again = collect(fleet, out="again")
    assert (again.code, again.kinds(), len(again.hosts)) == (0, ["recap"], 3)
    named = collect(fleet, lease, out="named")
    assert (named.code, named.codes("failed")) == (3, ["no-lease"] * 3)


def test_evidence_of_an_open_window_leaves_it_open(armed: FakeHost, fleet: FakeFleet) -> None:
    armed.visit()
    outcome = collect(fleet)
    assert (outcome.host["state"], outcome.host["sessions"], armed.armed) == ("armed", 1, True)


def test_status_shows_leases_and_what_no_lease_explains(armed: FakeHost, fleet: FakeFleet) -> None:
    armed.unexplained = ["smtp_tls_loglevel 2"]
    (lease,) = armed.leases
    look = status(fleet, lease[:4])
    assert (look.code, look.host["state"], look.host["lease"]) == (0, "armed", lease)
    assert f"lease {lease}  armed, 1m left" in look.shown
    assert look.codes() == ["unexplained"]
    fleet.time.sleep(61)
    armed.dirt = ["guard x is left"]
    look = status(fleet)
    assert (look.code, look.error, look.kinds()) == (5, "not-clean", ["warning", "reverted", "failed", "recap"])
    assert f"armed lease={lease}" in status(fleet, history=5).shown


def test_status_shows_what_is_found_in_other_instances(armed: FakeHost, fleet: FakeFleet) -> None:
    armed.elsewhere = [
        "/etc/postfix-out unexplained debug_peer_level 2",
        "/etc/postfix-in dirty lease 0123456789ab is active",
    ]
    look = status(fleet)
    assert look.codes() == ["elsewhere-unexplained", "elsewhere-dirty"]
    assert "instance /etc/postfix-out: debug_peer_level = 2 (no lease of ours explains it)" in look.shown
    assert "instance /etc/postfix-in: lease 0123456789ab is active\n" in look.shown
    (hint, _) = [event["hint"] for event in look.events if event["event"] == "warning"]
    assert hint == "Look at it with: pfremote status mx1 --instance /etc/postfix-out"


def test_a_helper_is_not_replaced_while_a_lease_is_armed(armed: FakeHost, fleet: FakeFleet) -> None:
    def refuse(name: str, host: OpenHost, _output: Output) -> HostResult:
        refuse_armed(name, host)
        return HostResult(name, "clean")

    (lease,) = armed.leases
    outcome = visit(fleet, refuse)
    assert (outcome.code, outcome.error) == (3, "lease-active")
    assert outcome.host["error"]["hint"] == f"End it first with: pfremote revert mx1 --lease {lease}"
    assert revert(fleet, lease).code == 0
    assert visit(fleet, refuse).code == 0


def test_status_shows_hosts_that_failed_among_the_others_in_their_order(fleet: FakeFleet) -> None:
    fleet.add("mx3").takes = 5.0
    fleet.add("mx1", Fault("connect", "lost"))
    fleet.add("mx2").unexplained = ["debug_peer_list 192.0.2.1"]
    look = status(fleet)
    heads = [line for line in look.shown.splitlines() if not line.startswith(" ")]
    assert [head.partition("  ")[0] for head in heads] == ["mx3", "mx1", "mx2"]
    assert heads[0] == "mx3  clean"
    assert heads[1].startswith("mx1  unreachable: ")
    assert heads[2] == "mx2  debugging by hand"
    assert "mx1" not in look.said
    assert look.code == 4


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        ({}, 1, "PFREMOTE WARNING - mx1: lease"),
        ({"unexplained": ["smtp_tls_loglevel 2"]}, 2, "PFREMOTE CRITICAL - mx1: smtp_tls_loglevel = 2"),
        ({"leases": {}, "dirt": ["guard x is left"]}, 2, "PFREMOTE CRITICAL"),
        ({"leases": {}}, 0, "PFREMOTE OK"),
    ],
)
def test_a_monitoring_system_gets_one_line(
    change: dict[str, object], code: int, line: str, armed: FakeHost, fleet: FakeFleet
) -> None:
    for name, value in change.items():
        setattr(armed, name, value)
    output = Output()
    shown: list[str] = []
    output.console.show = shown.append  # type: ignore[method-assign,assignment]
    assert monitor_hosts(fleet.hosts, output) == code
    assert len(shown) == 1 and shown[0].startswith(line)


def test_a_host_that_cannot_be_looked_at_is_unknown_to_a_monitor(fleet: FakeFleet) -> None:
    fleet.add("mx1", Fault("connect", "lost"))
    output = Output()
    output.console.data = False
    assert monitor_hosts(fleet.hosts, output) == 3


def test_check_without_a_peer_describes_the_host(armed: FakeHost, fleet: FakeFleet) -> None:
    outcome = check(fleet)
    assert outcome.shown.startswith("mx1  ready\n  Postfix 3.7.11, running, /etc/postfix\n")
    assert "lease-present" in outcome.codes()
    armed.running = False
    outcome = check(fleet)
    assert outcome.code == 3
    assert outcome.shown.startswith("mx1  not ready\n")
    assert (outcome.shown + outcome.said).count("Postfix is not running") == 1
