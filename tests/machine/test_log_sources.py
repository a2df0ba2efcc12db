"""Where a machine's mail log is, found by evidence, and what the verdict says where lines may be missing."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from pfremote.agent.protocol import Reply
from tests.lab import Lab, Machine
from tests.support.machine_agent import LEASE, MachineAgent
from tests.support.operator import Operator
from tests.support.outside import PEER

pytestmark = pytest.mark.machine

#: journald's settings by name; what stands behind a bar is for rsyslog.
_RESET = """
rm -f /etc/systemd/journald.conf.d/* /etc/rsyslog.d/test.conf /etc/systemd/system/postfix@-.service.d/* /etc/systemd/system/postfix.service.d/*
[ -e /etc/rsyslog.conf.kept ] || cp /etc/rsyslog.conf /etc/rsyslog.conf.kept
cp /etc/rsyslog.conf.kept /etc/rsyslog.conf
mkdir -p /etc/systemd/journald.conf.d
rm -rf /var/lib/pfremote
"""
_RESTART = """
systemctl daemon-reload
systemctl restart systemd-journald
systemctl unmask -q rsyslog syslog.socket
systemctl restart syslog.socket rsyslog
systemctl restart postfix
postfix status 2>/dev/null || sleep 1
"""
_NO_SYSLOG = "systemctl stop -q syslog.socket rsyslog; systemctl mask -q --now rsyslog syslog.socket"


@pytest.fixture(scope="module")
def renewed(lab: Lab) -> Iterator[Machine]:
    """Return mx1 with a fresh disk for the tests of this module, and give it back with one."""
    machine = lab.machines["mx1"]
    lab.renew(machine)
    yield machine
    lab.renew(machine)


@pytest.fixture
def host(lab: Lab, renewed: Machine) -> Iterator[MachineAgent]:
    """Return the agent on mx1; the machine logs as Debian's packages do, until a test says otherwise."""
    renewed.run(["sh", "-c", _RESET])
    agent = MachineAgent(lab, renewed)
    yield agent
    agent.call("revert", "lease=all", "drain=0")


def set_queue(machine: Machine, length: int) -> None:
    """Set how many datagrams a socket of the machine queues (a machine may not do so itself)."""
    words = ["sysctl", "-qw", f"net.unix.max_dgram_qlen={length}"]
    subprocess.run(["nsenter", "--target", str(machine.pid1), "--net", "--", *words], check=True)


def configure(host: MachineAgent, journald: str, more: str = "") -> None:
    """Give journald these settings, run ``more``, and start again whatever logs."""
    path = "/etc/systemd/journald.conf.d/test.conf"
    settings = "\\n".join(journald.split())
    host.machine.run(["sh", "-c", f"printf '[Journal]\\n{settings}\\n' >{path}\n{more}\n{_RESTART}"])
    set_queue(host.machine, 512)


def window(host: MachineAgent, *words: str) -> tuple[Reply, Reply]:
    """Open a window, hold a session in it, and return the replies to arm and collect."""
    armed = host.arm(*words)
    assert host.lab.client.log_in(host.machine) == 235
    time.sleep(0.3)
    host.ask("revert", f"lease={LEASE}")
    return armed, host.ask("collect", f"lease={LEASE}")


def codes(reply: Reply) -> list[str]:
    return [text.split(" ")[0] for text in reply.every("missing")]


def main_cf(host: MachineAgent) -> str:
    return host.machine.run(["sh", "-c", "stat -c '%Y %i' /etc/postfix/main.cf; cat /etc/postfix/main.cf"]).stdout


def evidence(reply: Reply) -> str:
    return reply.payloads["evidence"].decode(errors="replace")


@pytest.mark.parametrize("storage", ["persistent", "volatile"])
def test_a_journal_that_keeps_is_the_log(host: MachineAgent, storage: str) -> None:
    configure(host, f"Storage={storage}")
    probe = host.ask("probe")
    assert probe.one("log") == "journal"
    assert "judged" in probe.one("log_why")
    armed, collected = window(host)
    assert (armed.one("log"), armed.one("reload")) == ("journal", "seen")
    assert "arrived" in armed.one("log_why")
    assert (codes(collected), collected.one("complete")) == ([], "yes")
    assert f"disconnect from client.example.jp[{PEER}]" in evidence(collected)


def test_a_journald_that_keeps_nothing_is_not_the_log_but_the_file_is(host: MachineAgent) -> None:
    configure(host, "Storage=none ForwardToSyslog=yes")
    host.machine.run(["sh", "-c", "postlog -t postfix/postfix-script seen"])
    time.sleep(0.5)
    assert host.ask("probe").one("log") == "file:/var/log/mail.log"
    armed, collected = window(host)
    assert (armed.one("log"), armed.one("reload")) == ("file:/var/log/mail.log", "seen")
    assert (codes(collected), collected.one("complete")) == ([], "yes")
    assert f"disconnect from client.example.jp[{PEER}]" in evidence(collected)


def test_no_log_at_all_is_refused_before_anything_is_touched(host: MachineAgent) -> None:
    configure(host, "Storage=none")
    host.machine.run(["sh", "-c", f"{_NO_SYSLOG}; rm -f /var/log/mail.log"])
    before = main_cf(host)
    reply = host.ask("arm", *host.arm_words())
    assert [reason.code for reason in reply.refusals] == ["no-log"]
    assert "Storage=none" in reply.refusals[0].message
    assert "--log none" in reply.refusals[0].hint
    assert main_cf(host) == before
    armed, collected = window(host, "log=none")
    assert armed.one("log") == "elsewhere"
    assert (codes(collected), collected.one("complete")) == (["log-elsewhere"], "no")


def test_only_a_remote_loghost_is_refused(host: MachineAgent) -> None:
    remote = """printf 'module(load="imuxsock")\\n*.* @10.0.1.20\\n' >/etc/rsyslog.conf; : >/var/log/mail.log"""
    configure(host, "Storage=none ForwardToSyslog=yes", remote)
    before = main_cf(host)
    reply = host.ask("arm", *host.arm_words())
    assert [reason.code for reason in reply.refusals] == ["no-log"]
    assert "another host" in reply.refusals[0].message
    assert main_cf(host) == before


def test_the_journal_of_a_namespace_is_found(host: MachineAgent) -> None:
    units = "for unit in postfix@- postfix; do mkdir -p /etc/systemd/system/$unit.service.d;"
    units += " printf '[Service]\\nLogNamespace=mail\\n' >/etc/systemd/system/$unit.service.d/log.conf; done"
    configure(host, "Storage=persistent", units)
    armed, collected = window(host)
    assert (armed.one("log"), armed.one("reload")) == ("journal:mail", "seen")
    assert (codes(collected), collected.one("complete")) == ([], "yes")
    assert collected.one("source") == "journal:mail"
    assert f"disconnect from client.example.jp[{PEER}]" in evidence(collected)


def test_lines_that_the_queue_to_the_syslog_daemon_lost_are_told(
    host: MachineAgent, operator: Operator, lab: Lab
) -> None:
    configure(host, "Storage=none ForwardToSyslog=yes")
    set_queue(host.machine, 4)
    host.machine.run(["systemctl", "restart", "syslog.socket", "rsyslog"])
    open_window = operator.start("mx1", "--peer", PEER, "--minutes", "12s")
    open_window.wait_for("armed")
    host.machine.run(["sh", "-c", "kill -STOP $(pidof rsyslogd)"])
    assert lab.client.log_in(host.machine) == 235
    host.machine.run(["sh", "-c", "kill -CONT $(pidof rsyslogd)"])
    lab.client.hold_session(host.machine).quit()
    code, hosts = open_window.finish()
    collected = next(event for event in open_window.events if event["event"] == "collected")
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["complete"]) == (0, "clean", False)
    # journald's own notice may be lost as well, and it gives the next one 30 s later. Where the lost lines are the last
    # of a session, and another process takes the next one, its end is all that is seen to be missing.
    told = {reason["code"] for reason in collected["missing"]}
    assert told & {"forward-missed", "lines-lost", "pid-reuse", "cut-end"}


#: Shell text that lets rsyslog go on two seconds later.
GO_ON_LATER = "(sleep 2; kill -CONT $(pidof rsyslogd)) </dev/null >/dev/null 2>&1 & :"


@pytest.mark.parametrize("fault", [GO_ON_LATER, ":"], ids=["for a while", "for good"])
def test_lines_that_are_on_their_way_when_the_window_ends_are_waited_for(host: MachineAgent, fault: str) -> None:
    configure(host, "Storage=none ForwardToSyslog=yes")
    host.arm()
    host.machine.run(["sh", "-c", "kill -STOP $(pidof rsyslogd)"])
    try:
        assert host.lab.client.log_in(host.machine) == 235
        reverted = host.call("revert", f"lease={LEASE}", at_step="reverted", fault=fault)
        collected = host.ask("collect", f"lease={LEASE}")
    finally:
        host.machine.run(["sh", "-c", "kill -CONT $(pidof rsyslogd)"])
    assert reverted is not None and reverted.one("lease.drained") == "yes"
    if fault == GO_ON_LATER:
        assert (codes(collected), collected.one("complete")) == ([], "yes")
        assert f"disconnect from client.example.jp[{PEER}]" in evidence(collected)
    else:
        assert ("log-behind" in codes(collected), collected.one("complete")) == (True, "no")


def test_what_imjournal_drops_is_told(host: MachineAgent) -> None:
    files = "auth,authpriv.* /var/log/auth.log\\n*.*;auth,authpriv.none -/var/log/syslog\\nmail.* -/var/log/mail.log\\n"
    limit = (
        'module(load="imjournal" Ratelimit.Interval="4" Ratelimit.Burst="60" StateFile="/run/imjournal.state"'
        ' IgnorePreviousMessages="on")\\n'
    )
    configure(host, "Storage=persistent ForwardToSyslog=no", f"printf '{limit}{files}' >/etc/rsyslog.conf")
    time.sleep(1)
    host.arm("log=file:/var/log/mail.log")
    assert host.lab.client.log_in(host.machine) == 235
    time.sleep(5)  # the limit's interval is over: rsyslog says how many it dropped, with the next line
    host.machine.run(["logger", "-p", "mail.info", "a line of another program"])
    time.sleep(0.5)
    host.ask("revert", f"lease={LEASE}")
    collected = host.ask("collect", f"lease={LEASE}")
    assert collected.one("complete") == "no"
    assert "rate-limit" in codes(collected)
