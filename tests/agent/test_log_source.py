"""Which log is the one: a marked line at the beginning of a window, and what may keep the evidence from being complete."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost, traffic
from tests.support.agent import LEASE, SHELLS, HostAgent, Snapshot


def postconf(agent: HostAgent, *words: str) -> None:
    subprocess.run(["postconf", "-c", str(agent.host.config_directory), *words], check=True)


def marks(agent: HostAgent) -> list[str]:
    return [line for line in agent.host.maillog.read_text().splitlines() if "pfremote: mark" in line]


def test_a_window_writes_one_marked_line_and_begins_behind_it_and_one_when_it_is_over(agent: HostAgent) -> None:
    assert agent.ask("probe", "peer=127.0.0.1").outcome == "ok"
    assert agent.arm("check=yes").exit_status == 0
    assert agent.ask("status").outcome == "ok"
    assert marks(agent) == []
    reply = agent.arm(seconds=600).reply
    assert reply is not None
    assert reply.one("log") == f"file:{agent.host.maillog}"
    assert reply.one("log_why") == "a marked line arrived in it"
    assert len(marks(agent)) == 1
    assert "/postlog[" in marks(agent)[0] and LEASE in marks(agent)[0]
    size = int((agent.state / "leases" / LEASE / "mark").read_text().split()[2])
    assert agent.host.maillog.read_bytes()[:size].endswith(f"{marks(agent)[0]}\n".encode())
    traffic.deliver(agent.host)
    agent.ask("revert", f"lease={LEASE}")
    collected = agent.ask("collect", f"lease={LEASE}")
    assert (collected.every("missing"), collected.one("complete")) == ((), "yes")
    assert agent.ask("status").one("clean") == "yes"
    assert [line.partition(" of ")[2] for line in marks(agent)] == ["a debug window", "the end of a debug window"]


@pytest.fixture
def silent_log() -> Iterator[Path]:
    """Return a log that no line of Postfix arrives in."""
    with tempfile.NamedTemporaryFile(prefix="pfremote-test-", suffix=".log", dir="/var/log") as file:
        yield Path(file.name)


def test_a_log_that_does_not_show_the_line_is_refused_and_nothing_is_touched(
    dash_agent: HostAgent, silent_log: Path
) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    run = dash_agent.arm(f"log=file:{silent_log}", seconds=600)
    assert (run.exit_status, run.reply is not None) == (3, True)
    assert run.reply is not None
    assert [reason.code for reason in run.reply.refusals] == ["no-log"]
    assert str(silent_log) in run.reply.refusals[0].message
    assert Snapshot.of(dash_agent.host.main_cf) == before
    assert dash_agent.leftovers() == []


def test_a_log_that_is_elsewhere_is_taken_at_the_operators_word(agent: HostAgent) -> None:
    reply = agent.arm("log=none", seconds=600).reply
    assert reply is not None
    assert (reply.one("log"), reply.one("reload"), marks(agent)) == ("elsewhere", "unseen", [])
    with traffic.hold_session(agent.host):
        assert agent.ask("revert", f"lease={LEASE}", "drain=0").one("lease.drained") == "no"
    assert agent.ask("status").one("clean") == "yes"
    collected = agent.ask("collect", f"lease={LEASE}")
    assert [text.split()[0] for text in collected.every("missing")] == ["log-elsewhere"]
    assert (collected.one("complete"), collected.one("source")) == ("no", "elsewhere")


def test_what_daemons_say_of_the_host_comes_along(dash_agent: HostAgent) -> None:
    agent = dash_agent
    agent.arm(seconds=600)
    words = (
        ("postfix/trivial-rewrite", "warning: regexp map /etc/postfix/x, line 1: invalid expression"),
        ("postfix/smtpd", "warning: unknown[192.0.2.77]: SASL LOGIN authentication failed"),
        ("postfix/smtpd", "warning: hostname x.example.net does not resolve to address 192.0.2.77"),
        ("postfix/cleanup", "warning: 4F0C12A3B7: read timeout on cleanup socket"),
        ("dovecot/auth", "error: of another program"),
    )
    for tag, text in words:
        severity, _, said = text.partition(": ")
        subprocess.run(
            [
                "postlog",
                "-c",
                str(agent.host.config_directory),
                "-i",
                "-p",
                severity.replace("warning", "warn"),
                "-t",
                tag,
                said,
            ],
            check=True,
            capture_output=True,
        )
    agent.ask("revert", f"lease={LEASE}")
    evidence = agent.ask("collect", f"lease={LEASE}").payloads["evidence"].decode()
    assert "invalid expression" in evidence
    assert "192.0.2.77" not in evidence
    assert "read timeout" not in evidence
    assert "another program" not in evidence


def test_lines_of_another_instance_are_left_out(dash_agent: HostAgent) -> None:
    agent = dash_agent
    agent.arm(seconds=600)
    with (agent.state / "leases" / LEASE / "log").open("a") as file:
        file.write("foreign=postfix-out postfix-out/submission \n")
    stamp = "Nov 28 19:00:00 mx1"
    with agent.host.maillog.open("a") as file:
        for tag in ("postfix-out/submission/smtpd[77]", "postfix/submission/smtpd[78]"):
            for text in (
                "connect from c[192.0.2.5]",
                "< c[192.0.2.5]: EHLO c",
                "disconnect from c[192.0.2.5] ehlo=1 commands=1",
            ):
                file.write(f"{stamp} {tag}: {text}\n")
    agent.ask("revert", f"lease={LEASE}")
    evidence = agent.ask("collect", f"lease={LEASE}").payloads["evidence"].decode()
    assert evidence.count("smtpd[78]") == 3
    assert "smtpd[77]" not in evidence


def test_debugging_that_master_cf_asks_for_is_unexplained(dash_agent: HostAgent) -> None:
    postconf(
        dash_agent, "-Me", "extra/unix=extra unix - - n - - smtp -o smtp_tls_loglevel=1 -o debug_peer_list=192.0.2.9"
    )
    assert dash_agent.ask("status").every("unexplained") == ("master.cf extra/unix has -o debug_peer_list=192.0.2.9",)


def test_the_next_hop_of_a_domain_is_told_by_check(dash_agent: HostAgent) -> None:
    agent = dash_agent
    postconf(
        agent,
        "relayhost=[relay.example.jp]:587",
        "transport_maps=inline:{elsewhere.test=smtp:[mx2.example.jp], .parent.test=smtp:[mx3.example.jp]:26}",
    )
    peers = ("peer=elsewhere.test", "peer=a.parent.test", "peer=example.org", "peer=relay.example.jp", "peer=192.0.2.5")
    reply = agent.arm("check=yes", *peers).reply
    assert reply is not None
    told = {reason.message.split()[2]: reason for reason in reply.warnings if reason.code == "next-hop"}
    assert sorted(told) == ["a.parent.test", "elsewhere.test", "example.org"]
    assert "[mx2.example.jp]" in told["elsewhere.test"].message
    assert "transport_maps" in told["elsewhere.test"].message
    assert told["a.parent.test"].hint == "For deliveries add --peer '[mx3.example.jp]:26' --peer mx3.example.jp."
    assert "relayhost" in told["example.org"].message


@pytest.mark.parametrize("shell", SHELLS)
def test_another_instance_of_the_host_is_looked_at(shell: str, loopback_host: LoopbackHost) -> None:
    agent = HostAgent(loopback_host, shell)
    with LoopbackHost(services=1) as other:
        subprocess.run(["postconf", "-c", str(other.config_directory), "debug_peer_list=192.0.2.9"], check=True)
        # as when no instance was named; the private host's own is not the default one of this machine
        unnamed = (("say_instances() {\n", "say_instances() {\n\tA_instance=''\n"),)
        told = HostAgent(loopback_host, shell, unnamed).ask("status")
    agent.forget_state()
    assert f"{other.config_directory} unexplained debug_peer_list 192.0.2.9" in told.every("elsewhere")
    assert str(other.config_directory) in told.every("instance")
