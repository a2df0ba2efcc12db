"""The clock is set back and forward in the window (P3: both clocks count).

The machines share the kernel's clock with the outer machine, so a real step cannot be made here. What is stepped is the
clock as the agent reads it: `date` at the front of the agent's own fixed PATH. The kernel's uptime, the systemd timer and the
boot id stay true, as they do on a host whose administrator sets the clock; a systemd calendar timer would follow the step,
which only makes it earlier or later than the watcher. The other half is done by writing into the lease itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import Machine
from tests.support.machine_agent import LEASE, STATE, MachineAgent
from tests.support.outside import debugging, wait_until_off

pytestmark = pytest.mark.machine

_WRAPPER = """\
#!/bin/sh
# as date(1), by a clock that was stepped by /run/step seconds
for word in "$@"; do case $word in -d | --date*) exec /usr/bin/date "$@" ;; esac; done
exec /usr/bin/date -d "@$(($(/usr/bin/date +%s) + $(cat /run/step)))" "$@"
"""


@pytest.fixture
def steppable(spotless: Machine) -> Iterator[Machine]:
    """Return a machine whose agents read a clock that :func:`step` sets."""
    spotless.write("/run/step", "0")
    spotless.write("/usr/sbin/date", _WRAPPER)
    spotless.run(["chmod", "755", "/usr/sbin/date"])
    yield spotless
    spotless.run(["rm", "-f", "/usr/sbin/date"])


def step(machine: Machine, seconds: int) -> None:
    """Set the clock forward, or back with a negative number."""
    machine.write("/run/step", str(seconds))


def take_away_the_timer(machine: Machine) -> None:
    """Leave only the watcher: the second line does not see this clock."""
    machine.run(["systemctl", "stop", "pfremote-etc-postfix-revert.timer"])


@pytest.mark.parametrize("seconds", [-3600, -86400])
def test_set_back_it_cannot_prolong_debugging(steppable: Machine, host: MachineAgent, seconds: int) -> None:
    host.arm(seconds=5)
    take_away_the_timer(steppable)
    step(steppable, seconds)
    assert wait_until_off(steppable, 5 + 5) > 1
    step(steppable, 0)
    assert host.ask("status", f"lease={LEASE}").one("lease.why") == "deadline"


def test_set_forward_it_ends_early(steppable: Machine, host: MachineAgent) -> None:
    host.arm(seconds=600)
    step(steppable, 3600)
    wait_until_off(steppable, 5)
    step(steppable, 0)


def test_set_forward_and_back_again_it_stays_off(steppable: Machine, host: MachineAgent) -> None:
    host.arm(seconds=600)
    step(steppable, 3600)
    wait_until_off(steppable, 5)
    step(steppable, -3600)
    assert not debugging(steppable)
    assert host.ask("status", f"lease={LEASE}").one("lease.state") == "reverted"
    step(steppable, 0)


def test_the_wall_clocks_deadline_alone(host: MachineAgent) -> None:
    host.arm(seconds=600)
    host.machine.run(["sed", "-i", "s/^deadline=.*/deadline=1/", f"{STATE}/leases/{LEASE}/spec"])
    wait_until_off(host.machine, 5)


def test_the_uptimes_deadline_alone(host: MachineAgent) -> None:
    host.arm(seconds=600)
    host.machine.run(["sed", "-i", "s/^uptime=.*/uptime=1/", f"{STATE}/leases/{LEASE}/spec"])
    wait_until_off(host.machine, 5)


def test_another_boot_alone(host: MachineAgent) -> None:
    host.arm(seconds=600)
    host.machine.run(["sed", "-i", "s/^boot=.*/boot=another.1/", f"{STATE}/leases/{LEASE}/spec"])
    wait_until_off(host.machine, 5)
    assert host.ask("status", f"lease={LEASE}").one("lease.why") == "reboot"
