"""A machine looked at from outside: what a lease could leave behind, and whether a real session is verbose.

Nothing here asks pfremote. "Clean" is: main.cf with its bytes, owner, mode, time, links and inode; no file, unit, failed
unit, spooled job or process of ours; and a session of the peer whose dialogue is not in the log.
"""

from __future__ import annotations

import time

from tests.lab import Lab, Machine

#: client.example.jp, the peer of every test on machines.
PEER = "10.0.1.20"

#: The ask-password units fail now and then for want of inotify instances, which all machines share with the outer one.
_LOOK = r"""
stat -c '%a %u:%g %s %Y %h %i' /etc/postfix/main.cf
sha256sum </etc/postfix/main.cf
ls -A /etc/postfix | grep -E 'pfremote|main\.cf\.'
ls /etc/systemd/system /run/systemd/system /etc/cron.d /tmp 2>/dev/null | grep pfremote
ls /etc/systemd/system/*.wants | grep pfremote
grep -l pfremote /var/spool/cron/atjobs/* 2>/dev/null
systemctl list-units --all --plain --no-legend 'pfremote*'
systemctl --failed --plain --no-legend | grep -v ask-password
pgrep -af 'pfremote/[^ ]*/agent'
true
"""


def look(machine: Machine) -> str:
    """Return all that a lease could leave behind, as one text."""
    return machine.run(["sh", "-c", _LOOK]).stdout


def debugging(machine: Machine) -> bool:
    """Tell whether main.cf has a debug parameter."""
    return "debug_peer" in machine.read("/etc/postfix/main.cf")


def is_verbose(lab: Lab, machine: Machine) -> bool:
    """Hold a real session as the peer and see whether its dialogue is logged."""
    words = ["journalctl", "-q", "-n", "0", "--show-cursor"]
    mark = machine.run(words).stdout.strip().removeprefix("-- cursor: ")
    with lab.client.hold_session(machine):
        time.sleep(0.5)
    new = machine.run(["journalctl", "-q", "--after-cursor", mark, "-o", "cat"]).stdout
    assert f"connect from client.example.jp[{PEER}]" in new, "the session is not in the log at all"
    return f"[{PEER}]: ehlo" in new.lower() or f"> client.example.jp[{PEER}]: 220" in new


def wait_for_look(machine: Machine, before: str, seconds: float) -> float:
    """Wait until the machine looks as it did; return how long that took."""
    started = time.monotonic()
    while (now := look(machine)) != before:
        if time.monotonic() - started > seconds:
            assert now == before, f"{now}\n--- before:\n{before}"
        time.sleep(0.1)
    return time.monotonic() - started


def wait_until_off(machine: Machine, seconds: float) -> float:
    """Wait until main.cf has lost our parameters; return how long that took."""
    started = time.monotonic()
    while debugging(machine):
        assert time.monotonic() - started < seconds, f"still debugging after {seconds:g} s"
        time.sleep(0.05)
    return time.monotonic() - started
