"""The one place in which an error met while something is read is caught: it costs that thing and nothing else.

What a client, a server or a damaged log makes of a line must not cost the evidence of a host. The error's text
may quote the line, so only its kind is handed on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

What = Literal["line", "process", "session", "findings"]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be read: from which line on, and the kind of the error. Its lines are kept, masked."""

    what: What
    line: int
    why: str


def attempt(read: Callable[[], _T], otherwise: Callable[[str], _T]) -> _T:
    """Return what ``read`` returns, or ``otherwise`` of the kind of the error that it met.

    >>> attempt(lambda: "abc"[5], lambda kind: f"unreadable ({kind})")
    'unreadable (IndexError)'
    """
    try:
        return read()
    except Exception as exc:  # noqa: BLE001 - see above
        return otherwise(type(exc).__name__)
