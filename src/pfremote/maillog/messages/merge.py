"""What several logs of one host tell of a message there: two windows, or files that hold the same lines."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pfremote.maillog.messages.message import Hop, Try

#: After so long Postfix has given a message up (maximal_queue_lifetime), and may use its queue id again.
_LONGEST = timedelta(days=5)
#: Before all else comes what has no time.
FIRST = datetime.min.replace(tzinfo=UTC)


def merge_hops(hops: Iterable[Hop]) -> list[Hop]:
    """Return the hops, which come in the order in which they began, each message on a host once."""
    merged: list[Hop] = []
    last: dict[tuple[str, str], int] = {}
    for hop in hops:
        place = last.get((hop.host, hop.queue_id))
        if place is not None and is_same(merged[place], hop):
            merged[place] = merge(merged[place], hop)
        else:
            last[hop.host, hop.queue_id] = len(merged)
            merged.append(hop)
    return merged


def is_same(hop: Hop, later: Hop) -> bool:
    """Tell whether a hop that began later under the same queue id is of the same message."""
    if hop.ended is None or later.started is None:
        return False
    if hop.removed and later.started >= hop.ended:  # the id may be used again in the same second
        return not _tries(hop).keys().isdisjoint(_tries(later))
    if later.started <= hop.ended:
        return True
    is_new = later.client != "" or (later.message_id not in ("", hop.message_id) and hop.message_id != "")
    return not is_new and later.started - hop.ended <= _LONGEST


def merge(hop: Hop, later: Hop) -> Hop:
    """Return the hop of which two logs tell each a part."""
    tries = sorted({**_tries(later), **_tries(hop)}.values(), key=lambda item: item.time or FIRST)
    return replace(
        hop,
        ended=max(hop.ended or FIRST, later.ended or FIRST),
        client=hop.client or later.client,
        user=hop.user or later.user,
        sender=later.sender if hop.sender is None else hop.sender,
        message_id=hop.message_id or later.message_id,
        size=later.size if hop.size is None else hop.size,
        tries=tuple(tries),
        held=hop.held or later.held,
        dropped=hop.dropped or later.dropped,
        refused=hop.refused or later.refused,
        removed=hop.removed or later.removed,
        origin=hop.origin or later.origin,
        origin_kind=hop.origin_kind or later.origin_kind,
        lines=max(hop.lines, later.lines, key=len),
    )


def _tries(hop: Hop) -> dict[Hashable, Try]:
    """Return the attempts by all that is told of them but the line."""
    return {replace(item, line=0): item for item in hop.tries}
