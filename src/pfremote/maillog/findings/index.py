"""Which rules a line may fit, told by four of its characters: most lines fit none, and there are hundreds of rules.

For each rule its expression tells texts of which every match has at least one. A line that has not even four characters
of one of them in a row cannot fit; the expression itself decides about the rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from pfremote.maillog.findings.rule import Rule

#: What is looked for at each place of a line.
_LENGTH = 4
#: More texts than this for one rule are not worth their table.
_MOST = 48
#: So many texts are remembered.
_KNOWN = 1024
_Texts = frozenset[str]
_NOTHING: _Texts = frozenset(("",))


class RuleIndex:
    """Rules in their order, found by four characters of a line."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        #: What was found for texts: of what goes wrong most is said again and again.
        self._known: dict[str, tuple[Rule, ...]] = {}
        self._always: list[int] = []
        self._places: dict[str, list[int]] = {}
        needed = [find_needed(rule.regex) for rule in rules]
        often = Counter(part for texts in needed for part in {part for text in texts for part in _parts(text)})
        for place, texts in enumerate(needed):
            if not texts:
                self._always.append(place)
            for part in {min(_parts(text), key=lambda part: (often[part], part)) for text in texts}:
                self._places.setdefault(part, []).append(place)

    def find(self, text: str) -> tuple[Rule, ...]:
        """Return the rules that the text may fit, in their order."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            known = self._known[text] = tuple(self._look(text))
        return known

    def _look(self, text: str) -> Iterable[Rule]:
        if not text.isascii():  # letters of other scripts may count as one of ours where case does not
            return self._rules
        met = self._places.keys() & _parts(text.lower())
        if not met:
            return (self._rules[place] for place in self._always)
        found = {place for part in met for place in self._places[part]}
        return (self._rules[place] for place in sorted(found.union(self._always)))


def _parts(text: str) -> set[str]:
    return {text[at : at + _LENGTH] for at in range(len(text) - _LENGTH + 1)}


def find_needed(pattern: re.Pattern[str]) -> _Texts:
    """Return texts in small letters of which every match has one; nothing where none of some length is sure.

    >>> sorted(find_needed(re.compile(r"x (?:rate|concurrency) limit: \\d+")))
    ['x concurrency limit: ', 'x rate limit: ']
    """
    try:
        # The parser of re has no public name; a Python without it tries every rule on every line.
        from re import _parser  # type: ignore[attr-defined]

        return _needed(_parser.parse(pattern.pattern, pattern.flags))
    except (ImportError, AttributeError, TypeError, ValueError, re.error):
        return frozenset()


def _needed(nodes: Iterable[tuple[Any, Any]]) -> _Texts:
    """Return the best of the texts that a sequence of an expression's nodes needs."""
    best: _Texts = frozenset()
    run = _NOTHING
    for node in nodes:
        exact = _exact(node)
        if exact is not None and len(run) * len(exact) <= _MOST:
            run = frozenset(map("".join, product(run, exact)))
            continue
        best, run = _better(best, run), _NOTHING if exact is None else exact
        best = _better(best, _inside(node))
    return _better(best, run)


def _better(one: _Texts, other: _Texts) -> _Texts:
    """Return the texts of which the shortest is longer: they are in fewer lines."""
    return other if _worth(other) > _worth(one) else one


def _worth(texts: _Texts) -> int:
    shortest = min(map(len, texts), default=0)
    return shortest if shortest >= _LENGTH and len(texts) <= _MOST else 0


def _exact(node: tuple[Any, Any]) -> _Texts | None:
    """Return all that a node can match, in small letters, where that is a few texts."""
    name, value = str(node[0]), node[1]
    if name == "LITERAL":
        return frozenset((chr(value).lower(),))
    if name == "AT" or name in ("ASSERT", "ASSERT_NOT"):
        return _NOTHING
    if name == "IN" and all(str(kind) == "LITERAL" for kind, _ in value):
        return frozenset(chr(code).lower() for _, code in value)
    if name == "SUBPATTERN":
        return _exact_all(value[3])
    if name == "BRANCH":
        return _join(_exact_all(nodes) for nodes in value[1])
    return None


def _exact_all(nodes: Iterable[tuple[Any, Any]]) -> _Texts | None:
    found = _NOTHING
    for node in nodes:
        exact = _exact(node)
        if exact is None or len(found) * len(exact) > _MOST:
            return None
        found = frozenset(map("".join, product(found, exact)))
    return found


def _join(parts: Iterable[_Texts | None]) -> _Texts | None:
    found: set[str] = set()
    for part in parts:
        if part is None:
            return None
        found |= part
    return frozenset(found) if len(found) <= _MOST else None


def _inside(node: tuple[Any, Any]) -> _Texts:
    """Return what a node that is not exact needs all the same."""
    name, value = str(node[0]), node[1]
    if name == "SUBPATTERN":
        return _needed(value[3])
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and value[0] > 0:
        return _needed(value[2])
    if name == "ATOMIC_GROUP":
        return _needed(value)
    if name == "BRANCH":
        branches = [_needed(nodes) for nodes in value[1]]
        return frozenset().union(*branches) if all(branches) else frozenset()
    return frozenset()
