"""A host whose every command is busybox's (Alpine): no coreutils, no GNU grep, no gawk or mawk."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pfremote.loopback import traffic
from tests.agent.test_conflict import edit, value
from tests.agent.test_verbs import wait_until_reverted
from tests.support.agent import LEASE, HostAgent, Snapshot

#: What a host has from Postfix and not from busybox.
POSTFIX = ("postconf", "postfix", "postlog", "postmap", "postmulti")


@pytest.fixture
def alpine(dash_agent: HostAgent) -> HostAgent:
    """Return the agent on a host that has busybox and Postfix, and nothing else."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    folder = dash_agent.host.root / "bin"
    folder.mkdir()
    for applet in subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split():
        (folder / applet).symlink_to(busybox)
    for name in POSTFIX:
        (folder / name).symlink_to(Path(shutil.which(name) or f"/usr/sbin/{name}"))
    path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
    return HostAgent(dash_agent.host, "busybox sh", ((path, f"PATH={folder}"), ("setsid /bin/sh", "setsid sh")))


def test_a_whole_window_with_busybox_alone(alpine: HostAgent) -> None:
    before = Snapshot.of(alpine.host.main_cf)
    reply = alpine.ask("probe", "peer=127.0.0.1", "peer=localhost.localdomain")
    assert reply.outcome == "ok"
    first = alpine.arm("smtpd_tls=1", "reason=a ticket", seconds=600)
    assert first.stderr == "" and first.reply is not None and first.reply.one("reload") == "seen"
    assert alpine.arm("peer=192.0.2.1", seconds=4, lease="abcdefabcdef").exit_status == 0
    traffic.fail_auth_over_starttls(alpine.host)
    reply = alpine.ask("tail", f"lease={LEASE}")
    assert b"STARTTLS" in reply.payloads["lines"]
    time.sleep(5)
    reply = alpine.ask("status")
    assert reply.number("lease.sessions") >= 0 and reply.one("clean") == "no"
    assert [text for text in reply.every("lease.state")] in (["armed", "reverted"], ["reverted", "armed"])
    reply = alpine.ask("revert", f"lease={LEASE}")
    assert (reply.one("clean"), reply.one("lease.restored"), reply.one("lease.drained")) == ("yes", "bytes", "yes")
    reply = alpine.ask("collect", f"lease={LEASE}")
    assert b"disconnect from" in reply.payloads["evidence"]
    assert reply.one("complete") == "yes"
    assert Snapshot.of(alpine.host.main_cf) == before
    assert alpine.leftovers() == []


def test_the_guard_is_busybox_too(alpine: HostAgent) -> None:
    before = Snapshot.of(alpine.host.main_cf)
    reply = alpine.arm(seconds=3).reply
    assert reply is not None
    assert wait_until_reverted(alpine, 8) - reply.number("lease.deadline") < 5
    time.sleep(1)
    assert alpine.ask("status").one("clean") == "yes"
    assert Snapshot.of(alpine.host.main_cf) == before


def test_anothers_edit_and_a_rotation_with_busybox(alpine: HostAgent) -> None:
    alpine.arm(seconds=600)
    log = alpine.host.maillog
    armed = log.stat().st_size
    traffic.deliver(alpine.host)
    alpine.host.wait_for_log("disconnect from", after=armed)
    time.sleep(0.5)  # what is written between copy and cut is lost, as with logrotate's copytruncate
    shutil.copy2(log, log.with_name("mail.log.1"))
    with log.open("r+b") as file:
        file.truncate()
    subprocess.run(["gzip", log.with_name("mail.log.1")], check=True)
    traffic.deliver(alpine.host)
    alpine.host.wait_for_log("disconnect from")
    edit(alpine, "-e", "mail_name=Theirs")
    reply = alpine.ask("revert", f"lease={LEASE}")
    assert (reply.one("lease.restored"), reply.every("lease.conflict"), reply.one("clean")) == ("params", (), "yes")
    assert value(alpine, "mail_name") == "mail_name = Theirs"
    reply = alpine.ask("collect", f"lease={LEASE}")
    assert reply.one("complete") == "yes"
    assert reply.payloads["evidence"].count(b"]: disconnect from") == 2


@pytest.mark.parametrize("step", ["guarded", "swapped", "armed"])
def test_an_arm_that_dies_is_undone_with_busybox(alpine: HostAgent, step: str) -> None:
    before = Snapshot.of(alpine.host.main_cf)
    alpine.arm(seconds=3, die_after=step)
    end = time.time() + 10
    while alpine.leftovers() and time.time() < end:
        time.sleep(0.1)
    assert Snapshot.of(alpine.host.main_cf) == before
    assert alpine.leftovers() == []


def test_evidence_in_pieces_with_busybox(alpine: HostAgent) -> None:
    """Not every busybox has cksum: the pieces still say of which evidence they are, and how long it is."""
    alpine.arm(seconds=60)
    traffic.deliver(alpine.host)
    alpine.ask("revert", f"lease={LEASE}")
    first = alpine.ask("collect", f"lease={LEASE}", "begin=0", "most=200")
    second = alpine.ask("collect", f"lease={LEASE}", "begin=200", "most=200")
    checksum, size = first.one("evidence_sum").split()
    assert checksum and int(size) > 200
    assert second.one("evidence_sum") == first.one("evidence_sum")
