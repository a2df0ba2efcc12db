"""Hosts without systemd: the guard levels cron and at, and none at all.

The machine's own cron and atd do the work. systemd is hidden from the agent and from them by removing the one
folder that says "booted with systemd" (sd_booted(3)). It is given back after each test: a machine without it cannot
be shut down in order, and the next test file may want to.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Machine
from tests.support.machine_agent import LEASE, STATE, MachineAgent, load_functions
from tests.support.outside import debugging, wait_until_off

pytestmark = pytest.mark.machine

_BOOTED = "/run/systemd/system"


@pytest.fixture
def bare(spotless: Machine) -> Iterator[Machine]:
    """Return a machine that does not look as if it had been booted with systemd."""
    spotless.run(["rm", "-rf", _BOOTED])
    yield spotless
    spotless.run(["mkdir", "-p", _BOOTED])


def daemons(machine: Machine, verb: str, *names: str) -> None:
    """Start or stop cron and atd; systemctl itself needs the folder for that."""
    machine.run(["sh", "-c", f"mkdir -p {_BOOTED} && systemctl {verb} {' '.join(names)}; rm -rf {_BOOTED}"])


def left_of(machine: Machine) -> str:
    """Return what cron and at have of ours."""
    return machine.run(["sh", "-c", "ls /etc/cron.d | grep pfremote; atq; true"]).stdout


def test_the_levels_in_their_order(bare: Machine, host: MachineAgent) -> None:
    assert host.ask("probe").one("guards") == "cron at process"
    daemons(bare, "stop", "cron")
    assert host.ask("probe").one("guards") == "at process"
    daemons(bare, "stop", "atd")
    assert host.ask("probe").one("guards") == "process"
    reply = host.ask("arm", *host.arm_words())
    assert [reason.code for reason in reply.refusals] == ["volatile-guard"]
    daemons(bare, "start", "cron", "atd")


@pytest.mark.parametrize("guard", ["cron", "at", "process"])
def test_armed_and_ended_by_the_deadline(bare: Machine, host: MachineAgent, guard: str) -> None:
    reply = host.arm(f"guard={guard}", "volatile=yes", seconds=4)
    assert reply.one("lease.guard") == guard
    assert bool(left_of(bare)) == (guard != "process")
    wait_until_off(bare, 4 + 5)
    time.sleep(1)
    assert left_of(bare) == ""


@pytest.mark.parametrize("guard", ["cron", "at"])
def test_reverted_on_request_nothing_is_spooled(bare: Machine, host: MachineAgent, guard: str) -> None:
    host.arm(f"guard={guard}")
    assert host.ask("revert", f"lease={LEASE}").one("clean") == "yes"
    assert left_of(bare) == ""


@pytest.mark.parametrize("guard", ["cron", "at"])
def test_the_daemon_is_stopped_after_arm_and_the_watcher_ends_it(bare: Machine, host: MachineAgent, guard: str) -> None:
    host.arm(f"guard={guard}", seconds=5)
    daemons(bare, "stop", "cron", "atd")
    wait_until_off(bare, 5 + 5)
    daemons(bare, "start", "cron", "atd")


@pytest.mark.parametrize("guard", ["cron", "at"])
def test_refused_where_its_daemon_does_not_run(bare: Machine, host: MachineAgent, guard: str) -> None:
    daemons(bare, "stop", "cron", "atd")
    reply = host.ask("arm", *host.arm_words(f"guard={guard}"))
    daemons(bare, "start", "cron", "atd")
    assert [reason.code for reason in reply.refusals] == ["no-guard"]


def test_cron_watcher_killed_the_next_minutes_watcher_ends_it(bare: Machine, host: MachineAgent) -> None:
    """Killed before cron's next minute: the lease is ended when its deadline has passed and cron has looked."""
    host.arm("guard=cron", seconds=5)
    host.kill_watcher()
    assert wait_until_off(bare, 60 + 10) < 60 + 8


def test_at_watcher_killed_the_spooled_job_ends_it(bare: Machine, host: MachineAgent) -> None:
    """The job starts with the deadline's minute and knows the second, so no minute is lost."""
    started = time.time()
    host.arm("guard=at", seconds=65)
    host.kill_watcher()
    wait_until_off(bare, 65 + 8)
    assert 64 < time.time() - started < 65 + 8


def test_process_watcher_killed_nobody_ends_it_but_the_next_look(bare: Machine, host: MachineAgent) -> None:
    """What "volatile" means: nothing on the host comes back. The next pfremote that looks does."""
    host.arm("guard=process", "volatile=yes", seconds=3)
    host.kill_watcher()
    time.sleep(6)
    assert debugging(bare)
    assert host.ask("status").one("clean") == "yes"
    assert not debugging(bare)


def test_cron_power_cut_and_boot(bare: Machine, host: MachineAgent) -> None:
    """cron's @reboot line; it starts beside Postfix, not before it."""
    host.arm("guard=cron")
    bare.power_cut()
    bare.boot()
    wait_until_off(bare, 10)
    assert host.ask("status", f"lease={LEASE}").one("lease.why") == "reboot"


def test_at_power_cut_and_boot_after_the_deadline(bare: Machine, host: MachineAgent) -> None:
    host.arm("guard=at", seconds=3)
    bare.power_cut()
    time.sleep(3)
    bare.boot()
    wait_until_off(bare, 65)


def test_at_power_cut_and_boot_before_the_deadline(bare: Machine, host: MachineAgent) -> None:
    """The job waits for the deadline's minute; whoever looks before ends it then."""
    host.arm("guard=at")
    bare.power_cut()
    bare.boot()
    assert host.ask("status", f"lease={LEASE}").one("lease.why") == "reboot"
    assert not debugging(bare)


def test_process_power_cut_and_boot_the_next_look_ends_it(bare: Machine, host: MachineAgent) -> None:
    host.arm("guard=process", "volatile=yes")
    bare.power_cut()
    bare.boot()
    assert debugging(bare)
    assert host.ask("status").one("clean") == "yes"


@pytest.mark.parametrize("guard", ["cron", "at"])
def test_a_lease_beside_another_keeps_the_guard(bare: Machine, host: MachineAgent, guard: str) -> None:
    host.arm(f"guard={guard}")
    host.arm(f"guard={guard}", "peer=192.0.2.1", lease="aaaaaaaaaaaa", seconds=4)
    time.sleep(7)
    assert "192.0.2.1" not in bare.read("/etc/postfix/main.cf")
    assert debugging(bare) and left_of(bare)
    assert bare.run(["sh", "-c", f"kill -0 $(cut -d' ' -f1 {STATE}/watch.pid)"]).returncode == 0
    assert host.ask("revert", "lease=all").one("clean") == "yes"


def test_a_program_of_a_container_does_not_run_here(bare: Machine) -> None:
    """Seen from outside, a machine of the lab is a container: its cron reads another /etc/cron.d than ours."""
    assert "cron" in bare.run(["sh", "-c", "cat /proc/[0-9]*/comm"]).stdout.split()
    pid = next(path for path in Path("/proc").glob("[0-9]*/comm") if path.read_text() == "dovecot\n")
    assert pid.parent.name != str(os.getpid())
    functions = load_functions()
    asked = b'\nif proc_running dovecot; then echo here; fi; if proc_running "$1"; then echo self; fi\n'
    mine = Path("/proc/self/comm").read_text().strip()
    done = subprocess.run(["dash", "-s", "--", mine], input=functions + asked, capture_output=True, check=True)
    assert done.stdout == b"self\n"
