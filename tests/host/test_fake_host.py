"""The host in memory, on which windows are tested without root, answers as a real one does: verb by verb."""

from __future__ import annotations

import pytest

from pfremote.agent.protocol import Reply, decode_reply
from pfremote.loopback import LoopbackHost
from tests.support.agent import LEASE, HostAgent
from tests.support.fake_host import FakeHost
from tests.support.fake_time import FakeTime
from tests.support.fake_transport import read_arguments

pytestmark = pytest.mark.host

ARM = ("peer=192.0.2.7", "level=1", "owner=kim", "from=here", "guard=process", "volatile=yes")

#: One lease from before its beginning until after its end.
CALLS = (
    ("probe",),
    ("status", f"lease={LEASE}"),
    ("arm", f"lease={LEASE}", "seconds=60", "check=yes", *ARM),
    ("arm", f"lease={LEASE}", "seconds=60", *ARM),
    ("arm", f"lease={LEASE}", "seconds=60", *ARM),
    ("status",),
    ("extend", f"lease={LEASE}", "seconds=90"),
    ("tail", f"lease={LEASE}"),
    ("forget", f"lease={LEASE}"),
    ("revert", f"lease={LEASE}", "why=request", "drain=2"),
    ("revert", f"lease={LEASE}", "why=request", "drain=2"),
    ("extend", f"lease={LEASE}", "seconds=90"),
    ("status", f"lease={LEASE}"),
    ("collect", f"lease={LEASE}"),
    ("forget", f"lease={LEASE}"),
    ("forget", f"lease={LEASE}"),
    ("revert", "lease=all", "why=request", "drain=2"),
)

#: What the host in memory knows of before a real guard has looked.
EARLY = {"lease.connects"}


def ask(fake: FakeHost, verb: str, *words: str) -> Reply:
    """Ask the host in memory."""
    return decode_reply(fake.answer(verb, read_arguments(words))[1])


def summarise(reply: Reply) -> dict[str, object]:
    """Return what the client decides by: the outcome, reasons, states, and which payloads there are."""
    reasons = (*reply.refusals, *reply.failures)
    return {
        "outcome": reply.outcome,
        "reasons": [reason.code for reason in reasons],
        "payloads": sorted(reply.payloads),
        **{key: reply.every(key) for key in ("lease", "lease.state", "lease.peer", "lease.why", "clean", "complete")},
        **{key: reply.every(key) for key in ("lease.restored", "lease.drained", "lease.owner", "more")},
    }


def test_a_lease_goes_the_same_way_on_both(loopback_host: LoopbackHost) -> None:
    agent, fake = HostAgent(loopback_host), FakeHost("mx1", FakeTime())
    try:
        for call in CALLS:
            real, mine = agent.ask(*call), ask(fake, *call)
            assert summarise(mine) == summarise(real), call
            said = {key for key, _ in mine.pairs} - {key for key, _ in real.pairs} - EARLY
            assert not said, f"{call}: a real host does not say {said}"
    finally:
        agent.forget_state()
