"""What a finding is, and the rules that make findings from log text (docs/explanation/findings.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from pfremote.maillog.parse.record import Record

Certainty = Literal["proven", "likely", "unknown"]
Side = Literal["", "in", "out"]

#: Whose lines are about a client that talks to us, and whose about a server that we talk to; others tell of both.
SIDES: dict[str, Side] = {
    "smtpd": "in",
    "cleanup": "in",
    "postscreen": "in",
    "smtp": "out",
    "lmtp": "out",
}
#: The rest of a server's reply, or of a command's output, as a status line quotes it: with brackets of its own.
QUOTED = r"(?:[^()]|\((?!in reply to )[^()]*\))*"
#: A server that is a program of this host: at a loopback address, or behind a socket.
OF_THIS_HOST = r"\S+\[(?:127\.[\d.]+|::1|[^\]\s]*/[^\]\s]*)\]"
#: What a rule's line tells: the cause, a sign that several causes give, or only that something failed.
CAUSE, SIGN, FAILURE = 0, 1, 2
#: So much of a line stands in for a meaning of which it fills no place.
_SHOWN = 200


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
    and next step. ``side``: only lines about a client (``in``) or about a server (``out``). ``weight``: of a session's
    findings of one group those with the least weight stay; what only tells of a failure stays only where nothing else
    was found. ``yields``: codes (or their beginnings) beside which it says nothing. ``unless``: what contradicts it
    when it stands in the session; ``backed_by``: what must stand there too, or it is only likely. ``group`` is the
    part of the code before the dot unless told. ``only``: the daemons whose lines it reads. ``each``: what differs in
    its meaning, as the name of a milter does, is another finding. ``needs``: what must stand in the line besides, where
    the pattern alone is made of words that mean something else elsewhere.
    """

    code: str
    pattern: str
    title: str
    meaning: str
    next_step: str
    certainty: Certainty = "proven"
    side: Side = ""
    weight: int = CAUSE
    yields: tuple[str, ...] = ()
    unless: str = ""
    backed_by: str = ""
    group: str = ""
    only: frozenset[str] = frozenset()
    each: bool = False
    needs: str = ""
    regex: re.Pattern[str] = field(init=False, repr=False)
    family: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "regex", re.compile(self.pattern))
        object.__setattr__(self, "family", self.group or self.code.partition(".")[0])

    def apply(self, record: Record, text: str, session: int | None) -> Finding | None:
        """Return the finding if ``text`` (what a reader is shown of ``record``) fits."""
        if self.side and SIDES.get(record.daemon, self.side) != self.side:
            return None
        if self.only and record.daemon not in self.only:
            return None
        found = self.regex.search(text)
        if found is None or (self.needs and re.search(self.needs, text) is None):
            return None
        words = tuple((name, _close(value or "")) for name, value in found.groupdict().items())
        title, meaning, next_step = _fill((self.title, self.meaning, self.next_step), words)
        meaning = meaning or f"It says: {text[:_SHOWN]}"
        return Finding(self.code, title, self.certainty, session, record, meaning, next_step)


def _close(words: str) -> str:
    """Leave out the bracket that ends the status line, not the words that it quotes.

    >>> _close("421 Busy (really))"), _close("421 Busy (really)")
    ('421 Busy (really)', '421 Busy (really)')
    """
    return words[:-1] if words.endswith(")") and words.count(")") > words.count("(") else words


@lru_cache(maxsize=1024)
def _fill(texts: tuple[str, ...], words: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return texts with these words in their places; what goes wrong does so many times."""
    return tuple(tidy(text.format(**dict(words))) for text in texts)


def tidy(text: str) -> str:
    """Mend what an empty or a long group leaves: doubled blanks, blanks before a stop, stops too many, empty brackets.

    >>> tidy("Not found  in the table ."), tidy("It is listed: "), tidy(": no room. It says: : no ().")
    ('Not found in the table.', 'It is listed.', 'no room. It says: no.')
    """
    text = re.sub(r"^[:;,.]+\s+| \(\)", "", re.sub(r"\s+", " ", text).strip()).strip()
    text = f"{text[:-1]}." if text.endswith(":") else text
    text = re.sub(r" (?=[.,;:](?:\s|\Z))", "", text)
    return re.sub(r"(?<!\.)([.,;:!?])\.(?=\s|\Z)|(:):(?=\s)", r"\1\2", text)
