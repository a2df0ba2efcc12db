"""Tell who is waited for, while one waits: now and then, and in one line for all of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pfremote.events import EventSink
from pfremote.lagging import Straggler, describe_stragglers

#: Seconds between two such lines.
EVERY = 10.0


class LateNotice:
    """Emits a ``warning`` about stragglers, not more often than it can be read."""

    def __init__(self, emit: EventSink, *, every: float = EVERY) -> None:
        self._emit = emit
        self._every = every
        self._next = 0.0

    def __call__(self, late: Sequence[Straggler]) -> None:
        """Tell of them, unless that was done a moment ago."""
        now = time.monotonic()
        if not late or now < self._next:
            return
        self._next = now + self._every
        hosts = {item.host: {"doing": item.doing, "seconds": item.seconds} for item in late}
        self._emit("warning", code="straggler", message=describe_stragglers(late), hosts=hosts)
