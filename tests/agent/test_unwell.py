"""A Postfix daemon that dies, or is held back, after the change ends the window; what was broken before does not."""

from __future__ import annotations

import smtplib
import socket
import subprocess
import time
from contextlib import suppress

import pytest

from pfremote.loopback import traffic
from tests.support.agent import LEASE, HostAgent, Snapshot

ROUTES = (
    "mynetworks=127.0.0.0/8",
    "smtpd_relay_restrictions=permit_mynetworks,reject",
    "transport_maps=inline:{{smtp.invalid=smtp:[127.0.0.1]:9}, {lmtp.invalid=lmtp:inet:127.0.0.1:9}}",
    "smtpd_tls_security_level=may",
)


def postfix(agent: HostAgent, program: str, *words: str) -> None:
    """Run a Postfix program for the private instance."""
    folder = str(agent.host.config_directory)
    subprocess.run([program, "-c", folder, *words], check=False, capture_output=True, stdin=subprocess.DEVNULL)


def provoke(agent: HostAgent) -> None:
    """Make every daemon work: a connection, and messages that leave by smtp and by lmtp."""
    for domain in ("smtp.invalid", "lmtp.invalid"):
        with suppress(OSError, smtplib.SMTPException):
            traffic.deliver(agent.host, recipient=f"someone@{domain}")


def wait_for(agent: HostAgent, text: str) -> None:
    """Wait until the log has ``text``."""
    deadline = time.monotonic() + 15
    while text not in agent.host.maillog.read_text():
        assert time.monotonic() < deadline, agent.host.maillog.read_text()
        time.sleep(0.1)


def log_line(agent: HostAgent, line: str) -> None:
    """Append a line of this host to the log, as any daemon would."""
    with agent.host.maillog.open("a") as log:
        log.write(f"Nov 28 19:00:00 mx1 {line}\n")


@pytest.mark.parametrize(
    ("daemon", "setting"),
    [
        ("smtpd", "smtpd_timeout=-1s"),
        ("smtp", "smtp_helo_timeout=-1s"),
        ("lmtp", "lmtp_lhlo_timeout=-1s"),
        ("tlsmgr", "tls_random_reseed_period=-1s"),
        ("cleanup", "hopcount_limit=-1"),
    ],
)
def test_a_daemon_that_dies_ends_the_window(dash_agent: HostAgent, daemon: str, setting: str) -> None:
    """Whatever its words: none of these names a parameter of ours."""
    agent = dash_agent
    postfix(agent, "postconf", "-e", *ROUTES)
    before = Snapshot.of(agent.host.main_cf)
    assert agent.arm(seconds=600).exit_status == 0
    postfix(agent, "postconf", "-e", setting)
    postfix(agent, "postfix", "reload")
    provoke(agent)
    log = agent.host.maillog
    wait_for(agent, "fatal: ")
    assert f"/{daemon}[" in log.read_text()
    died = time.monotonic()
    while b"debug_peer_list" in agent.host.main_cf.read_bytes():
        assert time.monotonic() - died < 5, log.read_text()[-3000:]
        time.sleep(0.1)
    while agent.ask("status").one("lease.why") != "unwell":
        assert time.monotonic() - died < 10
    postfix(agent, "postconf", "-X", setting.split("=")[0])
    postfix(agent, "postfix", "reload")
    assert Snapshot.of(agent.host.main_cf).data == before.data


def test_what_was_broken_before_does_not_end_the_window(dash_agent: HostAgent) -> None:
    agent = dash_agent
    postfix(agent, "postconf", "-e", "tls_random_reseed_period=-1s", "smtpd_tls_security_level=may")
    postfix(agent, "postfix", "reload")
    with socket.create_connection((agent.host.address, agent.host.smtp_port)):  # smtpd asks tlsmgr as it starts
        wait_for(agent, " -- throttling")
    assert agent.arm(seconds=600).exit_status == 0
    with agent.host.maillog.open("a") as log:  # a minute later master tries again, and it dies of the same
        for line in agent.host.maillog.read_text().splitlines():
            if "fatal: " in line or "throttling" in line:
                log.write(line.replace("tlsmgr[", "tlsmgr[1") + "\n")
    time.sleep(3)
    assert agent.ask("status").one("lease.state") == "armed"


@pytest.mark.parametrize(
    "line",
    [
        "postfix/sendmail[11]: fatal: usage: sendmail [options]",
        "postfix/postqueue[11]: fatal: Queue report unavailable",
        "postfix/postfix-script[11]: fatal: the Postfix mail system is already running",
        "postfix/master[11]: fatal: open lock file /var/lib/postfix/master.lock: unable to set exclusive lock: busy",
        "postfix/smtpd[11]: connect from fatal: panic: x[192.0.2.1]",
        "postfix/smtpd[11]: warning: fatal: x -- throttling",
        "dovecot: fatal: x",
        "postfix-out/smtpd[11]: fatal: another instance",
        "cron[11]: x postfix/smtpd[12]: fatal: x",
    ],
)
def test_what_is_no_daemon_of_this_instance_does_not_count(dash_agent: HostAgent, line: str) -> None:
    assert dash_agent.arm(seconds=600).exit_status == 0
    log_line(dash_agent, line)
    time.sleep(2.5)
    assert dash_agent.ask("status").one("lease.state") == "armed"


@pytest.mark.parametrize(
    "line",
    [
        "postfix/qmgr[11]: panic: myfree: corrupt or unallocated memory block",
        "postfix/submission/smtpd[11]: fatal: no SASL authentication mechanisms",
        "postfix/master[11]: warning: /usr/lib/postfix/sbin/cleanup: bad command startup -- throttling",
        "postfix/master[11]: warning: process /usr/lib/postfix/sbin/smtp pid 12 killed by signal 11",
    ],
)
def test_any_daemon_counts_and_no_word_of_its_line_is_passed_on(dash_agent: HostAgent, line: str) -> None:
    assert dash_agent.arm(seconds=600).exit_status == 0
    log_line(dash_agent, line)
    time.sleep(4)
    run = dash_agent.call("status", f"lease={LEASE}")
    assert run.reply is not None and run.reply.one("lease.why") == "unwell"
