"""The recap: a line for each host, counts as Ansible has them, and what many hosts said alike said once."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from pfremote.errors import Reason
from pfremote.model.result import HostResult
from pfremote.output.console import Console
from pfremote.output.messages import Messages
from pfremote.output.recap import recap_text, render_recap

GOOD = HostResult("mx1", "clean", armed=True, reverted=True, drained=True, complete=True, sessions=2, lines=90)
GONE = Reason("unreachable", "cannot connect to {0} (10.0.1.10{1}:22): no answer in time", "ping {0}")


def gone(number: int) -> HostResult:
    name = f"mx{number}"
    reason = Reason(GONE.code, GONE.message.format(name, number), GONE.hint.format(name))
    return HostResult(name, error=reason)


def told(results: list[HostResult]) -> list[str]:
    return ["".join(text for text, _ in row).rstrip() for row in render_recap(results)]


def test_a_host_has_one_line_with_its_state_and_the_counts() -> None:
    assert recap_text(GOOD) == "clean      captured=2 lines=90 complete=1"
    refused = HostResult("mx2", refusals=(Reason("no-log", "x"), Reason("no-log", "y")))
    assert recap_text(refused) == "untouched  refused: no-log"
    assert recap_text(gone(3)) == "untouched  unreachable"


def test_what_did_not_go_as_it_should_is_counted_and_what_did_is_not() -> None:
    undrained = replace(GOOD, drained=False, complete=False)
    assert recap_text(undrained) == "clean      captured=2 lines=90 drained=0 complete=0"
    lost = HostResult("mx3", "unknown", armed=True, lease="a", error=Reason("unknown", "x"))
    assert "armed=1 reverted=0 drained=0" in recap_text(lost)
    ended = HostResult("mx5", "clean", armed=True, reverted=True, drained=True)
    assert recap_text(ended) == "clean"
    detached = HostResult("mx4", "armed", armed=True, lease="0a1b", guard="systemd")
    assert recap_text(detached) == "armed      armed=1 lease 0a1b, guard systemd"


def test_clean_is_not_said_beside_debugging_that_no_lease_explains() -> None:
    assert recap_text(replace(GOOD, by_hand=True)).startswith("by hand ")


def test_one_reason_of_many_hosts_is_one_line_with_their_names() -> None:
    lines = told([GOOD, gone(2), gone(3), gone(4)])
    assert len(lines) == 7
    assert lines[-2:] == [
        "mx2,mx3,mx4: error: cannot connect to HOST: no answer in time",
        "mx2,mx3,mx4: hint: ping HOST",
    ]
    assert told([GOOD, gone(2)])[-2:] == [
        "mx2: error: cannot connect to mx2 (10.0.1.102:22): no answer in time",
        "mx2: hint: ping mx2",
    ]


def test_refusals_of_one_kind_are_folded_and_others_are_not() -> None:
    same = Reason("not-running", "Postfix is not running")
    lines = told(
        [
            HostResult("a", refusals=(same, Reason("no-log", "where?"))),
            HostResult("b", refusals=(same,)),
        ]
    )
    assert lines[-2:] == ["a,b: refused: Postfix is not running", "a: refused: where?"]


def test_hosts_that_nobody_saw_clean_are_named_with_the_time() -> None:
    lost = [
        HostResult(name, "unknown", armed=True, deadline=moment, error=Reason("unknown", "not seen clean"))
        for name, moment in (("mx3", 1_800_000_000), ("mx7", 1_800_000_007))
    ]
    assert told([GOOD, *lost])[-1] == "left to their own guard: mx3 until 08:00:05 UTC, mx7 until 08:00:12 UTC"


def test_what_a_second_host_says_alike_waits_for_the_recap() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out=out, err=err)
    messages = Messages(console)
    for host in ("mx1", "mx2", "mx3"):
        messages("warning", host, code="odd", message=f"{host} is odd", hint=f"look at {host}")
    messages("warning", "mx1", code="odd", message="mx1 is odd", hint="look at mx1")
    assert err.getvalue().splitlines() == ["mx1: warning: mx1 is odd", "mx1: hint: look at mx1"]
    console.tell_folded(messages.list_folded("warning"))
    assert out.getvalue().splitlines() == [
        "mx2,mx3: warning: HOST is odd",
        "mx2,mx3: hint: look at HOST",
    ]


@pytest.mark.parametrize(("verbosity", "data"), [(1, True), (0, False)])
def test_with_v_or_for_programs_nothing_waits(*, verbosity: int, data: bool) -> None:
    err = io.StringIO()
    messages = Messages(Console(out=io.StringIO(), err=err, verbosity=verbosity, data=data))
    for host in ("mx1", "mx2"):
        messages("warning", host, code="odd", message="odd")
    assert len(err.getvalue().splitlines()) == 2
