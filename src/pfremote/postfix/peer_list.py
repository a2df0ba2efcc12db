"""The one rule by which leases and the baseline share ``debug_peer_list`` and the levels.

The agent follows the same rule on the host when it arms, and again whenever a lease ends; this module says
beforehand
what it will write.

1. First the patterns of every lease that has no ``!``, each once. They come before main.cf's own since a
   pattern in error ends the reading of the list (MATCH_FLAG_RETURN), and main.cf may hold one.
2. Then main.cf's own value, as it is written there.
3. Then the leases that have a ``!``, each as a whole, since inside of it the order counts. The first match
   decides, so a ``!`` that came earlier would silence a peer that another lease asks for.
4. ``debug_peer_level`` is the highest of all leases, and of the baseline if its debug_peer_list is not empty
   (otherwise its level was in use for no peer). A TLS level is the highest of leases and baseline, and is
   touched only
   where a lease asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pfremote.model.facts import Facts, Lease
from pfremote.postfix.peers import split_peers

#: States in which a lease still has its part in main.cf.
ACTIVE_STATES = frozenset({"arming", "armed"})


def merge_lists(leases: Iterable[Sequence[str]], baseline: str) -> str:
    """Return the value of debug_peer_list for the patterns of these leases and main.cf's own value.

    >>> merge_lists([("!192.0.2.5", "192.0.2.0/24"), ("198.51.100.7",)], "$mynetworks")
    '198.51.100.7, $mynetworks, !192.0.2.5, 192.0.2.0/24'
    """
    blocks = [tuple(block) for block in leases]
    plain = dict.fromkeys(pattern for block in blocks if not has_negation(block) for pattern in block)
    special = [pattern for block in blocks if has_negation(block) for pattern in block]
    return ", ".join([*plain, *([baseline] if baseline else []), *special])


def has_negation(block: Sequence[str]) -> bool:
    """Tell whether a pattern of the block is negated."""
    return any(pattern.startswith("!") for pattern in block)


def active_leases(facts: Facts) -> tuple[Lease, ...]:
    """Return the leases whose patterns are in main.cf now."""
    return tuple(lease for lease in facts.leases if lease.state in ACTIVE_STATES)


def baseline_patterns(facts: Facts) -> tuple[str, ...]:
    """Return the patterns of main.cf that no lease put there, unexpanded."""
    current = facts.parameters.get("debug_peer_list")
    if current is None or not current.present:
        return ()
    leased = {pattern for lease in active_leases(facts) for pattern in lease.peers}
    return tuple(pattern for pattern in split_peers(current.raw) if pattern not in leased)


def baseline_list(facts: Facts) -> str:
    """Return main.cf's own debug_peer_list: word for word where no lease has added to it."""
    current = facts.parameters.get("debug_peer_list")
    if current is not None and current.present and not active_leases(facts):
        return current.raw
    return ", ".join(baseline_patterns(facts))


def may_clash(blocks: Iterable[Sequence[str]]) -> bool:
    """Tell whether two blocks have a ``!``: then the earlier one may silence peers of the later one."""
    return sum(has_negation(block) for block in blocks) > 1
