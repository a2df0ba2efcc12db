"""How many connections may be on their way into one place at once.

sshd drops what comes in faster than it can log in: with its default MaxStartups 10:30:100 a third of a burst
of 60 (sshd_config(5)). A jump host is such a place for every host behind it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Below the ten at which a default sshd begins to drop, so that other people still get in.
PLACES = 8

#: How long to wait for a place. After that we go in all the same: this is courtesy, and a place that does
#: not answer must not keep the others waiting behind those who try it.
PATIENCE = 60.0

_gates: dict[str, threading.BoundedSemaphore] = {}
_lock = threading.Lock()


@contextmanager
def admitted(key: str, patience: float = PATIENCE) -> Iterator[Callable[[], None]]:
    """Hold one of the places at ``key`` for the block; the value leaves it early, once, when called.

    Who holds a place must not wait for one of another key, so that no circle of waiting can form.
    """
    gate = _find_gate(key)
    inside = gate.acquire(timeout=patience)

    def leave() -> None:
        nonlocal inside
        if inside:
            inside = False
            gate.release()

    try:
        yield leave
    finally:
        leave()


def _find_gate(key: str) -> threading.BoundedSemaphore:
    with _lock:
        return _gates.setdefault(key, threading.BoundedSemaphore(PLACES))


_ATTEMPTS = 6

_FIRST_PAUSE = 0.3


def wait_for_next(attempt: int, deadline: float) -> bool:
    """Sleep a growing, jittered while and return True, or return False where no further attempt fits.

    ``attempt`` counts from 1; ``deadline`` is by ``time.monotonic()``. Hosts of a fleet must not come back
    together, hence the jitter.
    """
    pause = _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
    if attempt >= _ATTEMPTS or time.monotonic() + pause > deadline:
        return False
    time.sleep(pause)
    return True
