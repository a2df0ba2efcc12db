"""Hops of several hosts → messages: joined by the queue id that the next server answered, and by Message-ID."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from pfremote.maillog.messages.merge import FIRST, merge_hops
from pfremote.maillog.messages.message import Hop, Message

#: Two hops with one Message-ID are one message when they are no further apart: some mailers use an id twice.
APART = timedelta(days=5)


def join_messages(hops: Iterable[Hop]) -> tuple[Message, ...]:
    """Return the messages in the order in which they were first seen.

    What two logs tell of a message on one host is one hop. Hops belong together when one's reply names the other's
    queue id, when one was made from the other (a bounce, a content filter's copy), or when they have the same
    Message-ID.
    """
    every = merge_hops(sorted(hops, key=lambda hop: hop.started or FIRST))
    groups = Groups(len(every))
    _join_by_queue_id(every, groups)
    _join_by_message_id(every, groups)
    members: dict[int, list[Hop]] = defaultdict(list)
    for place, hop in enumerate(every):
        members[groups.find(place)].append(hop)
    return tuple(Message(number, tuple(group)) for number, group in enumerate(members.values(), 1))


class Groups:
    """Which places belong together: a forest in which each place points to another of its group."""

    def __init__(self, size: int) -> None:
        self._parents = array("I", range(size))

    def find(self, place: int) -> int:
        """Return the first place of a place's group."""
        while self._parents[place] != place:
            self._parents[place] = self._parents[self._parents[place]]
            place = self._parents[place]
        return place

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        first, second = sorted((self.find(one), self.find(other)))
        self._parents[second] = first


def _join_by_queue_id(every: Sequence[Hop], groups: Groups) -> None:
    places: dict[str, list[int]] = defaultdict(list)
    for place, hop in enumerate(every):
        places[hop.queue_id].append(place)
    for place, hop in enumerate(every):
        for item in hop.tries:
            _join_nearest(place, places.get(item.next_id, ()), every, groups)
        if hop.origin:
            same_host = [other for other in places.get(hop.origin, ()) if every[other].host == hop.host]
            _join_nearest(place, same_host, every, groups)


def _join_by_message_id(every: Sequence[Hop], groups: Groups) -> None:
    last: dict[str, int] = {}
    for place, hop in enumerate(every):
        if not hop.message_id:
            continue
        before = last.get(hop.message_id)
        if before is not None and _near(every[before], hop):
            groups.join(before, place)
        last[hop.message_id] = place


def _join_nearest(place: int, candidates: Iterable[int], every: Sequence[Hop], groups: Groups) -> None:
    """Join a hop with the one of several with the same queue id that is nearest in time."""
    fitting = [other for other in candidates if other != place and _near(every[other], every[place])]
    if fitting:
        groups.join(place, min(fitting, key=lambda other: _distance(every[other], every[place])))


def _near(one: Hop, other: Hop) -> bool:
    return _distance(one, other) <= APART


def _distance(one: Hop, other: Hop) -> timedelta:
    if one.started is None or other.started is None:
        return timedelta()
    return abs(one.started - other.started)
