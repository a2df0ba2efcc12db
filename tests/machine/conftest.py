"""Machines for the guarantee tests: clean before, and looked at from outside after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, Machine
from tests.lab.fixtures import entered
from tests.support.machine_agent import MachineAgent
from tests.support.operator import Operator
from tests.support.outside import debugging, is_verbose, look, wait_for_look

#: The machines of ``ten``.
ALL = tuple(f"mx{number}" for number in range(1, 11))


@pytest.fixture(scope="module")
def ten() -> Iterator[Lab]:
    """Return a lab with ten machines (some 15 s)."""
    with entered(Lab(machines=len(ALL), boot=False)) as laboratory:
        for machine in laboratory.machines.values():
            machine.power_on()
        for machine in laboratory.machines.values():
            machine.wait_until_up(timeout=240)  # ten at once, perhaps beside another lab
        yield laboratory


def is_spotless(machine: Machine) -> bool:
    """Tell whether a test may start on this machine as it is (renewing its disk costs three seconds)."""
    if not machine.is_on:
        return False
    machine.cable("up")
    seen = look(machine)
    lines = len(seen.splitlines())
    running = machine.run(["systemctl", "is-active", "postfix@-", "postfix", "cron", "atd"], check=False).stdout
    untouched = (
        machine.run(["grep", "-c", "^# Near to what Debian", "/etc/postfix/main.cf"], check=False).stdout.strip() == "1"
    )
    return lines == 2 and untouched and not debugging(machine) and "failed" not in running


@pytest.fixture
def spotless(lab: Lab) -> Machine:
    """Return mx1 without a trace of earlier tests; whatever the test leaves is its own affair."""
    machine = lab.machines["mx1"]
    if not is_spotless(machine):
        lab.renew(machine)
    machine.run(["rm", "-rf", "/var/lib/pfremote"])
    return machine


@pytest.fixture
def host(lab: Lab, spotless: Machine) -> Iterator[MachineAgent]:
    """Return the agent on mx1, which must look the same from outside, byte for byte, when the test is over."""
    before = look(spotless)
    yield MachineAgent(lab, spotless)
    wait_for_look(spotless, before, 20)
    assert not is_verbose(lab, spotless)


@pytest.fixture
def edited_host(lab: Lab, spotless: Machine) -> Iterator[MachineAgent]:
    """Return the agent on mx1 for tests that change main.cf themselves: nothing of ours may be left."""
    yield MachineAgent(lab, spotless)
    lines = look(spotless).splitlines()
    assert [line for line in lines if "pfremote" in line] == []
    assert not is_verbose(lab, spotless)


@pytest.fixture
def operator(lab: Lab, tmp_path: Path) -> Operator:
    """Return somebody at the controller."""
    return Operator(lab, tmp_path)
