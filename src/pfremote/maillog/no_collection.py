"""Read a log without the garbage collector looking on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Let no cycle collection run in the block (or in the function that this decorates).

    A log becomes one tuple a line, and none of them is part of a cycle; walking all of them again and again takes as
    long as reading and redacting. Threads may nest: whoever switched it off switches it on.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
