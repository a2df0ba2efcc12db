"""Leases over real SSH, with one to three faults at random times; then a look from outside.

``pytest tests/machine/test_random_faults.py --trials 200 --seed 7`` plays 200; trial number N of a seed is always the same plan, so
``-k 'trial-17 '``-like selection plays one again. The seed is in the header of every run.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from tests.lab import Lab, Machine
from tests.support.faults import Trial, make_plan, play
from tests.support.machine_agent import MachineAgent
from tests.support.outside import debugging, is_verbose, look, wait_for_look

pytestmark = pytest.mark.machine

#: After the last deadline, the last mending and the end of all sessions: five seconds by promise, the watcher's
#: two seconds of drain, and room for two busy processors.
SETTLED = 25.0


#: What the machine can tell of a trial that failed.
_TOLD = r"""
cd /var/lib/pfremote/etc-postfix 2>/dev/null && head -n 50 history.log guard watch.pid leases/*/journal leases/*/spec
find . -type f | head -60; date; ps -eo pid,ppid,stat,lstart,args | grep -E 'agent|sh -s|sleep' | head -20
journalctl -b -q --no-pager -n 60 | grep -v postfix/
true
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each trial."""
    if "trial_number" in metafunc.fixturenames:
        numbers = range(metafunc.config.getoption("trials"))
        metafunc.parametrize("trial_number", numbers, ids=[f"trial-{number}" for number in numbers])


@pytest.fixture
def trial(lab: Lab, spotless: Machine, trial_number: int, request: pytest.FixtureRequest) -> Iterator[Trial]:
    """Return a trial with its own random numbers; whatever happens, the machine is mended."""
    choice = random.Random(f"{request.config.getoption('seed')}/{trial_number}")  # noqa: S311 - faults, not secrets
    trial = Trial(MachineAgent(lab, spotless, ssh=True), choice)
    yield trial
    trial.mend()
    # shown with a failure only
    print(spotless.run(["sh", "-c", _TOLD]).stdout)  # noqa: T201


def test_random_faults(lab: Lab, trial: Trial) -> None:
    machine = trial.machine
    before = look(machine)
    values = machine.run(["postconf", "-n"]).stdout
    play(trial, make_plan(trial.random))
    trial.mend()
    time.sleep(max(0.0, trial.last_deadline - time.time()))
    if trial.edited:
        # their edit stays, so the file is another one; all else is as before
        wait_for_look_without_main_cf(machine, before)
        now = machine.run(["postconf", "-n"]).stdout
        assert [line for line in now.splitlines() if not line.startswith("mail_name = Theirs")] == values.splitlines()
        assert "mail_name = Theirs" in now
    else:
        wait_for_look(machine, before, SETTLED)
    assert not debugging(machine)
    assert not is_verbose(lab, machine)


def wait_for_look_without_main_cf(machine: Machine, before: str) -> None:
    """As wait_for_look, for a main.cf that somebody else edited: all but its own two lines."""
    deadline = time.monotonic() + SETTLED
    while look(machine).splitlines()[2:] != before.splitlines()[2:]:
        assert time.monotonic() < deadline, look(machine)
        time.sleep(0.2)
