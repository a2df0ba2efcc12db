"""What a finding is, and the rules that make findings from log text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from pfremote.maillog.record import Record

Certainty = Literal["proven", "likely", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause that the log shows.

    ``proven``: the line says so itself. ``likely``: the line fits, another cause is possible. ``unknown``:
    something failed and the log does not say why. ``session`` is the session's id, None for what concerns
    the host; ``count`` how many lines of the session show the same.
    """

    code: str
    title: str
    certainty: Certainty
    session: int | None
    proof: Record
    meaning: str
    next_step: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """A cause that one line of text shows.

    ``pattern`` is searched in the text; its named groups may be used as ``{name}`` in the title, meaning
    and next step. ``fallback`` rules speak only where no other rule of the same family (the part of the
    code before the dot) did.
    """

    code: str
    pattern: str
    title: str
    meaning: str
    next_step: str
    certainty: Certainty = "proven"
    fallback: bool = False
    regex: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "regex", re.compile(self.pattern))

    @property
    def family(self) -> str:
        return self.code.partition(".")[0]

    def apply(self, record: Record, text: str, session: int | None) -> Finding | None:
        """Return the finding if ``text`` (what a reader is shown of ``record``) fits."""
        found = self.regex.search(text)
        if found is None:
            return None
        words = {name: value or "" for name, value in found.groupdict().items()}
        return Finding(
            self.code,
            self.title.format(**words),
            self.certainty,
            session,
            record,
            self.meaning.format(**words),
            self.next_step.format(**words),
        )
