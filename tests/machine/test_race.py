"""Several agents at once on one machine, over real SSH: arms, and a revert while an arm holds the lock."""

from __future__ import annotations

import time

import pytest

from tests.support.machine_agent import LEASE, MachineAgent, read_reply
from tests.support.operator import Operator
from tests.support.outside import debugging

pytestmark = pytest.mark.machine

OTHER = "aaaaaaaaaaaa"


def test_two_arms_at_once_over_ssh(host: MachineAgent) -> None:
    remote = MachineAgent(host.lab, host.machine, ssh=True)
    leases = {f"{number:012x}": f"192.0.2.{number}" for number in range(1, 5)}
    running = [remote.start("arm", *remote.arm_words(f"peer={peer}", lease=lease)) for lease, peer in leases.items()]
    replies = [read_reply(process) for process in running]
    assert [(reply.outcome, reply.failures) for reply in replies if reply is not None] == [("ok", ())] * len(leases)
    text = host.machine.read("/etc/postfix/main.cf")
    assert [peer for peer in leases.values() if peer not in text] == []
    enders = [remote.start("revert", f"lease={lease}") for lease in leases]
    assert [reply.outcome for reply in map(read_reply, enders) if reply is not None] == ["ok"] * len(leases)
    assert host.ask("status").one("clean") == "yes"


@pytest.mark.parametrize("step", ["baseline", "guard", "swap", "swapped", "armed"])
@pytest.mark.parametrize("what", ["all", LEASE])
def test_a_revert_during_an_arm_waits_and_then_ends_it(host: MachineAgent, step: str, what: str) -> None:
    with host.blocked("arm", *host.arm_words(), at_step=step) as arm:
        revert = host.start("revert", f"lease={what}", "drain=1")
        time.sleep(1)
        assert revert.poll() is None
        host.let_go()
        armed = read_reply(arm)
        reverted = read_reply(revert)
    assert armed is not None and armed.outcome == "ok"
    assert reverted is not None and reverted.outcome == "ok"
    assert reverted.one("clean") == "yes"
    assert not debugging(host.machine)


def test_an_arm_during_a_revert_stands(host: MachineAgent) -> None:
    host.arm()
    with host.blocked("revert", f"lease={LEASE}", at_step="applied") as revert:
        arm = host.start("arm", *host.arm_words("peer=192.0.2.1", lease=OTHER))
        time.sleep(1)
        assert arm.poll() is None
        host.let_go()
        reverted, armed = read_reply(revert), read_reply(arm)
    assert reverted is not None and reverted.outcome == "ok"
    assert armed is not None and armed.outcome == "ok"
    assert "192.0.2.1" in host.machine.read("/etc/postfix/main.cf")
    assert host.ask("status", f"lease={OTHER}").one("lease.guard_alive") == "yes"
    assert host.ask("revert", "lease=all").one("clean") == "yes"


def test_a_deadline_during_anothers_arm(host: MachineAgent) -> None:
    """The first lease's end waits for the arm's lock, three seconds at most; the arm's reply is lost then, not the end."""
    host.arm(seconds=3)
    with host.blocked("arm", *host.arm_words("peer=192.0.2.1", lease=OTHER), at_step="swapped") as arm:
        deadline = time.monotonic() + 3 + 6
        while debugging(host.machine):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert read_reply(arm, timeout=5) is None


def test_two_operators_arm_the_same_host(host: MachineAgent, operator: Operator) -> None:
    """The window that ends first leaves the host armed by the other, and says so; the second leaves it clean."""
    windows = {
        peer: operator.start("mx1", "--peer", peer, "--minutes", minutes)
        for peer, minutes in (("192.0.2.1", "6s"), ("192.0.2.2", "30s"))
    }
    for window in windows.values():
        window.wait_for("armed")
    text = host.machine.read("/etc/postfix/main.cf")
    assert [peer for peer in windows if peer not in text] == []
    ends = [window.finish() for window in windows.values()]
    assert [(code, hosts["mx1"]["state"], hosts["mx1"]["reverted"]) for code, hosts in ends] == [
        (0, "armed", True),
        (0, "clean", True),
    ]
    assert host.ask("status").one("clean") == "yes"
