"""Postfix itself in trouble during the window: reloads that fail, stops and starts, throttled services, a broken main.cf."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.lab import Machine
from tests.support.machine_agent import LEASE, MachineAgent
from tests.support.outside import debugging, wait_until_off

pytestmark = pytest.mark.machine

_SCRIPT = "/usr/lib/postfix/sbin/postfix-script"
_RELOAD_FAILS = f"""
cp -a {_SCRIPT} {_SCRIPT}.kept
printf '%s\\n' '#!/bin/sh' '[ "$1" != reload ] || exit 1' 'exec {_SCRIPT}.kept "$@"' >{_SCRIPT}
"""


@contextmanager
def failing_reload(machine: Machine) -> Iterator[None]:
    """Inside the context every `postfix reload` fails before it reaches master."""
    machine.run(["sh", "-c", _RELOAD_FAILS])
    try:
        yield
    finally:
        machine.run(["mv", f"{_SCRIPT}.kept", _SCRIPT])


def knock(address: str) -> None:
    """Connect to the SMTP port, so that master starts smtpd, and hang up once it has spoken or a second is over."""
    with socket.create_connection((address, 25), timeout=5) as connection:
        connection.settimeout(1)
        with suppress(TimeoutError, ConnectionResetError):
            connection.recv(512)


def wait_until_clean(host: MachineAgent, seconds: float) -> None:
    """Wait until status says clean."""
    deadline = time.monotonic() + seconds
    while (reply := host.ask("status")).one("clean") != "yes":
        assert time.monotonic() < deadline, reply.every("dirty")
        time.sleep(0.5)


def test_a_reload_that_fails_in_arm_undoes_the_arm(host: MachineAgent) -> None:
    with failing_reload(host.machine):
        reply = host.ask("arm", *host.arm_words())
        assert [reason.code for reason in reply.failures] == ["reload"]
        assert not debugging(host.machine)
    wait_until_clean(host, 5)


def test_a_reload_that_fails_at_the_end_is_said_and_tried_again(host: MachineAgent) -> None:
    host.arm(seconds=3)
    with failing_reload(host.machine):
        wait_until_off(host.machine, 8)
        deadline = time.monotonic() + 10
        while (reply := host.ask("status")).one("lease.state") != "reverted":
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert reply.one("clean") == "no"
        assert any("reload" in text for text in reply.every("dirty"))
    wait_until_clean(host, 10)
    assert host.ask("status", f"lease={LEASE}").one("lease.reload") == "seen"


def test_a_revert_does_not_call_a_failed_reload_clean(host: MachineAgent) -> None:
    host.arm()
    with failing_reload(host.machine):
        reply = host.ask("revert", f"lease={LEASE}", "drain=1")
        assert (reply.one("lease.reload"), reply.one("clean")) == ("failed", "no")
        assert not debugging(host.machine)
    wait_until_clean(host, 10)


@pytest.mark.parametrize("how", ["postfix stop; postfix start", "systemctl restart postfix"])
def test_postfix_stopped_and_started_in_the_window(host: MachineAgent, how: str) -> None:
    host.arm(seconds=6)
    host.machine.run(["sh", "-c", how])
    if "systemctl" not in how:
        # Debian's unit does not know of a start by hand: give it back what it had
        host.machine.run(["sh", "-c", "postfix stop; systemctl restart postfix"])
    assert debugging(host.machine)
    wait_until_off(host.machine, 11)
    wait_until_clean(host, 5)


def test_postfix_stopped_in_the_window_and_started_after_it(host: MachineAgent) -> None:
    host.arm(seconds=4)
    host.machine.run(["systemctl", "stop", "postfix"])
    wait_until_off(host.machine, 9)
    assert host.ask("status", f"lease={LEASE}").one("lease.reload") == "stopped"
    host.machine.run(["systemctl", "start", "postfix"])
    wait_until_clean(host, 5)


def test_postfix_stopped_is_refused(host: MachineAgent) -> None:
    # by the instance's name as well: Debian's postfix.service is a shell around it, and has stopped before it has
    host.machine.run(["systemctl", "stop", "postfix", "postfix@-"])
    reply = host.ask("arm", *host.arm_words())
    host.machine.run(["systemctl", "start", "postfix"])
    assert [reason.code for reason in reply.refusals] == ["postfix-stopped"]


def test_a_throttled_service_does_not_stop_the_revert(edited_host: MachineAgent) -> None:
    """Somebody breaks smtpd with a parameter of theirs; ours still go, theirs stays."""
    host = edited_host
    host.arm(seconds=5)
    host.machine.run(["postconf", "-e", "smtpd_relay_restrictions=", "smtpd_recipient_restrictions="])
    host.machine.run(["postfix", "reload"])
    host.lab.client.call(knock, host.machine.address)
    host.machine.wait_for_log("throttling")
    wait_until_off(host.machine, 10)
    assert "smtpd_recipient_restrictions =" in host.machine.read("/etc/postfix/main.cf")
    host.machine.run(["postconf", "-X", "smtpd_relay_restrictions", "smtpd_recipient_restrictions"])
    host.machine.run(["systemctl", "restart", "postfix"])
    wait_until_clean(host, 5)


def test_our_own_parameter_broken_by_somebody_ends_the_window(edited_host: MachineAgent) -> None:
    """debug_peer_level = 0 stops every Postfix program: the guard ends the lease and reports whose value stands."""
    host = edited_host
    host.arm()
    host.machine.run(["postconf", "-e", "debug_peer_level=0"])
    host.machine.run(["sh", "-c", "kill -HUP $(cat /var/spool/postfix/pid/master.pid)"])
    host.lab.client.call(knock, host.machine.address)
    deadline = time.monotonic() + 10
    while "debug_peer_list" in host.machine.read("/etc/postfix/main.cf"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    reply = host.ask("status", f"lease={LEASE}")
    assert reply.one("lease.why") == "unwell"
    assert reply.every("lease.conflict") == ("debug_peer_level ours=2 theirs=0",)
    host.machine.run(["postconf", "-X", "debug_peer_level"])
    host.machine.run(["systemctl", "restart", "postfix"])
    wait_until_clean(host, 10)


def test_a_main_cf_that_postfix_cannot_read_is_waited_for(edited_host: MachineAgent) -> None:
    """No Postfix program runs with such a file, so nothing is verbose anew; as soon as it is mended, ours goes."""
    host = edited_host
    host.arm(seconds=3)
    host.machine.run(["sh", "-c", "echo 'this is no parameter' >>/etc/postfix/main.cf"])
    time.sleep(6)
    reply = host.ask("status")
    assert reply.one("clean") == "no"
    assert any("could not be reverted yet" in text for text in reply.every("dirty"))
    host.machine.run(["sed", "-i", "/^this is no parameter/d", "/etc/postfix/main.cf"])
    wait_until_off(host.machine, 10)
    wait_until_clean(host, 10)
