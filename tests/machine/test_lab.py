"""The lab is real: whole machines boot, log, take mail, and lose power and network as hosts do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab import Lab, Machine
from tests.lab.leftovers import labs_directory, remove_dead_labs
from tests.lab.tree import SUITES, tree_path

pytestmark = pytest.mark.machine


def failed_units(machine: Machine) -> str:
    return machine.run(["systemctl", "--failed", "--plain", "--no-legend"]).stdout


def boot_id(machine: Machine) -> str:
    return machine.read("/proc/sys/kernel/random/boot_id")


def ssh(lab: Lab, name: str, *argv: str, timeout: int = 5) -> subprocess.CompletedProcess[str]:
    """Run a command over SSH from the controller's network."""
    options = ["-F", str(lab.ssh_config), "-o", "BatchMode=yes", "-o", f"ConnectTimeout={timeout}"]
    return lab.run(["ssh", *options, name, *argv], check=False)


def test_a_booted_machine_is_whole(machine: Machine) -> None:
    assert failed_units(machine) == ""
    assert machine.run(["systemctl", "is-system-running"]).stdout == "running\n"
    for unit in ("ssh", "cron", "atd", "rsyslog", "systemd-journald", "dovecot"):
        assert machine.run(["systemctl", "is-active", unit]).stdout == "active\n", unit


def test_mail_is_in_the_journal_and_in_the_syslog_file(lab: Lab, machine: Machine) -> None:
    queue_id = lab.client.deliver(machine)
    log = machine.wait_for_log(f"{queue_id}: removed")
    assert f"{queue_id}: client=client.example.jp[10.0.1.20]" in log
    journal = machine.run(["journalctl", "--no-pager", "SYSLOG_FACILITY=2"]).stdout
    assert f"{queue_id}: removed" in journal


def test_auth_on_both_ports(lab: Lab, machine: Machine) -> None:
    assert lab.client.log_in(machine) == 235
    assert lab.client.log_in(machine, port=machine.submission_port, mechanism="LOGIN") == 235
    assert lab.client.fail_auth(machine, port=machine.submission_port) == 535
    machine.wait_for_log("postfix/submission/smtpd")
    machine.wait_for_log("client.example.jp[10.0.1.20]: SASL PLAIN authentication failed")


def test_another_client_has_another_name(lab: Lab, machine: Machine) -> None:
    with lab.other.hold_session(machine):
        machine.wait_for_log("connect from other.example.com[10.0.1.21]")


def test_machines_send_mail_to_each_other(lab: Lab, machines: list[Machine]) -> None:
    one, two = machines
    one.run(
        ["sendmail", "-f", f"bob@{one.name}.example.jp", f"bob@{two.name}.example.jp"],
        stdin="Subject: x\n\nx\n",
    )
    assert f"relay={two.name}.example.jp[{two.address}]:25" in one.wait_for_log(f"relay={two.name}")


def test_ssh_with_and_without_a_sudo_password(lab: Lab, machine: Machine) -> None:
    assert ssh(lab, "mx1", "sudo", "-n", "id", "-u").stdout == "0\n"
    refused = ssh(lab, "mx1", "-l", "opspw", "sudo", "-n", "id", "-u")
    assert refused.returncode != 0
    assert "password is required" in refused.stderr
    accepted = machine.run(["su", "opspw", "-c", "sudo -S -p '' id -u"], stdin=f"{machine.sudo_password}\n")
    assert accepted.stdout == "0\n"


def test_the_machines_are_out_of_reach_from_outside(machine: Machine) -> None:
    done = subprocess.run(["ip", "route", "get", machine.address], capture_output=True, text=True, check=False)
    assert "10.0.1.1 " not in done.stdout
    assert "br0" not in done.stdout


def test_the_disk_survives_a_power_cut(lab: Lab, machine: Machine) -> None:
    before = boot_id(machine)
    machine.write("/var/lib/kept", "still here\n")
    machine.write("/run/lost", "gone\n")
    with lab.client.hold_session(machine):
        machine.power_cut()
        assert not machine.is_on
        assert machine.read("/var/lib/kept") == "still here\n"
        machine.boot()
    assert machine.read("/var/lib/kept") == "still here\n"
    assert machine.run(["test", "-e", "/run/lost"], check=False).returncode == 1
    assert boot_id(machine) != before
    assert failed_units(machine) == ""
    assert lab.client.log_in(machine) == 235


def test_an_orderly_shutdown_stops_postfix(machine: Machine) -> None:
    machine.shutdown()
    assert not machine.is_on
    machine.boot()
    last_boot = machine.run(["journalctl", "--no-pager", "--boot=-1"]).stdout
    assert "Stopped postfix" in last_boot
    assert "Journal stopped" in last_boot
    assert failed_units(machine) == ""


def test_a_pulled_cable_cuts_ssh_and_mail_until_it_is_plugged_again(lab: Lab, machine: Machine) -> None:
    machine.cable("down")
    assert ssh(lab, "mx1", "true", timeout=1).returncode == 255
    with pytest.raises(OSError, match=r"timed out|route|unreachable"):
        lab.client.call(_connect, machine.address, machine.smtp_port)
    assert machine.run(["hostname"]).stdout == "mx1\n"
    machine.cable("up")
    # For a moment the neighbour whom nobody answered for is still without a route.
    tried = time.monotonic()
    while (done := ssh(lab, "mx1", "true")).returncode and time.monotonic() < tried + 20:
        time.sleep(0.2)
    assert done.returncode == 0, done.stderr


def test_a_fresh_disk_is_fresh(lab: Lab, fresh_machine: Machine) -> None:
    assert fresh_machine.run(["test", "-e", "/var/lib/kept"], check=False).returncode == 1
    assert ssh(lab, "mx1", "true").returncode == 0


def test_a_killed_lab_is_removed_by_the_next(lab: Lab) -> None:
    code = "import time, tests.lab\nwith tests.lab.Lab() as lab:\n print(lab.id, flush=True)\n time.sleep(99)"
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        lab_id = process.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
    assert lab_id in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert lab_id in remove_dead_labs()
    assert lab_id not in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert lab_id not in Path("/proc/self/mountinfo").read_text()
    assert not (labs_directory() / lab_id).exists()
    assert (labs_directory() / lab.id).exists()


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_boots(suite: str) -> None:
    wanted = os.environ.get("PFREMOTE_LAB_SUITES", "").split()
    if suite not in wanted and not tree_path(suite).exists():
        pytest.skip(f"no {suite} tree is cached; PFREMOTE_LAB_SUITES={suite} builds it")
    with Lab(suite=suite) as lab:
        machine = lab.machines["mx1"]
        version = machine.run(["postconf", "-h", "mail_version"]).stdout
        assert version.startswith(f"{SUITES[suite]}.")
        assert failed_units(machine) == ""
        assert lab.client.log_in(machine, port=machine.submission_port) == 235
        machine.wait_for_log("client.example.jp[10.0.1.20]")


def _connect(address: str, port: int) -> None:
    import socket

    socket.create_connection((address, port), timeout=1).close()
