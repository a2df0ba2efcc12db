"""A clock that a test moves: it stands still while anything is at work, and jumps to what comes next.

The scheduler's worker threads are real. Time moves only when the scheduler waits and each worker sleeps or is
done, so that a run of an hour takes milliseconds and comes out the same each time.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")

#: When every story begins: a second of 2026.
BEGIN = 1_795_000_000.0
#: Real seconds after which a test that is stuck fails instead of hanging.
STUCK = 20.0


class FakeTime:
    """A :class:`pfremote.fleet.time_source.TimeSource` without real waiting."""

    def __init__(self) -> None:
        self._now = 0.0
        self._set_by = 0.0
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, threading.Thread, threading.Event]] = []
        self._plans: list[tuple[float, int, Callable[[], object]]] = []
        self._others = set(threading.enumerate())

    def epoch(self) -> float:
        """Return the operator's wall clock."""
        return BEGIN + self._now + self._set_by

    def monotonic(self) -> float:
        """Return seconds since the story began."""
        return self._now

    def set_clock(self, seconds: float) -> None:
        """Set the wall clock forth (or back) by so many seconds, as ``date -s`` does."""
        self._set_by += seconds

    def at(self, moment: float, act: Callable[[], object]) -> None:
        """Plan something for ``moment``; the thread that waits then does it."""
        heapq.heappush(self._plans, (moment, next(self._numbers), act))

    def sleep(self, seconds: float) -> None:
        """Let a worker thread sleep; the main thread lets the time go by."""
        if threading.current_thread() is threading.main_thread():
            until = self._now + seconds
            while self._step(until):
                pass
            return
        woken = threading.Event()
        with self._lock:
            entry = (self._now + seconds, next(self._numbers), threading.current_thread(), woken)
            heapq.heappush(self._sleepers, entry)
        assert woken.wait(STUCK), "nothing moved the clock"

    def wait_for(self, queue: SimpleQueue[Item], seconds: float) -> Item:
        """Return the next item, or let the time go by; see :class:`pfremote.fleet.time_source.TimeSource`."""
        until = self._now + seconds
        while True:
            working = self._is_anyone_working()
            try:
                return queue.get(timeout=0.002) if working else queue.get_nowait()
            except Empty:
                if not working and not self._step(until):
                    raise

    def _is_anyone_working(self) -> bool:
        """Tell whether a worker is neither asleep nor done. Threads with a default name are a test's own servers."""
        with self._lock:
            asleep = {thread for _, _, thread, _ in self._sleepers}
        here = self._others | asleep
        return any(one not in here and not one.name.startswith("Thread-") for one in threading.enumerate())

    def _step(self, until: float) -> bool:
        """Move to the next thing that happens, and let it; or to ``until`` where nothing comes before."""
        due = [(queue[0][0], queue) for queue in (self._plans, self._sleepers) if queue]
        moment = min((moment for moment, _ in due), default=until)
        if moment > until or not due:
            self._now = until
            return False
        self._now = max(self._now, moment)
        if self._plans and self._plans[0][0] <= moment:
            heapq.heappop(self._plans)[2]()
        else:
            with self._lock:
                heapq.heappop(self._sleepers)[3].set()
        return True
