"""Disks that are full or read-only while a lease is in force: its state, the log, /etc."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab import Machine
from tests.machine.test_postfix_faults import failing_reload
from tests.support.machine_agent import LEASE, MachineAgent
from tests.support.outside import debugging, wait_until_off

pytestmark = pytest.mark.machine

#: The deadline, and from then on the guard's look (1 s), its retries (5 s) and a busy machine.
LATE = 6


@contextmanager
def small_disk(machine: Machine, folder: str, size: str, mode: str = "755") -> Iterator[None]:
    """Mount a file system of its own, with what is there now, over ``folder``."""
    machine.run(["mkdir", "-p", "-m", "700", folder])
    machine.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode={mode}", "small", "/mnt"])
    machine.run(["cp", "-a", f"{folder}/.", "/mnt"])
    # not --move: systemd makes every mount shared, and those cannot be moved
    machine.run(["mount", "--bind", "/mnt", folder])
    machine.run(["umount", "/mnt"])
    try:
        yield
    finally:
        machine.run(["umount", "-l", folder])


def fill(machine: Machine, folder: str) -> None:
    """Leave no byte free, whoever asks."""
    machine.run(["sh", "-c", f"cat /dev/zero >{folder}/fill 2>/dev/null; : >{folder}/one-more"], check=False)
    assert machine.run(["sh", "-c", f"echo x >{folder}/probe"], check=False).returncode != 0


def make_room(machine: Machine, folder: str) -> None:
    """Undo :func:`fill`."""
    machine.run(["rm", "-f", f"{folder}/fill", f"{folder}/one-more", f"{folder}/probe"])


@pytest.fixture
def small_etc(spotless: Machine) -> Iterator[Machine]:
    """Return a machine whose /etc/postfix is a small disk of its own."""
    with small_disk(spotless, "/etc/postfix", "600k"):
        yield spotless


@pytest.fixture
def small_state(spotless: Machine) -> Iterator[Machine]:
    """Return a machine whose state folder is a small disk of its own."""
    with small_disk(spotless, "/var/lib/pfremote", "1m", "700"):
        yield spotless


def test_etc_full_at_the_deadline(small_etc: Machine, host: MachineAgent) -> None:
    host.arm(seconds=4)
    fill(small_etc, "/etc/postfix")
    wait_until_off(small_etc, 4 + LATE)
    assert host.ask("status", f"lease={LEASE}").one("lease.restored") == "bytes"
    make_room(small_etc, "/etc/postfix")


def test_etc_full_and_edited_by_somebody(small_etc: Machine, edited_host: MachineAgent) -> None:
    """Their edit must be kept, so a new file has to be written: the guard keeps trying until there is room."""
    host = edited_host
    host.arm(seconds=4)
    small_etc.run(["postconf", "-e", "mail_name=Theirs"])
    fill(small_etc, "/etc/postfix")
    time.sleep(4 + 3)
    reply = host.ask("status")
    assert reply.one("clean") == "no"
    assert any("could not be reverted yet" in text for text in reply.every("dirty"))
    assert "mail_name = Theirs" in small_etc.read("/etc/postfix/main.cf")
    make_room(small_etc, "/etc/postfix")
    wait_until_off(small_etc, 5 + LATE)
    assert "mail_name = Theirs" in small_etc.read("/etc/postfix/main.cf")
    assert host.ask("status", f"lease={LEASE}").one("lease.restored") == "params"


def test_etc_read_only_at_the_deadline(small_etc: Machine, host: MachineAgent) -> None:
    """The guard keeps trying, status says so, and it ends as soon as it can."""
    host.arm(seconds=3)
    small_etc.run(["mount", "-o", "remount,ro", "/etc/postfix"])
    time.sleep(3 + 3)
    assert debugging(small_etc)
    reply = host.ask("status")
    assert reply.one("clean") == "no"
    assert any("could not be reverted yet" in text for text in reply.every("dirty"))
    asked = host.ask("revert", f"lease={LEASE}")
    assert [reason.code for reason in asked.failures] == ["revert"]
    small_etc.run(["mount", "-o", "remount,rw", "/etc/postfix"])
    wait_until_off(small_etc, 5 + LATE)


def test_etc_read_only_in_arm_is_refused(small_etc: Machine, host: MachineAgent) -> None:
    small_etc.run(["mount", "-o", "remount,ro", "/etc/postfix"])
    reply = host.ask("arm", *host.arm_words())
    small_etc.run(["mount", "-o", "remount,rw", "/etc/postfix"])
    assert [reason.code for reason in reply.refusals] == ["main-cf-readonly"]


def test_etc_full_in_arm_is_refused(small_etc: Machine, host: MachineAgent) -> None:
    fill(small_etc, "/etc/postfix")
    reply = host.ask("arm", *host.arm_words())
    assert reply.outcome in ("refused", "failed")
    make_room(small_etc, "/etc/postfix")


def test_the_state_folder_is_full_at_the_deadline(small_state: Machine, host: MachineAgent) -> None:
    host.arm(seconds=4)
    fill(small_state, "/var/lib/pfremote")
    wait_until_off(small_state, 4 + LATE)
    make_room(small_state, "/var/lib/pfremote")
    assert host.ask("status").one("clean") == "yes"


def test_the_state_folder_is_read_only_at_the_deadline(small_state: Machine, host: MachineAgent) -> None:
    """main.cf can be written, so it goes back; what the folder still says is cleared when it can be."""
    host.arm(seconds=3)
    small_state.run(["mount", "-o", "remount,ro", "/var/lib/pfremote"])
    wait_until_off(small_state, 3 + LATE)
    small_state.run(["mount", "-o", "remount,rw", "/var/lib/pfremote"])


def test_the_state_folder_is_full_in_arm(small_state: Machine, host: MachineAgent) -> None:
    fill(small_state, "/var/lib/pfremote")
    reply = host.ask("arm", *host.arm_words())
    assert reply.outcome in ("refused", "failed")
    assert not debugging(small_state)
    make_room(small_state, "/var/lib/pfremote")


def test_etc_turns_read_only_in_an_arm_that_fails(small_etc: Machine, host: MachineAgent) -> None:
    """Two faults at once: what this arm changed cannot be undone yet, so its guard stays and goes on."""
    with failing_reload(small_etc):
        fault = "mount -o remount,ro /etc/postfix"
        reply = host.call("arm", *host.arm_words(), at_step="swapped", fault=fault)
        assert reply is not None
        assert [reason.code for reason in reply.failures] == ["reload"]
        assert reply.one("touched") == "yes"
        assert debugging(small_etc)
    time.sleep(2)
    small_etc.run(["mount", "-o", "remount,rw", "/etc/postfix"])
    wait_until_off(small_etc, 5 + LATE)


@pytest.fixture
def small_log(spotless: Machine) -> Iterator[Machine]:
    """Return a machine that logs to a small disk (maillog_file and postlogd), not to the journal."""
    machine = spotless
    machine.run(["cp", "-a", "/etc/postfix/main.cf", "/etc/postfix/main.kept"])
    with small_disk(machine, "/var/log/small", "2m"):
        words = ["maillog_file=/var/log/small/mail.log", "maillog_file_prefixes=/var"]
        machine.run(["postconf", "-e", *words])
        machine.run(["systemctl", "restart", "postfix"])
        machine.run(["touch", "-d", "@1000000000", "/etc/postfix/main.cf"])
        yield machine
        machine.run(["mv", "/etc/postfix/main.kept", "/etc/postfix/main.cf"])
        machine.run(["systemctl", "restart", "postfix"])


def test_the_log_disk_is_full_at_the_deadline(small_log: Machine, spotless: Machine, lab: object) -> None:
    """Nothing can be read back from such a log: the reload is not seen and said so, and debugging is off all the same."""
    host = MachineAgent(lab, spotless)  # type: ignore[arg-type]
    host.arm(seconds=5)
    fill(small_log, "/var/log/small")
    small_log.run(["sh", "-c", "cat /dev/zero >>/var/log/small/mail.log"], check=False)  # the rest of its last block
    wait_until_off(small_log, 5 + LATE)
    reply = host.ask("status", f"lease={LEASE}")
    assert reply.one("lease.reload") == "unseen"
    make_room(small_log, "/var/log/small")
    assert host.ask("status").one("clean") == "yes"


def test_the_log_disk_runs_low_and_ends_the_window(small_log: Machine, spotless: Machine, lab: object) -> None:
    host = MachineAgent(lab, spotless)  # type: ignore[arg-type]
    host.arm("min_free=20", seconds=600)
    small_log.run(["sh", "-c", "head -c 1800000 /dev/zero >/var/log/small/fill"])
    wait_until_off(small_log, 10)
    assert host.ask("status", f"lease={LEASE}").one("lease.why") == "min-free"
    make_room(small_log, "/var/log/small")
