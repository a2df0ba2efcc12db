"""What the keys have set while an operator follows: pause, filter, raw lines, the last question. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_ENTER = ("\r", "\n")
_ESCAPE = "\x1b"
_ERASE = ("\x7f", "\b")
KEYS = "space pauses, f filters, r raw lines, q ends"


@dataclass(slots=True)
class Controls:
    """The state of the keys. ``typing`` is the filter that is being typed, None where none is."""

    end: Callable[[], None]
    paused: bool = False
    raw: bool = False
    filter: str = ""
    typing: str | None = None
    asking: bool = False

    def press(self, key: str) -> None:
        """Take one key."""
        if self.typing is not None:
            self._type(key)
        elif self.asking:
            self.asking = False
            if key in ("q", "y"):
                self.end()
        elif key == " ":
            self.paused = not self.paused
        elif key == "r":
            self.raw = not self.raw
        elif key == "f":
            self.typing = self.filter
        elif key == "q":
            self.asking = True

    def _type(self, key: str) -> None:
        typed = self.typing or ""
        if key in _ENTER:
            self.filter, self.typing = typed, None
        elif key == _ESCAPE:
            self.typing = None
        elif key in _ERASE:
            self.typing = typed[:-1]
        elif key.isprintable():
            self.typing = typed + key

    def lets_through(self, text: str) -> bool:
        """Say whether a line is to be shown with the filter that is set."""
        return self.filter.lower() in text.lower()

    def describe(self, waiting: int) -> str:
        """Return the end of the status line: what is set, and the keys. ``waiting`` lines are held back."""
        if self.typing is not None:
            return f"filter: {self.typing}_ (Enter sets it, Escape leaves it)"
        if self.asking:
            return "end the window now on every host? q again does, any other key goes on"
        parts = [f"PAUSED, {waiting} more"] if self.paused else []
        parts += [f"filter: {self.filter}"] if self.filter else []
        parts += ["raw lines"] if self.raw else []
        return "; ".join([*parts, KEYS])
