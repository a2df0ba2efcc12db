"""Find many literals in many short texts, and mask them.

A guesser brings thousands of passwords, a dozen spellings each. An expression with all of
them would be tried one by one at every place, so from some number on a table of their first characters decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from string import ascii_letters, digits

from pfremote.maillog.redact.masks import LEARNT, MARK, mark

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


class Needles:
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

    def mask(self, text: str) -> str:
        """Replace each literal in ``text``, outside marks."""
        if not self._known or not self._may_hold(text):
            return text
        return replace_outside_marks(text, self._mask_plain)

    def _may_hold(self, text: str) -> bool:
        if self._starts is not None:
            return self._starts.search(text) is not None
        firsts = [text[at : at + SHORTEST] for at in range(len(text) - SHORTEST + 1)]
        return not self._table.keys().isdisjoint(firsts)

    def _mask_plain(self, text: str) -> str:
        parts: list[str] = []
        done = at = 0
        while at <= len(text) - SHORTEST:
            found = self._find_at(text, at)
            if found is None:
                at += 1
                continue
            literal, is_core = found
            start, end = at, at + len(literal)
            if is_core:
                # A base64 run is of no use in part, and its rest may hold bits of the secret.
                start = done + len(text[done:start].rstrip(_BASE64_ALPHABET))
                after = _AFTER.match(text, end)
                end = after.end() if after else end
            parts += (text[done:start], mark(LEARNT))
            done = at = end
        parts.append(text[done:])
        return "".join(parts)

    def _find_at(self, text: str, at: int) -> tuple[str, bool] | None:
        for length, literals in self._table.get(text[at : at + SHORTEST], _NONE).items():
            is_core = literals.get(literal := text[at : at + length])
            if is_core or (is_core is not None and _stands_alone(literal, text, at)):
                return literal, is_core
        return None


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
