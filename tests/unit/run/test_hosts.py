"""Commands of one visit per host, and who the hosts of a command are."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial

import pytest
from click.exceptions import Exit

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.errors import ExitCode, Reason, Refused, UsageError
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult, choose_exit_code
from pfremote.model.target import Target
from pfremote.options.hosts import HostOptions
from pfremote.output.json_lines import EventStream
from pfremote.output.output import Output
from pfremote.run.choose import choose_hosts
from pfremote.run.hosts import gather_results, list_hosts, prepare_hosts, tell_warnings, visit_hosts
from pfremote.run.leases import choose_lease, describe_lease, lease_as_json
from tests.support.fake_fleet import FakeFleet, Outcome
from tests.support.fake_transport import Fault


def look(target: Target, host: OpenHost) -> HostResult:
    """Ask a host whether it is clean."""
    return HostResult(target.name, "clean" if tasks.status(host).one("clean") == "yes" else "armed")


def visit(fleet: FakeFleet, **options: object) -> Outcome:
    """Look at every host as ``pfremote status`` does."""

    def run(output: Output) -> ExitCode:
        results = visit_hosts(fleet.hosts, look, output, **options)  # type: ignore[arg-type]
        return output.recap(results, choose_exit_code(results, may_stay_armed=True))

    return fleet.tell(run)


def test_every_host_has_its_own_result(fleet: FakeFleet) -> None:
    fleet.add("a").arm_other(60)
    fleet.add("b", Fault("connect", "lost"))
    fleet.add("c", Fault("status", "refused"))
    fleet.add("d", Fault("status", "failed"))
    fleet.add("e")
    outcome = visit(fleet, if_lost="unknown")
    assert {name: said["state"] for name, said in outcome.hosts.items()} == {
        "a": "armed",
        "b": "unknown",
        "c": "untouched",
        "d": "unknown",
        "e": "clean",
    }
    assert outcome.codes("failed") == ["unreachable", "trouble", "trouble"]
    assert outcome.code == 5


@pytest.mark.parametrize(("looks_only", "moments"), [(False, (5, 6)), (True, (5,))])
def test_leaving_while_hosts_are_at_work(looks_only: bool, moments: tuple[float, ...], fleet: FakeFleet) -> None:
    fleet.forks = 1
    for name in ("a", "b"):
        fleet.add(name).takes = 20
    fleet.interrupt_at(*moments)
    outcome = visit(fleet, looks_only=looks_only, if_lost="unknown")
    assert (outcome.code, outcome.error) == (5, "interrupted")
    assert outcome.host["error"]["hint"] == "Look with: pfremote status a"
    assert ("Once more leaves at once" in outcome.said) is not looks_only
    assert fleet.time.monotonic() < moments[-1] + 1


def test_the_first_ctrl_c_leaves_alone_whose_turn_it_is_not(fleet: FakeFleet) -> None:
    fleet.forks = 1
    for name in ("a", "b"):
        fleet.add(name).takes = 20
    fleet.interrupt_at(5)
    outcome = visit(fleet)
    assert outcome.code == 130
    assert [said["state"] for said in outcome.hosts.values()] == ["clean", "untouched"]


def test_a_host_that_hangs_and_a_bug_are_that_hosts_result(fleet: FakeFleet) -> None:
    fleet.add("a", Fault("status", "stuck", seconds=10_000))
    assert visit(fleet, limit=30).error == "deadline"

    def explode(_target: Target, _host: OpenHost) -> HostResult:
        raise ValueError("a bug")

    (result,) = gather_results(fleet.hosts, explode, lambda _late: None, limit=30)
    assert result.error is not None
    assert (result.error.code, result.error.message) == ("unexpected", "unexpected: ValueError('a bug')")


# Which hosts.


def test_hosts_come_from_the_inventory_and_the_command_line_goes_first() -> None:
    options = HostOptions(user="ops", become=True, instance="out", extra_vars=("site=tokyo",), forks=9)
    hosts = prepare_hosts(options, ("mx1", "mx2"), Output())
    assert [target.name for target in hosts.targets] == ["mx1", "mx2"]
    first = hosts.targets[0]
    assert (first.user, first.become, first.instance, first.vars["site"]) == ("ops", True, "out", "tokyo")
    assert hosts.forks == 9


@pytest.mark.parametrize(
    ("patterns", "inventory", "hint"),
    [
        ((), "", "Name hosts, or give -i INVENTORY"),
        (("ssh://mx1",), "", "Type mx1"),
        (("web*",), "mx1\n", "pfremote inventory --graph"),
        (("web*",), "", "NAME, USER@NAME or NAME:PORT"),
        (("~[",), "mx1\n", ""),
        (("mx1:!mx1",), "mx1\n", "pfremote inventory --graph"),
    ],
)
def test_hosts_that_cannot_be_chosen(patterns: tuple[str, ...], inventory: str, hint: str, fleet: FakeFleet) -> None:
    (fleet.folder / "hosts").write_text(inventory)
    sources = (str(fleet.folder / "hosts"),) if inventory else ()
    with pytest.raises(UsageError) as raised:
        choose_hosts(HostOptions(inventory=sources), patterns)
    assert hint in raised.value.hint


def test_with_list_hosts_the_command_ends_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit) as ended:
        prepare_hosts(HostOptions(list_hosts=True), ("mx1", "mx2"), Output())
    assert (ended.value.exit_code, capsys.readouterr().out) == (0, "mx1\nmx2\n")


def test_what_the_inventory_cannot_follow_is_refused_before_the_host_is_reached(fleet: FakeFleet) -> None:
    fleet.add("a")
    refused = replace(fleet.hosts.targets[0], refusal=Reason("inventory", "winrm is no way to a Postfix"))
    hosts = replace(fleet.hosts, targets=(refused,))
    (result,) = gather_results(hosts, look, lambda _late: None, limit=30)
    assert [reason.code for reason in result.refusals] == ["inventory"]
    assert fleet.net.asked == []


def test_warnings_are_said_before_the_first_contact(fleet: FakeFleet) -> None:
    hosts = replace(fleet.hosts, warnings=("ssh_args are read by ssh only",))

    def warn(output: Output) -> ExitCode:
        tell_warnings(hosts, output)
        return output.recap([], ExitCode.OK)

    assert "warning: ssh_args are read by ssh only\n" in fleet.tell(warn).said


def test_a_list_of_hosts_contacts_nobody(fleet: FakeFleet) -> None:
    fleet.add("a")
    outcome = fleet.tell(lambda output: ExitCode(list_hosts(fleet.hosts.targets, output)))
    assert (outcome.code, outcome.shown, list(outcome.hosts)) == (0, "a\n", ["a"])
    assert fleet.net.asked == []


# Which lease.

LEASES = (
    Lease("aaaa00000001", "armed", ("192.0.2.7",), left=90, owner="kim", origin="ops1", reason="ticket 7"),
    Lease("aaaa00000002", "reverted", evidence=120, why="deadline", conflicts=("debug_peer_list ours=a theirs=b",)),
    Lease("bbbb00000003", "reverted"),
)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("b", "bbbb00000003"),
        ("aaaa00000001", "aaaa00000001"),
        ("", "which-lease"),
        ("aaaa", "which-lease"),
        ("c", "no-lease"),
    ],
)
def test_a_lease_is_named_by_its_beginning(wanted: str, chosen: str) -> None:
    choose = partial(choose_lease, "mx1", LEASES, wanted, lambda _lease: True, "lease")
    if "-" not in chosen:
        assert choose().id == chosen
        return
    with pytest.raises(Refused) as raised:
        choose()
    assert [reason.code for reason in raised.value.reasons] == [chosen]


def test_what_is_told_of_a_lease() -> None:
    lines = [line for lease in LEASES for line in describe_lease(lease)]
    assert lines == [
        "lease aaaa00000001  armed, 1m30s left, by kim from ops1: ticket 7",
        "  peers 192.0.2.7, level None, sessions 0",
        "lease aaaa00000002  reverted, ended (deadline), by unknown",
        "  peers , level None, sessions 0",
        "  evidence 120 bytes kept on the host",
        "  conflict debug_peer_list ours=a theirs=b",
        "lease bbbb00000003  reverted, ended (unknown), by unknown",
        "  peers , level None, sessions 0",
        "  evidence none kept",
    ]
    assert lease_as_json(LEASES[0])["seconds"] == 90


def test_events_need_no_reader() -> None:
    output = Output()
    output.stream = EventStream(io.StringIO())
    assert list_hosts((), output) == 0
