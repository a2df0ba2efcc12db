"""Where a machine's mail log is, found by evidence, and what the verdict says where lines may be missing."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from pfremote.agent.protocol import Reply
from tests.lab import Lab, Machine
from tests.support.journald import find_notices, wait_for_notices
from tests.support.machine_agent import LEASE, MachineAgent, load_functions
from tests.support.operator import Operator
from tests.support.outside import PEER

pytestmark = pytest.mark.machine

#: journald's settings by name; what stands behind a bar is for rsyslog.
_RESET = """
postconf -# maillog_file
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
    set_queue(host.machine, 512)  # a socket has the length from its beginning on
    host.machine.run(["sh", "-c", f"printf '[Journal]\\n{settings}\\n' >{path}\n{more}\n{_RESTART}"])


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


def test_the_only_notice_of_journald_is_told(host: MachineAgent) -> None:
    """journalctl before systemd 255 leaves out the first notice behind a cursor that is not one."""
    configure(host, "Storage=persistent RateLimitIntervalSec=3s RateLimitBurst=10")
    host.arm()
    assert host.lab.client.log_in(host.machine) == 235
    said = wait_for_notices(host.lab, host.machine, SUPPRESSED)
    assert len(said) == 1, "the test wants one notice, so that it is the first and the last"
    reverted = host.ask("revert", f"lease={LEASE}")
    collected = host.ask("collect", f"lease={LEASE}")
    assert reverted.one("lease.drained") == "yes"
    assert ("suppressed" in codes(collected), collected.one("complete")) == (True, "no")


def test_entries_behind_a_cursor_are_all_that_match(host: MachineAgent) -> None:
    """Whether the cursor's own entry matches or not; the mark is one of mail, a notice is none."""
    configure(host, "Storage=persistent")
    host.machine.run(["sh", "-c", "for tag in aa bb aa bb bb; do logger -t $tag $tag; done; journalctl --sync"])
    own, other = (read_behind(host, tag, "SYSLOG_IDENTIFIER=bb") for tag in ("bb", "aa"))
    both = read_behind(host, "aa", "SYSLOG_IDENTIFIER=aa + SYSLOG_IDENTIFIER=bb")
    none = read_behind(host, "aa", "SYSLOG_IDENTIFIER=cc")
    assert (own, other, both, none) == (["bb"] * 2, ["bb"] * 3, ["bb", "aa", "bb", "bb"], [])


def read_behind(host: MachineAgent, tag: str, matches: str) -> list[str]:
    """Return the texts of the entries that match behind the first one with the tag."""
    return run_functions(
        host,
        f"""
cursor=$(journalctl -q -b -o export SYSLOG_IDENTIFIER={tag} | sed -n 's/^__CURSOR=//p' | head -n 1)
journal_read_matching "$cursor" -o cat {matches}
""",
    )


def test_what_is_logged_behind_a_position_is_all_there(host: MachineAgent) -> None:
    """Even where the last line before it is one of another program."""
    configure(host, "Storage=persistent")
    lines = run_functions(
        host,
        """
LOG=journal I_facility=mail
logger -p daemon.info another program; journalctl --sync
position=$(log_position)
for line in one two; do logger -t postfix/test -p mail.info "$line"; done; journalctl --sync
log_since "$position"
""",
    )
    assert [line.rpartition(": ")[2] for line in lines] == ["one", "two"]


def run_functions(host: MachineAgent, text: str) -> list[str]:
    """Run shell text that calls functions of the agent; return the lines that it prints."""
    functions = load_functions().decode()
    return host.machine.run(["sh", "-s"], stdin=f"{functions}\nbase_init\n{text}\nleave 0\n").stdout.splitlines()


@pytest.mark.parametrize("log", ["journal", "maillog_file"])
def test_what_the_syslog_daemon_did_not_get_is_no_loss_where_it_is_not_the_log(host: MachineAgent, log: str) -> None:
    configure(host, "Storage=persistent ForwardToSyslog=yes", "" if log == "journal" else OWN_FILE)
    set_queue(host.machine, 4)
    host.machine.run(["systemctl", "restart", "syslog.socket", "rsyslog"])
    assert host.arm().one("log") == ("journal" if log == "journal" else "file:/var/log/postfix.log")
    earlier = len(find_notices(host.machine, MISSED))
    host.machine.run(["sh", "-c", "kill -STOP $(pidof rsyslogd)"])
    try:
        assert host.lab.client.log_in(host.machine) == 235
        host.machine.run(["sh", "-c", "seq 20 | logger"])
    finally:
        host.machine.run(["sh", "-c", "kill -CONT $(pidof rsyslogd)"])
    wait_for_notices(host.lab, host.machine, MISSED, beside=earlier)
    host.ask("revert", f"lease={LEASE}")
    collected = host.ask("collect", f"lease={LEASE}")
    assert (codes(collected), collected.one("complete")) == ([], "yes")


#: Shell text that makes Postfix write into a file of its own, with postlogd(8).
OWN_FILE = """
postconf -M postlog/unix-dgram='postlog unix-dgram n - n - 1 postlogd'
postconf maillog_file=/var/log/postfix.log
"""


#: How journald's notices begin; it gives the second kind every thirty seconds at most.
SUPPRESSED, MISSED = "Suppressed ", "Forwarding to syslog missed "


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
