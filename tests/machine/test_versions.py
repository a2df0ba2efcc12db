"""The whole window on other releases of Debian: bullseye (Postfix 3.5, systemd 247), trixie (3.10, systemd 257).

bookworm (3.7) is what every other test runs on. A release runs where its tree is cached or PFREMOTE_LAB_SUITES asks for it;
what is left out is in the summary of the run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.lab.fixtures import entered
from tests.lab.tree import DEFAULT_SUITE, SUITES, tree_path
from tests.support.machine_agent import LEASE, MachineAgent
from tests.support.operator import Operator
from tests.support.outside import PEER, debugging, is_verbose, look, wait_for_look, wait_until_off

pytestmark = pytest.mark.machine


@pytest.fixture(scope="module", params=[suite for suite in SUITES if suite != DEFAULT_SUITE])
def other_lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Return a lab of one machine of another release."""
    suite = request.param
    if suite not in os.environ.get("PFREMOTE_LAB_SUITES", "").split() and not tree_path(suite).exists():
        pytest.skip(f"left out: no {suite} tree is cached; PFREMOTE_LAB_SUITES={suite} builds it")
    with entered(Lab(suite=suite)) as laboratory:
        yield laboratory


@pytest.fixture
def other_host(other_lab: Lab) -> Iterator[MachineAgent]:
    """Return the agent on that machine, which must look the same when the test is over."""
    machine = other_lab.machines["mx1"]
    other_lab.renew(machine)
    before = look(machine)
    yield MachineAgent(other_lab, machine)
    wait_for_look(machine, before, 20)
    assert not is_verbose(other_lab, machine)


def test_a_whole_window(other_host: MachineAgent, tmp_path: Path) -> None:
    lab, machine = other_host.lab, other_host.machine
    words = ("mx1", "--peer", PEER, "--minutes", "8s", "--smtpd-tls", "1", "--out", str(tmp_path / "run"))
    window = Operator(lab, tmp_path).start(*words)
    assert window.wait_for("armed")["guard"] == "systemd"
    assert is_verbose(lab, machine)
    lab.client.fail_auth(machine)
    lab.other.fail_auth(machine)
    code, hosts = window.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["sessions"]) == (0, "clean", 2)
    evidence = (tmp_path / "run" / "mx1" / "evidence.log").read_text()
    assert "client.example.jp[10.0.1.20]" in evidence
    assert "STARTTLS" in evidence
    assert "other.example.com" not in evidence


def test_the_watcher_is_killed(other_host: MachineAgent) -> None:
    other_host.arm()
    other_host.kill_watcher()
    wait_until_off(other_host.machine, 5)


def test_the_timer_alone(other_host: MachineAgent) -> None:
    other_host.arm(seconds=5)
    started = time.monotonic()
    other_host.machine.run(["sh", "-c", "rm /run/systemd/system/pfremote-etc-postfix.service; systemctl daemon-reload"])
    other_host.kill_watcher()
    wait_until_off(other_host.machine, 10)
    assert time.monotonic() - started < 5 + 5


def test_all_of_the_watchers_unit_is_killed(other_host: MachineAgent) -> None:
    """A random fault found it on Debian 13: what ends debugging was killed with the watcher, and the timer was stopped."""
    other_host.arm()
    other_host.machine.run(["systemctl", "stop", "pfremote-etc-postfix-revert.timer"])
    other_host.machine.run(["systemctl", "kill", "-s", "KILL", "pfremote-etc-postfix.service"])
    wait_until_off(other_host.machine, 5)


def test_power_cut(other_host: MachineAgent) -> None:
    other_host.arm()
    other_host.machine.power_cut()
    other_host.machine.boot()
    assert not debugging(other_host.machine)
    journal = other_host.machine.run(["journalctl", "-b", "-q", "--no-pager", "-o", "cat"]).stdout
    assert journal.index("why=reboot") < journal.index("daemon started -- version")


@pytest.mark.parametrize("guard", ["cron", "at"])
def test_without_systemd(other_host: MachineAgent, guard: str) -> None:
    reply = other_host.arm(f"guard={guard}", seconds=4)
    assert reply.one("lease.guard") == guard
    wait_until_off(other_host.machine, 4 + 5)


def test_entries_that_are_gone_from_the_journal_are_counted(other_host: MachineAgent) -> None:
    """journald numbers its entries since systemd 254; before that a deleted file is told as rotated only."""
    lab, machine = other_host.lab, other_host.machine
    version = int(machine.run(["systemctl", "--version"]).stdout.split()[1])
    other_host.arm()
    for _ in range(3):
        lab.client.fail_auth(machine)
    machine.run(["journalctl", "-q", "--rotate"])
    lab.client.fail_auth(machine)
    machine.run(["journalctl", "-q", "--vacuum-files=1"])
    other_host.ask("revert", f"lease={LEASE}")
    reply = other_host.ask("collect", f"lease={LEASE}")
    codes = {text.split()[0] for text in reply.every("missing")}
    assert reply.one("complete") == "no"
    assert ("gap" in codes) == (version >= 254), reply.every("missing")
    assert "rotated" in codes or "gap" in codes
