"""Whose a debugged session is: this lease's, that of another request on the same host, or not to be told. Pure.

The host matched before us: a process is verbose because Postfix found its peer in ``debug_peer_list``. What is
decided here is only for whom. So a session is never dropped where nothing but this lease asked for debugging.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pfremote.model.facts import Facts, Lease
from pfremote.postfix.matching import match_peer
from pfremote.postfix.peer_list import active_leases, baseline_patterns
from pfremote.postfix.peers import split_peers


@dataclass(frozen=True, slots=True)
class Claims:
    """Who asked for debugging in one window: ``own`` patterns, and those of ``others`` (leases, main.cf, master.cf).

    ``all_verbose`` says that master.cf has ``-v``, which makes a service verbose for every peer.
    """

    own: tuple[str, ...]
    others: tuple[str, ...] = ()
    all_verbose: bool = False
    parent_domain: bool = True


def list_claims(facts: Facts, lease: Lease, lists: Iterable[str] = ()) -> Claims:
    """Return the claims on the sessions of a lease's window.

    ``lists`` are the values that debug_peer_list had in the window, as the host tells them with the evidence;
    ``facts`` are those of the probe before it.
    """
    patterns: list[str] = [*baseline_patterns(facts)]
    for other in active_leases(facts):
        patterns += other.peers if other.id != lease.id else ()
    for override in facts.overrides:
        patterns += split_peers(override.value) if override.parameter == "debug_peer_list" else ()
    for value in lists:
        patterns += split_peers(value)
    own = set(lease.peers)
    others = tuple(dict.fromkeys(pattern for pattern in patterns if pattern not in own))
    return Claims(lease.peers, others, bool(facts.verbose_services), facts.parent_domain)


def judge_session(claims: Claims, name: str, address: str, nexthop: str = "") -> bool | None:
    """Say whether a verbose session is this lease's; None where that cannot be told.

    ``nexthop`` is the destination of a delivery (recipient domain, ``[relay]:587``), which Postfix holds against
    the list as well, before it connects (smtp.c, deliver_message; 3.6 and later).
    """
    own = _match(claims.own, name, address, nexthop, parent_domain=claims.parent_domain)
    if own is not False or claims.all_verbose:
        return own
    if not claims.others:
        return True
    others = _match(claims.others, name, address, nexthop, parent_domain=claims.parent_domain)
    return False if others else None


def is_explained(claims: Claims, name: str, address: str, nexthop: str = "") -> bool:
    """Say whether one of the lease's own patterns is seen to match the session."""
    return _match(claims.own, name, address, nexthop, parent_domain=claims.parent_domain) is True


def _match(peers: Sequence[str], name: str, address: str, nexthop: str, *, parent_domain: bool) -> bool | None:
    verdicts = [match_peer(peers, name, address, parent_domain=parent_domain)]
    if nexthop:
        verdicts.append(match_peer(peers, nexthop, "noaddr", parent_domain=parent_domain))
    if True in verdicts:
        return True
    return None if None in verdicts else False
