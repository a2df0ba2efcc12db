"""Which of the patterns that were armed matched no session, and what to try instead. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pfremote.errors import Reason
from pfremote.postfix.matching import match_peer


def find_unmatched(
    peers: Sequence[str],
    seen: Sequence[tuple[str, str]],
    *,
    resolved: Mapping[str, Sequence[str]],
    parent_domain: bool,
) -> tuple[str, ...]:
    """Return the patterns that match none of ``seen`` (name, address).

    A host name was armed together with its addresses (``resolved``), so these count as one. Exceptions and
    what only the host can decide (tables, files) are left out.
    """
    addresses = {f(one) for name in peers for one in resolved.get(name, ()) for f in (str, _bracket)}
    unmatched = []
    for peer in peers:
        if peer.startswith("!") or peer in addresses:
            continue
        group = (peer, *map(_bracket, resolved.get(peer, ())))
        verdicts = [match_peer(group, name, address, parent_domain=parent_domain) for name, address in seen]
        undecidable = match_peer(group, "unknown", "", parent_domain=parent_domain) is None
        if not undecidable and True not in verdicts:
            unmatched.append(peer)
    return tuple(unmatched)


def _bracket(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def explain_unmatched(peer: str) -> Reason:
    """Return what to try for a pattern that matched no session."""
    if set(peer) <= set("0123456789abcdefABCDEF.:/[]"):
        hint = (
            "It may come from another address, or talk to another host. Behind a proxy that speaks XCLIENT "
            "Postfix knows only the proxy. An override of debug_peer_list in master.cf goes first; look with: "
            "pfremote check HOST"
        )
    else:
        hint = (
            "A name matches only where forward and reverse DNS agree: give the address instead. "
            "Or it talks to another host."
        )
    return Reason("unmatched-peer", f"no session of {peer} in the window", hint)
