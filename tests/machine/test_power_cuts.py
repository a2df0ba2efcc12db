"""The power is cut after each journal step of arm and revert, and the machine boots before and after the deadline.

P3: debugging is off before Postfix starts, whatever time was left; and nothing of ours is left but the state folder.
"""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from tests.agent.test_crash import ARM_STEPS, REVERT_STEPS
from tests.lab import Machine
from tests.lab.commands import LabError
from tests.support.machine_agent import LEASE, MachineAgent
from tests.support.outside import debugging

pytestmark = pytest.mark.machine

#: From here on the lease counts: the boot guard has something to end.
ACTIVE_STEPS = ARM_STEPS[ARM_STEPS.index("guarded") :]
_DEADLINE = 3


def cut_and_boot(machine: Machine, *, off_for: float = 0) -> str:
    """Take the power away, boot the same disk, and return the journal of that boot."""
    machine.power_cut()
    time.sleep(off_for)
    machine.boot()
    assert not debugging(machine)
    return machine.run(["journalctl", "-b", "-q", "--no-pager", "-o", "cat"]).stdout


def assert_off_before_postfix(journal: str) -> None:
    """The revert is in the journal of the boot, before master says that it starts."""
    assert journal.index(f"reverted lease={LEASE}") < journal.index("daemon started -- version")


@pytest.mark.parametrize("step", ARM_STEPS)
def test_arm_boot_before_the_deadline(host: MachineAgent, step: str) -> None:
    with host.blocked("arm", *host.arm_words(), at_step=step):
        journal = cut_and_boot(host.machine)
    if step in ACTIVE_STEPS:
        assert_off_before_postfix(journal)
    assert host.ask("status").one("clean") == "yes"


@pytest.mark.parametrize("step", ACTIVE_STEPS)
def test_arm_boot_after_the_deadline(host: MachineAgent, step: str) -> None:
    with host.blocked("arm", *host.arm_words(seconds=_DEADLINE), at_step=step):
        journal = cut_and_boot(host.machine, off_for=_DEADLINE)
    assert_off_before_postfix(journal)
    assert host.ask("status").one("clean") == "yes"


def leave_settling_to_revert(host: MachineAgent, step: str) -> None:
    """Keep the watcher from taking the evidence: it and ``revert`` do it, the one that comes first."""
    if step == "snapshot":
        host.kill_watcher("STOP")


@pytest.mark.parametrize("step", REVERT_STEPS)
def test_revert_boot_before_the_deadline(host: MachineAgent, step: str) -> None:
    host.arm()
    host.lab.client.fail_auth(host.machine)
    leave_settling_to_revert(host, step)
    with host.blocked("revert", f"lease={LEASE}", at_step=step):
        journal = cut_and_boot(host.machine)
    if step in ("revert", "apply"):
        assert_off_before_postfix(journal)
    reply = host.ask("status")
    assert reply.one("clean") == "yes"
    assert b"STARTTLS" in host.ask("collect", f"lease={LEASE}").payloads["evidence"]


@pytest.mark.parametrize("step", REVERT_STEPS)
def test_revert_boot_after_the_deadline(host: MachineAgent, step: str) -> None:
    host.arm(seconds=_DEADLINE)
    leave_settling_to_revert(host, step)
    with host.blocked("revert", f"lease={LEASE}", at_step=step):
        cut_and_boot(host.machine, off_for=_DEADLINE)
    assert host.ask("status").one("clean") == "yes"


def test_extend(host: MachineAgent) -> None:
    host.arm()
    with host.blocked("extend", f"lease={LEASE}", "seconds=900", at_step="extend"):
        assert_off_before_postfix(cut_and_boot(host.machine))


@pytest.mark.parametrize("seconds", [0.5, 0.7, 0.9])
def test_again_while_the_boot_guard_is_at_work(host: MachineAgent, seconds: float) -> None:
    host.arm()
    host.machine.power_cut()
    host.machine.power_on()
    with suppress(LabError):  # "not up after": that is the point
        host.machine.wait_until_up(timeout=seconds, again=False)
    cut_and_boot(host.machine)
    assert host.ask("status").one("clean") == "yes"
