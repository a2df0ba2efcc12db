"""Many hosts' lines in the order of time, as far as that can be had while they are still coming. Pure."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: Seconds that a line waits at most for the lines of hosts that were not asked since.
LONGEST_WAIT = 4.0


@dataclass(order=True, slots=True)
class _Waiting(Generic[Item]):
    time: float
    number: int
    arrived: float = field(compare=False)
    item: Item = field(compare=False)


class Merge(Generic[Item]):
    """Holds each line until every host that is followed was asked for its time. Times in seconds."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting[Item]] = []
        #: Up to which time all lines of a host have come.
        self._seen: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._number = 0

    def add(self, host: str, time: float | None, item: Item, now: float) -> None:
        """Take a line of ``host``; without a time of its own it has that of the one before it."""
        moment = self._last.get(host, 0.0) if time is None else time
        self._last[host] = moment
        self._number += 1
        heapq.heappush(self._waiting, _Waiting(moment, self._number, now, item))

    def reach(self, host: str, time: float) -> None:
        """Take note that all of a host's lines up to ``time`` have come."""
        self._seen[host] = max(time, self._seen.get(host, 0.0))

    def drop(self, host: str) -> None:
        """Wait for this host no longer."""
        self._seen.pop(host, None)

    def take(self, now: float) -> list[Item]:
        """Return what need not wait any more, in order."""
        limit = min(self._seen.values(), default=float("inf"))
        if len(self._seen) < 2:
            limit = float("inf")
        overdue = max((one.time for one in self._waiting if now - one.arrived > LONGEST_WAIT), default=0.0)
        taken = []
        while self._waiting and self._waiting[0].time <= max(limit, overdue):
            taken.append(heapq.heappop(self._waiting).item)
        return taken
