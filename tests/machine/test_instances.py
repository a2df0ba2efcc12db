"""Several Postfix instances on one machine at once (postmulti(1)), each with leases, guard and state of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.lab import Lab, Machine
from tests.support.machine_agent import LEASE, MachineAgent
from tests.support.operator import Operator
from tests.support.outside import PEER

pytestmark = pytest.mark.machine

PORT = 2525
_MAKE = f"""
set -e
postmulti -e init
postmulti -I postfix-out -G mta -e create
out=/etc/postfix-out
postconf -c $out -e master_service_disable= myhostname=out.example.jp smtpd_relay_restrictions=defer_unauth_destination
postconf -c $out -e inet_interfaces=all maillog_file=
postconf -c $out -M# smtp/inet
postconf -c $out -M '{PORT}/inet={PORT} inet n - n - - smtpd'
postmulti -i postfix-out -e enable
touch -d @1000000000 /etc/postfix/main.cf $out/main.cf
systemctl daemon-reload
postmulti -i postfix-out -p start
"""


@pytest.fixture
def two_instances(lab: Lab, spotless: Machine) -> Iterator[MachineAgent]:
    """Return a machine with the default instance on port 25 and postfix-out on another."""
    spotless.run(["sh", "-c", _MAKE])
    deadline = time.monotonic() + 10
    while spotless.run(["postmulti", "-i", "postfix-out", "-p", "status"], check=False).returncode != 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    yield MachineAgent(lab, spotless)
    lab.renew(spotless)


def state_of(machine: Machine) -> str:
    """Return both files as they are, and what of ours is there."""
    return machine.run(
        [
            "sh",
            "-c",
            "cd /etc; stat -c '%n %a %u:%g %s %Y %i' postfix/main.cf postfix-out/main.cf;"
            " sha256sum postfix/main.cf postfix-out/main.cf; ls -A postfix postfix-out | grep pfremote;"
            " ls /etc/systemd/system /run/systemd/system /etc/systemd/system/*.wants | grep pfremote; pgrep -af '/[a]gent '; true",
        ]
    ).stdout


def debugged(machine: Machine) -> list[str]:
    """Return the instances whose main.cf debugs somebody (the file that postmulti makes has a debug_peer_level)."""
    names = ("postfix", "postfix-out")
    return [name for name in names if "\ndebug_peer_list = " in machine.read(f"/etc/{name}/main.cf")]


def talk(host: MachineAgent) -> str:
    """Say EHLO to both instances; return what they log meanwhile."""
    words = ["journalctl", "-q", "-n", "0", "--show-cursor"]
    mark = host.machine.run(words).stdout.strip().removeprefix("-- cursor: ")
    for port in (25, PORT):
        host.lab.client.hold_session(host.machine, port=port).quit()
    time.sleep(0.5)
    return host.machine.run(["journalctl", "-q", "--after-cursor", mark, "--no-pager"]).stdout


def test_each_has_its_own_lease_and_end(two_instances: MachineAgent) -> None:
    host, machine = two_instances, two_instances.machine
    before = state_of(machine)
    host.arm("instance=postfix-out", lease="aaaaaaaaaaaa", seconds=8)
    log = talk(host)
    assert f"> client.example.jp[{PEER}]: 250" in log
    assert not [
        line for line in log.splitlines() if " postfix/smtpd" in line and f"> client.example.jp[{PEER}]" in line
    ]
    host.arm(seconds=600)
    assert debugged(machine) == ["postfix", "postfix-out"]
    deadline = time.monotonic() + 8 + 5
    while debugged(machine) != ["postfix"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert host.ask("status").one("lease") == LEASE
    assert host.ask("status", "instance=postfix-out").one("lease") == "aaaaaaaaaaaa"
    assert host.ask("revert", f"lease={LEASE}").one("clean") == "yes"
    assert host.ask("status", "instance=postfix-out").one("clean") == "yes"
    deadline = time.monotonic() + 10
    while (now := state_of(machine)) != before:
        assert time.monotonic() < deadline, (now, before)
        time.sleep(0.2)


def test_the_same_lease_on_all_at_once_and_a_power_cut(two_instances: MachineAgent) -> None:
    host, machine = two_instances, two_instances.machine
    before = state_of(machine)
    host.arm()
    host.arm("instance=/etc/postfix-out")
    assert debugged(machine) == ["postfix", "postfix-out"]
    machine.power_cut()
    machine.boot()
    assert debugged(machine) == []
    journal = machine.run(["journalctl", "-b", "-q", "--no-pager", "-o", "cat"]).stdout
    assert journal.count(f"reverted lease={LEASE}") == 2
    assert journal.rindex(f"reverted lease={LEASE}") < journal.index("daemon started -- version")
    assert state_of(machine) == before


def test_by_name_with_pfremote(two_instances: MachineAgent, operator: Operator) -> None:
    machine = two_instances.machine
    window = operator.start("mx1", "--instance", "postfix-out", "--peer", PEER, "--minutes", "5s")
    window.wait_for("armed")
    assert debugged(machine) == ["postfix-out"]
    two_instances.lab.client.hold_session(machine, port=PORT).quit()
    code, hosts = window.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["sessions"]) == (0, "clean", 1)
    assert debugged(machine) == []


@pytest.mark.parametrize("words", [(), ("--peer", PEER)], ids=["facts", "peer"])
def test_check_names_the_other_instance(
    two_instances: MachineAgent, operator: Operator, words: tuple[str, ...]
) -> None:
    assert two_instances.machine.name == "mx1"
    code, events, _ = operator.run("check", "mx1", *words)
    (said,) = [event for event in events if event.get("code") == "other-instances"]
    assert (code, said["event"]) == (0, "warning")
    assert said["message"] == "this host has other Postfix instances, not looked at here: /etc/postfix-out"
    assert said["hint"].endswith("--instance /etc/postfix-out")
    code, events, _ = operator.run("check", "mx1", "--instance", "postfix-out", *words)
    assert code == 0 and not [event for event in events if event.get("code") == "other-instances"]


def test_an_instance_that_nobody_knows_is_refused(two_instances: MachineAgent) -> None:
    reply = two_instances.ask("arm", *two_instances.arm_words("instance=postfix-nowhere"))
    assert [reason.code for reason in reply.refusals] == ["no-instance"]
    assert any("postfix-out" in value for value in reply.every("hint")) or "postfix-out" in str(reply.refusals)
