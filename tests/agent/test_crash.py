"""kill -9 after every journal step: the next look ends clean, and so does the host that nobody looks at."""

from __future__ import annotations

import re
import time
from importlib import resources

import pytest

from pfremote.loopback import traffic
from tests.support.agent import LEASE, HostAgent, Snapshot

ARM_STEPS = ("baseline", "mark", "guard", "guarded", "swap", "swapped", "reload", "armed")
REVERT_STEPS = ("revert", "apply", "applied", "reloaded", "disarm", "reverted", "snapshot")


def test_no_journal_step_is_forgotten_here() -> None:
    """A step that the agent writes and this file does not kill at is a hole in the guarantee."""
    folder = resources.files("pfremote.agent") / "script"
    script = "".join(part.read_text() for part in folder.iterdir() if part.name.endswith(".sh"))
    written = set(re.findall(r'^\s*journal "\$\w+" ([a-z-]+)', script, re.M))
    assert written == {*ARM_STEPS, *REVERT_STEPS, "extend", "apply-failed"}


@pytest.mark.parametrize("step", ARM_STEPS)
def test_an_arm_that_dies_is_undone_by_the_next_look(agent: HostAgent, step: str) -> None:
    before = Snapshot.of(agent.host.main_cf)
    run = agent.arm(seconds=600, die_after=step)
    assert run.reply is None
    assert agent.ask("status").one("clean") == "yes"
    assert Snapshot.of(agent.host.main_cf) == before
    assert agent.leftovers() == []
    again = agent.arm(lease="abcdefabcdef").reply
    assert again is not None and again.outcome == "ok"


@pytest.mark.parametrize("step", ["guarded", "swap", "swapped", "reload", "armed"])
def test_an_arm_that_dies_is_undone_by_the_guard_alone(dash_agent: HostAgent, step: str) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    started = time.time()
    dash_agent.arm(seconds=3, die_after=step)
    while dash_agent.leftovers() and time.time() < started + 8:
        time.sleep(0.1)
    assert Snapshot.of(dash_agent.host.main_cf) == before
    assert dash_agent.leftovers() == []


@pytest.mark.parametrize("step", REVERT_STEPS)
def test_a_revert_that_dies_is_finished_by_the_next_look(agent: HostAgent, step: str) -> None:
    before = Snapshot.of(agent.host.main_cf)
    assert agent.arm(seconds=600).exit_status == 0
    traffic.fail_auth_over_starttls(agent.host)
    agent.call("revert", f"lease={LEASE}", die_after=step)
    reply = agent.ask("revert", f"lease={LEASE}")
    assert reply.one("clean") == "yes"
    assert reply.one("lease.drained") == "yes"
    assert Snapshot.of(agent.host.main_cf) == before
    assert agent.leftovers() == []
    assert b"STARTTLS" in agent.ask("collect", f"lease={LEASE}").payloads["evidence"]


@pytest.mark.parametrize("step", REVERT_STEPS)
def test_a_revert_that_dies_is_finished_by_the_guard_alone(dash_agent: HostAgent, step: str) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    dash_agent.arm(seconds=4)
    dash_agent.call("revert", f"lease={LEASE}", die_after=step)
    end = time.time() + 12
    while dash_agent.leftovers() and time.time() < end:
        time.sleep(0.1)
    assert Snapshot.of(dash_agent.host.main_cf) == before
    assert dash_agent.leftovers() == []
