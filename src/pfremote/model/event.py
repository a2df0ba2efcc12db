"""What happens during a run, as a word and its details: the one interface by which it is told. Pure."""

from __future__ import annotations

from typing import Literal, Protocol

from pfremote.codes import Code

#: The code of a warning that holds only while a window is open, until a session matches.
NO_MATCH_YET: Code = "no-match-yet"

Kind = Literal[
    "plan",
    "armed",
    "session",
    "warning",
    "reverted",
    "collected",
    "failed",
    "finding",
    "message",
    "exposure",
    "withheld",
]


class EventSink(Protocol):
    """A listener to what happens: the JSON stream, the run's record, the screen."""

    def __call__(self, kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
        """Take one event."""
