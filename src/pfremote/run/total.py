"""``--stop-after-total``: every window ends once so many matching sessions were seen on all hosts together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

from pfremote.fleet.stragglers import Straggler
from pfremote.model.request import DebugRequest
from pfremote.text.quantities import plural
from pfremote.window import Window

Tick = Callable[[Sequence[Straggler]], None]

#: Why a host is left alone whose turn comes after the end.
ENOUGH = "enough sessions were seen on the other hosts"


class TotalStop:
    """Count the sessions of the windows of one run; without a limit nothing is ever enough."""

    def __init__(self, limit: int | None, say: Callable[[str], None]) -> None:
        self._limit = limit
        self._say = say
        self._before = 0
        self.reached = False

    def cap(self, request: DebugRequest) -> DebugRequest:
        """Return the request with the limit as that of one host too: it ends there in time, also without the client."""
        limits = [limit for limit in (request.stop_after, self._limit) if limit is not None]
        return dataclasses.replace(request, stop_after=min(limits, default=None))

    def before(self, tick: Tick, windows: Mapping[str, Window]) -> Tick:
        """Return a function that looks at the windows, and then does what ``tick`` does."""

        def look_and_tick(late: Sequence[Straggler]) -> None:
            self.look(windows.values())
            tick(late)

        return look_and_tick

    def look(self, windows: Iterable[Window]) -> None:
        """End the windows where they have seen enough; called now and then while they are open."""
        if self._limit is None or self.reached:
            return
        every = tuple(windows)
        seen = self._before + _count(every)
        if seen < self._limit:
            return
        self.reached = True
        self._say(f"{plural(seen, 'matching session')} on all hosts together: every window ends now")
        for window in every:
            window.end()

    def close(self, windows: Iterable[Window]) -> None:
        """Take the windows of a batch that is over into the count."""
        self._before += _count(windows)
        if self._limit is not None:
            self.reached = self.reached or self._before >= self._limit


def _count(windows: Iterable[Window]) -> int:
    return sum(max(window.sessions, window.result.sessions) for window in windows)
