"""The evidence in pieces is the evidence, byte for byte, whether the window is over or still open."""

from __future__ import annotations

import subprocess

from pfremote.loopback import traffic
from tests.support.agent import LEASE, HostAgent


def _bring(agent: HostAgent, most: int) -> tuple[bytes, list[str]]:
    """Return the packed evidence, and the checksum that came with each piece."""
    packed, sums = b"", []
    while True:
        reply = agent.ask("collect", f"lease={LEASE}", f"begin={len(packed)}", f"most={most}")
        sums.append(reply.one("evidence_sum"))
        packed += reply.payloads["evidence.piece"]
        assert len(reply.payloads["evidence.piece"]) <= most
        assert ("main.cf.before" in reply.payloads) == (len(sums) == 1)
        if len(packed) >= int(sums[-1].split()[1]):
            return packed, sums


def _unpack(data: bytes) -> bytes:
    return subprocess.run(["gzip", "-dc"], input=data, capture_output=True, check=True).stdout


def test_pieces_of_a_window_that_is_over(agent: HostAgent) -> None:
    agent.arm(seconds=60)
    traffic.fail_auth_over_starttls(agent.host)
    agent.ask("revert", f"lease={LEASE}")
    whole = agent.ask("collect", f"lease={LEASE}").payloads["evidence"]
    packed, sums = _bring(agent, 300)
    assert len(sums) > 2 and len(set(sums)) == 1
    assert _unpack(packed) == whole and b"AUTH" in whole


def test_pieces_of_a_window_that_is_open_are_of_one_look_at_it(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=60)
    traffic.fail_auth_over_starttls(dash_agent.host)
    first = dash_agent.ask("collect", f"lease={LEASE}", "begin=0", "most=300")
    traffic.fail_auth_over_starttls(dash_agent.host)
    packed = first.payloads["evidence.piece"]
    size = int(first.one("evidence_sum").split()[1])
    while len(packed) < size:
        reply = dash_agent.ask("collect", f"lease={LEASE}", f"begin={len(packed)}", "most=300")
        assert reply.one("evidence_sum") == first.one("evidence_sum")
        packed += reply.payloads["evidence.piece"]
    assert _unpack(packed).count(b": connect from") == 1
    dash_agent.ask("revert", f"lease={LEASE}")
    assert not (dash_agent.state / "leases" / LEASE / "partial").exists()
    assert _unpack(_bring(dash_agent, 10**6)[0]).count(b": connect from") == 2


def test_a_piece_size_that_is_no_number_is_refused(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=60)
    for word in ("most=1;id", "begin=08", "most="):
        reply = dash_agent.call("collect", f"lease={LEASE}", word).reply
        assert reply is not None and reply.outcome == "refused", word
