"""A guard that does not work: the next one is taken where that is allowed; and one that is killed while it goes."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab import Machine
from tests.support.machine_agent import LEASE, MachineAgent
from tests.support.outside import debugging, look, wait_for_look, wait_until_off

pytestmark = pytest.mark.machine

#: systemctl(1) as it is where the bus cannot be reached, in some containers: it answers questions and starts nothing.
_BROKEN = """#!/bin/sh
case " $* " in
*" start "* | *" restart "* | *" daemon-reload "*)
    echo 'Failed to connect to bus: Operation not permitted' >&2
    exit 1
    ;;
esac
exec /usr/bin/systemctl.real "$@"
"""
SAID = "Failed to connect to bus: Operation not permitted"


#: The watcher is killed in the moment in which systemd has read its units anew.
_KILLING = """#!/bin/sh
/usr/bin/systemctl.real "$@"
result=$?
case " $* " in
*" daemon-reload "*)
    if grep -q pfremote-etc-postfix.service /proc/self/cgroup; then
        watcher=$(/usr/bin/systemctl.real show -P MainPID pfremote-etc-postfix.service)
        [ "$watcher" = 0 ] || kill -KILL "$watcher"
    fi
    ;;
esac
exit "$result"
"""


@contextmanager
def replaced(machine: Machine, script: str, name: str = "systemctl") -> Iterator[None]:
    """Let ``script`` stand where the program is."""
    program = f"/usr/bin/{name}"
    machine.run(["mv", program, f"{program}.real"])
    machine.write(program, script)
    machine.run(["chmod", "755", program])
    yield
    machine.run(["mv", f"{program}.real", program])


@pytest.fixture
def broken(host: MachineAgent) -> Iterator[Machine]:
    """Return a machine on which systemd cannot be asked to start anything."""
    machine = host.machine
    with replaced(machine, _BROKEN):
        yield machine
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "start", "cron", "atd"])


def units(machine: Machine) -> str:
    """Return the files of the systemd guard that are there."""
    return machine.run(["sh", "-c", "find /etc/systemd/system /run/systemd/system -name 'pfremote*'"]).stdout


def test_the_next_guard_is_taken_and_the_failed_one_leaves_nothing(broken: Machine, host: MachineAgent) -> None:
    reply = host.arm(seconds=6)
    assert reply.one("lease.guard") == "cron"
    (warning,) = [reason for reason in reply.warnings if reason.code == "guard-fallback"]
    assert warning.message == f"the guard systemd could not be armed ({SAID}), so cron is the guard"
    assert units(broken) == ""
    assert "pfremote" in broken.run(["ls", "/etc/cron.d"]).stdout
    wait_until_off(broken, 6 + 5)
    time.sleep(1)
    assert "pfremote" not in broken.run(["ls", "/etc/cron.d"]).stdout


def test_a_guard_that_was_named_is_the_only_one(broken: Machine, host: MachineAgent) -> None:
    reply = host.ask("arm", *host.arm_words("guard=systemd"))
    assert (reply.outcome, reply.failures[0].code) == ("failed", "guard")
    assert reply.failures[0].message.endswith(f"or was not seen armed: {SAID}")
    assert not debugging(broken) and units(broken) == ""


def test_a_guard_that_a_reboot_would_lose_is_taken_only_where_it_was_allowed(
    broken: Machine, host: MachineAgent
) -> None:
    broken.run(["sh", "-c", "pkill -x cron; pkill -x atd; true"])
    reply = host.ask("arm", *host.arm_words())
    assert (reply.outcome, reply.failures[0].code) == ("failed", "guard")
    assert not debugging(broken) and units(broken) == ""
    assert host.arm("volatile=yes", seconds=4).one("lease.guard") == "process"
    wait_until_off(broken, 4 + 5)


def test_the_guard_of_another_lease_stays(broken: Machine, host: MachineAgent) -> None:
    host.arm("guard=cron")
    reply = host.ask("arm", *host.arm_words("peer=192.0.2.1", lease="aaaaaaaaaaaa"))
    assert (reply.outcome, reply.failures[0].code) == ("failed", "guard")
    assert debugging(broken)
    assert host.ask("revert", f"lease={LEASE}").one("clean") == "yes"


def test_a_watcher_that_is_killed_while_it_goes_is_no_failed_unit(host: MachineAgent) -> None:
    """A random fault found it on Debian 13: killed after systemd had read its units anew, the watcher was a failed one."""
    with replaced(host.machine, _KILLING):
        host.arm(seconds=3)
        wait_until_off(host.machine, 3 + 5)
        time.sleep(6)  # the watcher drains for two seconds, settles, and goes
        assert "pfremote" not in host.machine.run(["systemctl.real", "list-units", "--all", "--no-legend"]).stdout


#: The agent is killed in the moment in which its watcher was started; the timer and the boot unit are not there yet.
_KILLING_THE_ARM = """#!/bin/sh
/usr/bin/systemctl.real "$@"
result=$?
case " $* " in
*" --no-block start pfremote-etc-postfix.service "*) kill -KILL "$PPID" ;;
esac
exit "$result"
"""


def test_an_arm_that_is_killed_while_it_makes_its_guard_is_undone_by_the_watcher(host: MachineAgent) -> None:
    """A random fault found it: killed between two unit files, nothing of ours ran, and the files stayed until a look."""
    before = look(host.machine)
    with replaced(host.machine, _KILLING_THE_ARM):
        assert host.call("arm", *host.arm_words()) is None
        wait_for_look(host.machine, before, 5 + 5)


def test_a_guard_whose_unit_file_was_removed_is_forgotten_by_systemd(host: MachineAgent) -> None:
    """A random fault found it: the second line removed the files, and left it to the watcher to tell systemd."""
    machine = host.machine
    before = look(machine)
    host.arm(seconds=3)
    machine.run(["sh", "-c", "rm /run/systemd/system/pfremote-etc-postfix.service; systemctl daemon-reload"])
    host.kill_watcher("STOP")
    wait_until_off(machine, 3 + 5)
    host.kill_watcher("CONT")
    wait_for_look(machine, before, 10)


#: It notes which signals are ignored where it is started, and how it is asked.
_NOTING = """#!/bin/sh
echo "$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status) $*" >>/run/journalctl.calls
exec /usr/bin/journalctl.real "$@"
"""
_SIGPIPE = 1 << (signal.SIGPIPE - 1)


@pytest.mark.parametrize("guard", ["systemd", "cron", "process"])
def test_what_the_guard_reads_of_a_journal_ends_where_it_has_seen_enough(host: MachineAgent, guard: str) -> None:
    """systemd ignores SIGPIPE for its services (systemd.exec(5)): then journalctl would write on for nobody."""
    host.machine.run(["rm", "-f", "/run/journalctl.calls"])
    with replaced(host.machine, _NOTING, "journalctl"):
        host.arm(f"guard={guard}", "volatile=yes", seconds=2)
        wait_until_off(host.machine, 20)
        calls = wait_for_calls(host.machine)
    assert [words for mask, words in calls if int(mask, 16) & _SIGPIPE] == []


def wait_for_calls(machine: Machine) -> list[tuple[str, str]]:
    """Return mask and words of each look at whether the marked entry is still there, when the guard has had one."""
    for _ in range(100):
        time.sleep(0.2)
        lines = [line.partition(" ") for line in machine.read("/run/journalctl.calls").splitlines()]
        if calls := [(mask, words) for mask, _, words in lines if "--cursor=" in words and "export" in words]:
            return calls
    raise AssertionError("the guard did not look for the marked entry")
