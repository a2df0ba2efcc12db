"""Where a run's time comes from: the system's clocks, or a clock that a test moves."""

from __future__ import annotations

import time
from queue import SimpleQueue
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class TimeSource(Protocol):
    """The clocks that a run goes by, and the one place where it waits."""

    def epoch(self) -> float:
        """Return the operator's wall clock: seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds of a clock that is never set: for pauses and for how long something took."""

    def wait_for(self, queue: SimpleQueue[Item], seconds: float) -> Item:
        """Return the next item of the queue, as soon as there is one.

        Raises:
            queue.Empty: none came within ``seconds``.
        """


class SystemTime:
    """The clocks of this machine."""

    def epoch(self) -> float:
        """Return the wall clock."""
        return time.time()

    def monotonic(self) -> float:
        """Return the clock that is never set."""
        return time.monotonic()

    def wait_for(self, queue: SimpleQueue[Item], seconds: float) -> Item:
        """Wait for an item; see :meth:`TimeSource.wait_for`."""
        return queue.get(timeout=seconds)


SYSTEM_TIME = SystemTime()
