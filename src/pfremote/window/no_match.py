"""Armed, and no session matched: what the host can say of the reason, while the window is open. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pfremote.errors import Reason
from pfremote.model.event import NO_MATCH_YET
from pfremote.model.facts import Lease
from pfremote.text.quantities import plural

#: Seconds of an open window after which silence is worth a word; in a short window a third of it.
EXPLAIN_AFTER = 20.0


def is_due(armed_for: float, seconds: int) -> bool:
    """Say whether a window of ``seconds`` has been open for long enough to wonder."""
    return armed_for >= min(EXPLAIN_AFTER, seconds / 3)


def explain_no_match(lease: Lease, peers: Sequence[str]) -> Reason | None:
    """Return why no session matched so far; None where one did, or the host has not looked yet."""
    if lease.sessions or lease.connects is None:
        return None
    named = ", ".join(peers)
    if lease.heard:
        return _explain_heard(lease.heard[0])
    if not lease.connects and not lease.deliveries:
        return Reason(
            NO_MATCH_YET,
            "no connection at all since the host is armed: is this the host that the peer talks to?",
            "Look up where the peer's mail goes (MX, load balancer, relay), and debug that host.",
        )
    counted = f"{plural(lease.connects, 'connection')} from others"
    if lease.deliveries:
        counted += f", {plural(lease.deliveries, 'recipient')} delivered to others"
    return Reason(NO_MATCH_YET, f"no session matched yet: {counted}, none from or to {named}", _hint(lease))


def _explain_heard(heard: str) -> Reason:
    address, _, name = heard.partition(" ")
    return Reason(
        NO_MATCH_YET,
        f"{address} (known here as {name or 'unknown'}) connected and is not debugged",
        "A pattern before it may be in error (the log says so), or master.cf overrides debug_peer_list for that "
        "service. See both with: pfremote check HOST",
    )


def _hint(lease: Lease) -> str:
    hint = "Behind a proxy that speaks XCLIENT Postfix knows only the proxy: give its address."
    if lease.nameless:
        return (
            f"{plural(lease.nameless, 'client')} of these had no verified name, and a name matches only "
            f"where forward and reverse DNS agree: give the address instead. {hint}"
        )
    return f"The peer may come from another address, or to another host. {hint}"
