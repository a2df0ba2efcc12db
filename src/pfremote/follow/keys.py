"""Single keys from the terminal while the run goes on, in a thread of their own."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

#: Seconds between two looks at whether we are to stop.
_LOOK = 0.2


@contextmanager
def read_keys(press: Callable[[str], None], stream: TextIO = sys.stdin) -> Iterator[bool]:
    """Call ``press`` for each key during the block; yield whether there is a terminal to read from.

    Ctrl-C stays a signal. The terminal is as it was when the block is left.
    """
    if not stream.isatty():
        yield False
        return
    terminal = stream.fileno()
    before = termios.tcgetattr(terminal)
    stop = threading.Event()
    reader = threading.Thread(target=_read, args=(terminal, press, stop), daemon=True)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    reader.start()
    try:
        yield True
    finally:
        stop.set()
        reader.join(1)
        with suppress(termios.error):  # the terminal is gone: then there is none to put in order
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _read(terminal: int, press: Callable[[str], None], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            if not select.select([terminal], [], [], _LOOK)[0]:
                continue
            data = os.read(terminal, 64)
        except OSError:  # the terminal is gone; SIGHUP ends the run
            return
        if not data:
            return
        for key in data.decode("utf-8", "replace"):
            press(key)
