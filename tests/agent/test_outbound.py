"""A delivery that a real Postfix debugs because of its next hop comes home, for the lease that asked for it."""

from __future__ import annotations

import time

import pytest

from pfremote.agent.read_facts import read_facts, read_leases
from pfremote.loopback import LoopbackHost, traffic
from pfremote.maillog.capture import Capture
from pfremote.run.evidence import explain_absence, read_collected_log
from tests.support.agent import LEASE, HostAgent

OTHER = "ba9876543210"


def deliver_through_relay(agent: HostAgent, server: LoopbackHost, way: str) -> None:
    """Send a message to elsewhere.test, which goes to the other host by transport table or relayhost."""
    relay = f"[127.0.0.1]:{server.smtp_port}"
    value = f"transport_maps=inline:{{elsewhere.test=smtp:{relay}}}" if way == "transport" else f"relayhost={relay}"
    agent.host.postconf(
        "-e", value, "mynetworks=127.0.0.0/8", "smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination"
    )
    agent.host.reload()


def fetch(agent: HostAgent, lease: str = LEASE) -> Capture:
    facts = read_facts(agent.ask("probe"))
    agent.ask("revert", f"lease={lease}")
    reply = agent.ask("collect", f"lease={lease}")
    mine = read_leases(reply)[0]
    capture = read_collected_log(reply, facts, mine)
    if capture.sessions:
        assert explain_absence(capture, facts, mine, reply.every("list")) == ()
    return capture


@pytest.mark.parametrize("way", ["transport", "relayhost"])
def test_the_next_hop_as_main_cf_has_it(dash_agent: HostAgent, way: str) -> None:
    agent = dash_agent
    with LoopbackHost(services=1) as server:
        deliver_through_relay(agent, server, way)
        # The domain matches no next hop here; mail to it was seen all the same, and nothing is said against it.
        agent.arm(f"peer=[127.0.0.1]:{server.smtp_port}", "peer=elsewhere.test", seconds=600)
        traffic.deliver(agent.host, recipient="bob@elsewhere.test")
        agent.host.wait_for_log("status=")
        capture = fetch(agent)
    assert {session.kind for session in capture.sessions} == {"smtp"}  # with relayhost the bounce goes there as well
    assert capture.counts.undecided == 0
    assert any(" MAIL FROM:" in record.text for record in capture.sessions[0].records)


def test_with_another_lease_each_gets_its_own(dash_agent: HostAgent) -> None:
    agent = dash_agent
    with LoopbackHost(services=1) as server:
        deliver_through_relay(agent, server, "transport")
        agent.arm(f"peer=[127.0.0.1]:{server.smtp_port}", seconds=600)
        agent.arm("peer=localhost", seconds=600, lease=OTHER)
        traffic.deliver(agent.host, recipient="bob@elsewhere.test")
        agent.host.wait_for_log("status=")
        mine, other = fetch(agent), fetch(agent, OTHER)
    assert {session.kind for session in mine.sessions} == {"smtp"}
    assert "smtpd" in {session.kind for session in other.sessions}


def test_a_late_reply_to_a_pipelined_data_begins_no_session(dash_agent: HostAgent) -> None:
    """Postfix pipelines DATA behind RCPT: where every recipient is refused, the 554 to DATA comes after the status line."""
    agent = dash_agent
    with LoopbackHost(services=1) as server:
        deliver_through_relay(agent, server, "transport")
        server.postconf("-e", "smtpd_relay_restrictions=reject")
        server.reload()
        agent.arm(f"peer=[127.0.0.1]:{server.smtp_port}", seconds=600)
        for _ in range(2):
            traffic.deliver(agent.host, recipient="bob@elsewhere.test")
        agent.host.wait_for_log("status=bounced")
        time.sleep(3)  # the watcher looks once a second
        counted = agent.ask("status").number("lease.sessions")
        capture = fetch(agent)
    texts = [record.text for session in capture.sessions for record in session.records]
    assert any(text.endswith(": DATA") for text in texts) and any(
        "]:" in text and ": 554 5.5.1" in text for text in texts
    )
    assert counted == len([session for session in capture.sessions if session.kind == "smtp"])
