"""``confirm``: a question on the terminal that Ctrl-C can end."""

from __future__ import annotations

import select
import sys

from pfremote.fleet.interrupts import Interrupts
from pfremote.output.console import Console


def can_ask() -> bool:
    """Tell whether there is a terminal to ask on."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(question: str, console: Console, interrupts: Interrupts) -> bool:
    """Ask, and return whether the answer was yes; anything else, Ctrl-C and Ctrl-D are a no."""
    console.progress("")
    console.say(f"{question.strip()} (yes/no)")
    # Signals are counted here and raise nothing, so a plain input() would go on waiting.
    while not interrupts.count:
        ready, _, _ = select.select([sys.stdin], [], [], 0.5)
        if ready:
            return sys.stdin.readline().strip().lower() in ("y", "yes")
    return False
