"""The promises of docs/guarantees.md on whole machines: systemd, journald, real SSH, real power cuts.

What "clean" means is looked at from outside: main.cf and its metadata, units, processes, and a real SMTP
session that must not be verbose.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, Machine
from tests.support.operator import Operator

pytestmark = pytest.mark.machine

CLIENT = "10.0.1.20"
LOOK = r"""
stat -c '%a %u:%g %s %Y %h %i' /etc/postfix/main.cf
sha256sum </etc/postfix/main.cf
ls -A /etc/postfix | grep -E 'pfremote|main\.cf\.'
ls /etc/systemd/system /run/systemd/system /etc/cron.d /var/spool/cron/atjobs /tmp 2>/dev/null | grep pfremote
ls /etc/systemd/system/*.wants | grep pfremote
systemctl list-units --all --plain --no-legend 'pfremote*'
systemctl --failed --plain --no-legend
pgrep -af 'pfremote/[^ ]*/agent'
true
"""


def look(machine: Machine) -> str:
    """Return all that a lease could leave behind, as one text."""
    return machine.run(["sh", "-c", LOOK]).stdout


def is_verbose(lab: Lab, machine: Machine) -> bool:
    """Hold a real session as the peer and see whether its dialogue is logged."""
    mark = machine.run(["journalctl", "-q", "-n", "0", "--show-cursor"]).stdout.strip().removeprefix("-- cursor: ")
    with lab.client.hold_session(machine):
        time.sleep(0.5)
    new = machine.run(["journalctl", "-q", "--after-cursor", mark, "-o", "cat"]).stdout
    return f"[{CLIENT}]: EHLO".lower() in new.lower() or "> client.example.jp[10.0.1.20]: 220" in new


def wait_for(machine: Machine, before: str, seconds: float) -> float:
    """Wait until the machine looks as it did; return how long that took."""
    started = time.time()
    while time.time() - started < seconds:
        if look(machine) == before:
            return time.time() - started
        time.sleep(0.1)
    assert look(machine) == before
    return seconds


@pytest.fixture
def operator(lab: Lab, tmp_path: Path) -> Operator:
    return Operator(lab, tmp_path)


@pytest.fixture
def clean(lab: Lab, fresh_machine: Machine) -> Iterator[Machine]:
    """Return a fresh machine that must look the same, from outside, when the test is over."""
    before = look(fresh_machine)
    assert "pfremote" not in before
    yield fresh_machine
    wait_for(fresh_machine, before, 20)
    assert not is_verbose(lab, fresh_machine)


def arm(operator: Operator, *words: str) -> dict[str, object]:
    """Arm mx1 with --detach and return the armed event."""
    code, events, err = operator.run("debug", "mx1", "--peer", CLIENT, "--detach", *words)
    assert code == 0, (events, err)
    return next(event for event in events if event["event"] == "armed")


def test_a_whole_window_over_ssh_and_sudo(operator: Operator, lab: Lab, clean: Machine, tmp_path: Path) -> None:
    window = operator.start("mx1", "--peer", CLIENT, "--minutes", "10s", "--out", str(tmp_path / "run"))
    armed = window.wait_for("armed")
    assert armed["guard"] == "systemd"
    lab.client.fail_auth(clean)
    lab.other.fail_auth(clean)
    code, hosts = window.finish()
    assert code == 0
    assert hosts["mx1"]["state"] == "clean"
    assert hosts["mx1"]["sessions"] == 1
    evidence = (tmp_path / "run" / "mx1" / "evidence.log").read_text()
    assert "client.example.jp[10.0.1.20]" in evidence
    assert "other.example.com" not in evidence


def test_p2_what_cannot_be_guarded_is_not_changed(operator: Operator, clean: Machine) -> None:
    """The guard is armed and seen before main.cf changes: without a place for its units nothing changes.

    Without ``--guard`` cron would be taken (tests/machine/test_guard_fallback.py).
    """
    clean.run(["mount", "--bind", "-o", "ro", "/etc/systemd/system", "/etc/systemd/system"])
    try:
        code, events, _ = operator.run("debug", "mx1", "--peer", CLIENT, "--detach", "--guard", "systemd")
    finally:
        clean.run(["umount", "/etc/systemd/system"])
    assert code == 4
    assert [event for event in events if event["event"] == "failed"]
    assert "debug_peer" not in clean.read("/etc/postfix/main.cf")


def test_p2_the_order_of_the_journal(operator: Operator, clean: Machine) -> None:
    lease = arm(operator, "--minutes", "1")["lease"]
    journal = clean.read(f"/var/lib/pfremote/etc-postfix/leases/{lease}/journal")
    steps = [line.split()[1] for line in journal.splitlines()]
    assert steps == ["baseline", "mark", "guard", "guarded", "swap", "swapped", "reload", "armed"]
    assert operator.run("revert", "mx1")[0] == 0


def test_p3_the_client_dies(operator: Operator, clean: Machine) -> None:
    window = operator.start("mx1", "--peer", CLIENT, "--minutes", "6s")
    deadline = clean_deadline(window.wait_for("armed"))
    window.process.kill()
    window.leave()
    while "debug_peer" in clean.read("/etc/postfix/main.cf"):
        assert time.time() < deadline + 5
        time.sleep(0.1)


def clean_deadline(armed: dict[str, object]) -> float:
    """Return the deadline of an armed event as epoch seconds."""
    from datetime import datetime

    return datetime.fromisoformat(str(armed["deadline"])).timestamp()


def test_p3_the_cable_is_cut_and_the_client_says_what_it_does_not_know(operator: Operator, clean: Machine) -> None:
    window = operator.start("mx1", "--peer", CLIENT, "--minutes", "5s", "-T", "3")
    deadline = clean_deadline(window.wait_for("armed"))
    clean.cable("down")
    try:
        while "debug_peer" in clean.read("/etc/postfix/main.cf"):
            assert time.time() < deadline + 5
            time.sleep(0.1)
        code, hosts = window.finish(timeout=180)
    finally:
        clean.cable("up")
    assert code == 5
    assert hosts["mx1"]["state"] == "unknown"


def test_p3_a_cable_that_is_back_in_time_loses_nothing(operator: Operator, lab: Lab, clean: Machine) -> None:
    window = operator.start("mx1", "--peer", CLIENT, "--minutes", "12s", "-T", "3")
    window.wait_for("armed")
    lab.client.fail_auth(clean)
    clean.cable("down")
    time.sleep(5)
    clean.cable("up")
    code, hosts = window.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["sessions"]) == (0, "clean", 1)


def test_p3_the_watcher_is_killed(operator: Operator, clean: Machine) -> None:
    arm(operator, "--minutes", "10")
    clean.run(["sh", "-c", "kill -9 $(cut -d' ' -f1 /var/lib/pfremote/etc-postfix/watch.pid)"])
    end = time.time() + 5
    while "debug_peer" in clean.read("/etc/postfix/main.cf"):
        assert time.time() < end
        time.sleep(0.1)


def test_p3_without_the_watcher_the_timer_ends_it(operator: Operator, clean: Machine) -> None:
    """The second line alone: the watcher and its ExecStopPost are taken away before they can act."""
    arm(operator, "--minutes", "8s")
    deadline = time.time() + 8
    clean.run(["sh", "-c", "rm /run/systemd/system/pfremote-etc-postfix.service && systemctl daemon-reload"])
    clean.run(["sh", "-c", "kill -9 $(cut -d' ' -f1 /var/lib/pfremote/etc-postfix/watch.pid)"])
    while "debug_peer" in clean.read("/etc/postfix/main.cf"):
        assert time.time() < deadline + 5
        time.sleep(0.1)


@pytest.mark.parametrize("minutes", ["10", "3s"])
def test_p3_power_cut_and_boot(operator: Operator, clean: Machine, minutes: str) -> None:
    """Before and after the deadline: debugging is off before Postfix starts."""
    arm(operator, "--minutes", minutes)
    assert "debug_peer" in clean.read("/etc/postfix/main.cf")
    clean.power_cut()
    if minutes == "3s":
        time.sleep(4)
    clean.boot()
    assert "debug_peer" not in clean.read("/etc/postfix/main.cf")
    journal = clean.run(["journalctl", "-b", "-q", "--no-pager", "-o", "cat"]).stdout
    assert journal.index("why=reboot") < journal.index("daemon started -- version")


def test_p3_orderly_reboot(operator: Operator, clean: Machine) -> None:
    arm(operator, "--minutes", "10")
    clean.shutdown()
    clean.boot()
    assert "debug_peer" not in clean.read("/etc/postfix/main.cf")


def test_p4_an_edit_by_somebody_else_stays(operator: Operator, fresh_machine: Machine) -> None:
    arm(operator, "--minutes", "10", "--smtpd-tls", "2")
    fresh_machine.run(["postconf", "-e", "smtpd_tls_loglevel=1", "message_size_limit=1234567"])
    code, events, _ = operator.run("revert", "mx1")
    assert code == 5
    assert "smtpd_tls_loglevel" in json.dumps(events)
    text = fresh_machine.read("/etc/postfix/main.cf")
    assert "smtpd_tls_loglevel = 1\n" in text
    assert "message_size_limit = 1234567\n" in text
    assert "debug_peer" not in text
    lease = next(event["lease"] for event in events if event["event"] == "reverted")
    code, _, err = operator.run("revert", "mx1", "--lease", lease, "--force")
    assert code == 0, err
    text = fresh_machine.read("/etc/postfix/main.cf")
    assert "smtpd_tls_loglevel" not in text
    assert "message_size_limit = 1234567\n" in text


def test_p5_two_operators_two_peers(operator: Operator, clean: Machine) -> None:
    first = arm(operator, "--minutes", "10", "--level", "1")
    code, events, err = operator.run("debug", "mx1", "--peer", "192.0.2.7", "--detach", "--minutes", "8s")
    assert code == 0, (events, err)
    assert (
        any("192.0.2.7" not in json.dumps(event) and CLIENT in json.dumps(event) for event in events) or CLIENT in err
    )
    text = clean.read("/etc/postfix/main.cf")
    assert f"{CLIENT}" in text and "192.0.2.7" in text
    time.sleep(10)
    text = clean.read("/etc/postfix/main.cf")
    assert "192.0.2.7" not in text and CLIENT in text
    assert operator.run("revert", "mx1", "--lease", str(first["lease"]))[0] == 0


def test_p6_a_session_that_goes_on_is_not_called_drained(operator: Operator, lab: Lab, clean: Machine) -> None:
    window = operator.start("mx1", "--peer", CLIENT, "--minutes", "10")
    window.wait_for("armed")
    with lab.client.hold_session(clean):
        time.sleep(1)
        window.process.send_signal(2)
        time.sleep(3)
        assert "debug_peer" not in clean.read("/etc/postfix/main.cf")
        assert window.process.poll() is None
    code, hosts = window.finish()
    assert code == 130
    assert (hosts["mx1"]["state"], hosts["mx1"]["drained"]) == ("clean", True)


def test_p9_refused_before_anything_is_touched(operator: Operator, clean: Machine) -> None:
    for words in (["--peer", "!"], ["--peer", CLIENT, "--level", "3"], ["--peer", "0.0.0.0/0"]):
        code, events, _ = operator.run("debug", "mx1", "--detach", *words)
        assert code in (2, 3)
        assert events[-1]["event"] == "recap"
    assert not clean.run(["ls", "-A", "/var/lib/pfremote"], check=False).stdout


def test_another_operator_extends_the_window_that_is_being_watched(operator: Operator, clean: Machine) -> None:
    window = operator.start("mx1", "--peer", CLIENT, "--minutes", "8s")
    armed = window.wait_for("armed")
    code, _, err = operator.run("extend", "mx1", "--lease", str(armed["lease"]), "--minutes", "14s")
    assert code == 0, err
    time.sleep(max(0.0, clean_deadline(armed) + 1.5 - time.time()))
    assert "debug_peer" in clean.read("/etc/postfix/main.cf")
    assert window.finish()[0] == 0
