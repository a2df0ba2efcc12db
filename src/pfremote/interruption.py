"""Ctrl-C, SIGTERM and SIGHUP as a count that the run looks at, instead of an exception at any line."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: A closed laptop lid or a lost login ends in SIGHUP: that, too, must end the debugging.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """How often the operator asked for an end. :meth:`request` may be called in a signal handler."""

    def __init__(self) -> None:
        self.count = 0
        self._wakers: list[Callable[[], None]] = []

    def request(self) -> None:
        """Ask once more to stop, and wake whoever waits."""
        self.count += 1
        for wake in self._wakers:
            wake()

    def on_request(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` at every request; it must be safe in a signal handler (SimpleQueue.put is)."""
        self._wakers.append(wake)


@contextmanager
def heed_signals(interrupts: Interrupts) -> Iterator[None]:
    """Turn the signals of :data:`SIGNALS` into requests, and put the old handlers back afterwards.

    A signal that was ignored when we were started (``nohup``) stays ignored.
    """

    def note(_number: int, _frame: FrameType | None) -> None:
        interrupts.request()

    previous = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in previous.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
