"""Find many literals in many short texts, and mask them.

A client that guesses brings thousands of passwords, and each has a dozen spellings. An expression of all of them
would be tried one by one at every place, so from some number on a table of their first characters decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from string import ascii_letters, digits

from pfremote.maillog.redact.masks import LEARNED, MARK, mark

#: No literal is shorter, so the first characters of each are this many.
SHORTEST = 4
#: Up to here an expression is faster than the table; it is compiled anew for each secret, so it must stay short.
_FEW = 150
#: As many characters of each are in that expression, so that it does not grow with the length of a token.
_TELLING = 12
_BASE64_ALPHABET = ascii_letters + digits + "+/_-"
_AFTER = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_NONE: dict[int, dict[str, bool]] = {}
_NUMBER = re.compile(r"[0-9.:]+\Z")

#: Says whether a literal that stands from here to there is to be masked.
MayMask = Callable[[str, int, int], bool]


class Literals:
    """A growing set of literals; a ``core`` is base64 inside a longer run, which goes as a whole."""

    def __init__(self) -> None:
        #: First characters → length → literals, the longest first: guesses often begin alike ("Summer1", "Summer2").
        self._table: dict[str, dict[int, dict[str, bool]]] = {}
        self._known: set[str] = set()
        self._starts: re.Pattern[str] | None = None

    def add(self, literals: Iterable[str], cores: Iterable[str]) -> None:
        """Add literals of :data:`SHORTEST` characters or more."""
        for is_core, texts in ((False, literals), (True, cores)):
            for text in texts:
                if text not in self._known:
                    self._known.add(text)
                    self._enter(text, is_core)
        self._starts = _compile(self._known) if 0 < len(self._known) <= _FEW else None

    def _enter(self, text: str, is_core: bool) -> None:
        start = text[:SHORTEST]
        lengths = self._table.setdefault(start, {})
        if len(text) not in lengths:
            lengths[len(text)] = {}
            self._table[start] = lengths = dict(sorted(lengths.items(), reverse=True))
        lengths[len(text)][text] = is_core

    def mask(self, text: str, may_mask: MayMask) -> str:
        """Replace each literal in ``text`` that ``may_mask`` allows, outside marks."""
        if not self.may_be_in(text):
            return text
        parts: list[str] = []
        done = 0
        for start, end, literal, is_core in self._find(text):
            if start < done or not may_mask(literal, start, end):
                continue
            if is_core:
                start, end = _widen(text, done, start, end)
            parts += (text[done:start], mark(LEARNED))
            done = end
        return "".join((*parts, text[done:]))

    def may_be_in(self, text: str) -> bool:
        """Say whether a literal may be in ``text``: false is for sure."""
        if not self._known:
            return False
        if self._starts is not None:
            return self._starts.search(text) is not None
        firsts = [text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)]
        return not self._table.keys().isdisjoint(firsts)

    def _find(self, text: str) -> Iterator[tuple[int, int, str, bool]]:
        """Yield where a literal stands, the longest at each place first."""
        for first, last in outside_marks(text):
            for at in self._candidates(text, first, last):
                for length, literals in self._table.get(text[at : at + SHORTEST], _NONE).items():
                    literal = text[at : at + length]
                    is_core = literals.get(literal)
                    if is_core is None or at + length > last:
                        continue
                    if is_core or _stands_alone(literal, text, at):
                        yield at, at + length, literal, is_core

    def _candidates(self, text: str, first: int, last: int) -> Iterator[int]:
        """Yield where a literal may begin."""
        if self._starts is None:
            yield from range(first, last - SHORTEST + 1)
            return
        found = self._starts.search(text, first, last)
        while found is not None:
            yield found.start()
            found = self._starts.search(text, found.start() + 1, last)


def _widen(text: str, done: int, start: int, end: int) -> tuple[int, int]:
    """Return the whole base64 run: it is of no use in part, and its rest may hold bits of the secret."""
    after = _AFTER.match(text, end)
    return done + len(text[done:start].rstrip(_BASE64_ALPHABET)), after.end() if after else end


def _compile(literals: Iterable[str]) -> re.Pattern[str]:
    # Grouped by the first character: re tries the alternatives one after the other.
    groups = groupby(sorted({text[:_TELLING] for text in literals}), key=lambda start: start[0])
    return re.compile("|".join(f"{re.escape(first)}(?:{'|'.join(re.escape(s[1:]) for s in g)})" for first, g in groups))


def _stands_alone(literal: str, text: str, at: int) -> bool:
    """A plain word or number is a secret only as a whole word; anything stranger, wherever it stands."""
    if not literal.isalpha() and not _NUMBER.match(literal):
        return True
    return not (_is_letter(text[at - 1 : at]) or _is_letter(text[at + len(literal) :][:1]))


def _is_letter(text: str) -> bool:
    return text.isascii() and text.isalnum()


def outside_marks(text: str) -> Iterator[tuple[int, int]]:
    """Yield from where to where ``text`` is no mark of ours."""
    at = 0
    for kept in MARK.finditer(text) if "[redacted: " in text else ():
        yield at, kept.start()
        at = kept.end()
    yield at, len(text)


def replace_outside_marks(text: str, replace: Callable[[str], str]) -> str:
    """Apply ``replace`` to the parts of ``text`` that are no marks of ours."""
    if "[redacted: " not in text:
        return replace(text)
    parts: list[str] = []
    at = 0
    for kept in MARK.finditer(text):
        parts += (replace(text[at : kept.start()]), kept[0])
        at = kept.end()
    parts.append(replace(text[at:]))
    return "".join(parts)
