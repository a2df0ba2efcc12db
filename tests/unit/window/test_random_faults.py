"""Whatever comes together: nothing is claimed that the host is not, and the exit code is that of the table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from tests.support.fake_fleet import FakeFleet, Outcome
from tests.support.fake_host import FakeHost
from tests.support.fake_transport import ALWAYS, Fault

VERBS = ("connect", "probe", "arm", "status", "tail", "revert", "collect", "forget", "*")
KINDS = ("lost", "unheard", "belated", "cut", "mute", "noise", "slow", "stuck", "refused", "failed")


@dataclass(frozen=True)
class Incident:
    """Something that happens on the host, or to the operator, at a moment."""

    moment: float
    name: str
    number: int

    def happen(self, fleet: FakeFleet, host: FakeHost) -> None:
        acts: dict[str, Callable[[], object]] = {
            "extended": partial(host.extend, self.number),
            "another lease": partial(host.arm_other, self.number),
            "client came": host.visit,
            "client stays": host.connect,
            "clients left": host.disconnect_all,
            "main.cf edited": partial(host.edit, "debug_peer_list", "theirs"),
            "guard killed": partial(setattr, host, "guard_alive", False),
            "evidence lost": lambda: host.missing.append("rotated the file of the mark is gone"),
            "collected by another": host.forget_all,
            "host's clock set": partial(setattr, host, "skew", self.number - 60.0),
            "operator's clock set": partial(fleet.time.set_clock, self.number - 60.0),
            "cable out": partial(fleet.net.unplugged.add, host.name),
            "cable in": partial(fleet.net.unplugged.discard, host.name),
        }
        acts[self.name]()


NAMES = (
    *("extended", "another lease", "client came", "client stays", "clients left", "main.cf edited", "guard killed"),
    *("evidence lost", "collected by another", "host's clock set", "operator's clock set", "cable out", "cable in"),
)
MOMENTS = some.floats(0, 100, width=16)
incidents = some.lists(some.builds(Incident, MOMENTS, some.sampled_from(NAMES), some.integers(1, 120)), max_size=5)
faults = some.lists(
    some.builds(
        Fault,
        some.sampled_from(VERBS),
        some.sampled_from(KINDS),
        some.sampled_from([1, 2, ALWAYS]),
        # an arm that takes effect later than that after its connection broke is not waited for (window/arm.py, BELATED)
        some.sampled_from([1.0, 4.0, 8.0]),
    ).map(lambda fault: replace(fault, seconds=1000.0) if fault.kind in ("slow", "stuck") else fault),
    max_size=3,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    faults=faults,
    incidents=incidents,
    interrupts=some.lists(MOMENTS, max_size=2),
    how=some.sampled_from(["", "", "detach", "follow"]),
)
@example([Fault("collect", "lost", 1)], [Incident(1.0, "another lease", 120)], [0.0], "")
def test_nothing_is_claimed_that_is_not_so(
    faults: list[Fault], incidents: list[Incident], interrupts: list[float], how: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fleet = FakeFleet(Path(folder))
        host = fleet.add("mx1", *faults)
        for incident in incidents:
            fleet.at(incident.moment, partial(incident.happen, fleet, host))
        fleet.interrupt_at(*interrupts)
        options: dict[str, Any] = {how: True} if how else {}
        outcome = fleet.debug("--drain", "20s", **options)  # what it claims is held against the host in there
        assert outcome.code == expect(outcome, interrupted=fleet.pressed > 0, detach=how == "detach")


def expect(outcome: Outcome, *, interrupted: bool, detach: bool) -> int:
    """Return the exit code that the table of docs/reference/cli.md has for what is said of the host."""
    said = outcome.host
    stays_armed = said["state"] == "armed" and not said["reverted"]
    if said["state"] in ("unknown", "conflict"):
        return 5
    if stays_armed and (interrupted or not detach):
        return 5
    if interrupted:
        return 130
    if said["error"] is None:
        return 0
    refused = [event["refused"] for event in outcome.events if event["event"] == "failed"]
    return 3 if all(refused) else 4
