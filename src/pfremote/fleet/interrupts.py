"""Ctrl-C, SIGTERM and SIGHUP as a count that the run looks at, instead of an exception at any line."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: A closed laptop lid or a lost login ends in SIGHUP: that, too, must end the debugging.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """How urgently an end was asked for. All methods may be called in a signal handler."""

    def __init__(self) -> None:
        #: 0: go on. 1: end in order, every host reverted. 2: the operator wants to leave at once.
        self.count = 0
        self._pressed = 0
        self._wakers: list[Callable[[], None]] = []

    def request(self) -> None:
        """Ask for the orderly end. To ask again changes nothing.

        A closing terminal sends SIGHUP twice, once from the kernel and once from its shell; a service manager
        repeats SIGTERM. Only a person may leave hosts armed.
        """
        self._raise_to(1)

    def press(self) -> None:
        """Count a Ctrl-C: the first asks for the orderly end, the second leaves at once."""
        self._pressed += 1
        self._raise_to(min(self._pressed, 2))

    def on_request(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` whenever the count rises; it must be safe in a signal handler (SimpleQueue.put is)."""
        self._wakers.append(wake)

    def _raise_to(self, count: int) -> None:
        if count <= self.count:
            return
        self.count = count
        for wake in self._wakers:
            wake()


@contextmanager
def heed_signals(interrupts: Interrupts) -> Iterator[None]:
    """Turn the signals of :data:`SIGNALS` into requests, and put the old handlers back afterwards.

    A signal that was ignored when we were started (``nohup``) stays ignored.
    """

    def note(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            interrupts.press()
        else:
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
