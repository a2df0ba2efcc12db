"""Signals to the agent and its watcher, and the death of the SSH connection, in the middle of arm and revert."""

from __future__ import annotations

import time

import pytest

from tests.lab.fixtures import LONG
from tests.support.machine_agent import LEASE, MachineAgent, read_reply
from tests.support.outside import is_verbose, wait_until_off

pytestmark = pytest.mark.machine

STEPS = ("guarded", "swap", "swapped", "reload")
REVERT = ("revert", "apply", "applied", "reloaded", "disarm")


def pair(steps: tuple[str, ...], *, brief: str) -> list[tuple[str, str]]:
    """Return (signal, step): SIGKILL after each step, and the others after ``brief`` alone unless all are asked for."""
    return [
        (name, step) for name in ("TERM", "INT", "KILL") for step in steps if LONG or name == "KILL" or step == brief
    ]


#: A dead arm is undone by the watcher's next look, an ended lease by its ExecStopPost: seconds, not the deadline.
SOON = 5.0


def journal_steps(host: MachineAgent) -> list[str]:
    """Return the steps that the lease's journal has."""
    text = host.machine.read(f"/var/lib/pfremote/etc-postfix/leases/{LEASE}/journal")
    return [line.split()[1] for line in text.splitlines()]


@pytest.mark.parametrize(("signal", "step"), pair(STEPS, brief="swapped"))
def test_an_arm_that_is_ended_by_a_signal_is_undone_at_once(host: MachineAgent, signal: str, step: str) -> None:
    reply = host.call("arm", *host.arm_words(seconds=600), at_step=step, fault=f"kill -{signal} $$; sleep 1")
    assert reply is None or reply.outcome == "failed"
    assert wait_until_off(host.machine, SOON) < SOON
    assert host.ask("status").one("clean") == "yes"


@pytest.mark.parametrize("signal", ["HUP", "PIPE"])
def test_a_vanished_client_does_not_stop_an_arm_half_way(host: MachineAgent, signal: str) -> None:
    reply = host.call("arm", *host.arm_words(seconds=600), at_step="swap", fault=f"kill -{signal} $$")
    assert reply is not None and reply.outcome == "ok"
    assert host.ask("revert", f"lease={LEASE}").one("clean") == "yes"


@pytest.mark.parametrize(("signal", "step"), pair(REVERT, brief="apply"))
def test_a_revert_that_is_ended_by_a_signal_is_finished_by_the_watcher(
    host: MachineAgent, signal: str, step: str
) -> None:
    """At ``revert`` nothing has begun but the journal: the deadline stands."""
    host.arm(seconds=4 if step == "revert" else 600)
    host.call("revert", f"lease={LEASE}", at_step=step, fault=f"kill -{signal} $$; sleep 1")
    wait_until_off(host.machine, 8)


@pytest.mark.parametrize("signal", ["TERM", "INT", "HUP", "KILL", "ABRT", "QUIT"])
def test_the_watchers_end_is_the_revert(host: MachineAgent, signal: str) -> None:
    """Whatever ends the watcher; SIGHUP does not, and then the deadline stands."""
    host.arm(seconds=600 if signal != "HUP" else 4)
    host.kill_watcher(signal)
    wait_until_off(host.machine, 9 if signal == "HUP" else SOON)
    reply = host.ask("status", f"lease={LEASE}")
    assert reply.one("lease.why") == ("deadline" if signal == "HUP" else "guard-lost")


@pytest.mark.parametrize("verb", ["systemctl stop", "systemctl kill -s KILL", "systemctl restart"])
def test_the_watchers_unit_is_stopped_by_hand(host: MachineAgent, verb: str) -> None:
    host.arm(seconds=600)
    host.machine.run(["sh", "-c", f"{verb} pfremote-etc-postfix.service"], check=False)
    wait_until_off(host.machine, SOON)


@pytest.mark.parametrize("step", STEPS)
def test_sshd_is_killed_in_the_middle_of_an_arm(host: MachineAgent, step: str) -> None:
    """The connection and every process of it is gone: whether the arm survives or not, the lease's end is on the host."""
    remote = MachineAgent(host.lab, host.machine, ssh=True)
    with remote.blocked("arm", *remote.arm_words(seconds=5), at_step=step) as process:
        host.machine.run(["sh", "-c", "pkill -9 -f '^sshd: ops'"])
        assert read_reply(process) is None
        host.let_go()
    time.sleep(0.5)
    wait_until_off(host.machine, 5 + SOON)


@pytest.mark.parametrize("step", ["apply", "applied", "reloaded"])
def test_sshd_is_killed_in_the_middle_of_a_revert(host: MachineAgent, step: str) -> None:
    remote = MachineAgent(host.lab, host.machine, ssh=True)
    remote.arm(seconds=600)
    with remote.blocked("revert", f"lease={LEASE}", at_step=step) as process:
        host.machine.run(["sh", "-c", "pkill -9 -f '^sshd: ops'"])
        assert read_reply(process) is None
        host.let_go()
    wait_until_off(host.machine, 8)


def test_a_stopped_agent_cannot_hold_the_lock_beyond_the_deadline(host: MachineAgent) -> None:
    """SIGSTOP, a hanging disk, a name service that does not answer: the arm holds the lock and never moves again."""
    started = time.time()
    with host.blocked("arm", *host.arm_words(seconds=4), at_step="armed"):
        assert is_verbose(host.lab, host.machine)
        wait_until_off(host.machine, 15)
        assert time.time() - started < 4 + 6


def test_a_stopped_revert_cannot_hold_the_lock_beyond_anothers_deadline(host: MachineAgent) -> None:
    host.arm(seconds=600)
    host.arm("peer=192.0.2.1", lease="aaaaaaaaaaaa", seconds=5)
    started = time.time()
    with host.blocked("revert", f"lease={LEASE}", at_step="apply"):
        wait_until_off(host.machine, 15)
        assert time.time() - started < 5 + 6
