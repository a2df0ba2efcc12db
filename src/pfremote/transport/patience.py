"""Wait before another attempt where a busy sshd drops connections before its greeting (MaxStartups)."""

from __future__ import annotations

import random
import time

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
