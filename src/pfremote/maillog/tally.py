"""Very many names, each with a number, in some twelve bytes a name; and which numbers were met. Pure.

Only the hash of a name is held. A name that was never put in is taken for another by chance alone: one look-up in some
10^12, of a log with millions of names. Python's hash of a text is keyed anew in each process, so no one can arrange it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator
from heapq import merge
from operator import itemgetter

#: So many names are held loosely before they are packed.
_RECENT = 1 << 14
#: Larger runs are not made into one: for a moment it would take twice the room.
_LARGEST = 1 << 20

_KEY = itemgetter(0)


class _Numbers:
    """Names with a number each; a subclass says what becomes of two numbers of one name."""

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        #: Sorted hashes and their numbers, the oldest run first.
        self._runs: list[tuple[array[int], array[int]]] = []

    def _join(self, old: int, new: int) -> int:
        raise NotImplementedError

    def _enter(self, key: int, number: int) -> None:
        self._recent[key] = number
        if len(self._recent) >= _RECENT:
            items, self._recent = sorted(self._recent.items()), {}
            self._pack(items)

    def _find(self, key: int) -> Iterator[int]:
        """Yield the numbers of a name in the packed runs, the latest first."""
        for keys, numbers in reversed(self._runs):
            at = bisect_left(keys, key)
            if at < len(keys) and keys[at] == key:
                yield numbers[at]

    def _pack(self, items: Iterable[tuple[int, int]]) -> None:
        keys, numbers = array("q"), array("I")
        for key, number in items:
            if keys and keys[-1] == key:
                numbers[-1] = self._join(numbers[-1], number)
            else:
                keys.append(key)
                numbers.append(number)
        if self._runs and len(self._runs[-1][0]) < min(2 * len(keys), _LARGEST):
            older = zip(*self._runs.pop(), strict=True)
            self._pack(merge(older, zip(keys, numbers, strict=True), key=_KEY))
        else:
            self._runs.append((keys, numbers))


class Tally(_Numbers):
    """Counts names: a count may be too high by chance, and never too low."""

    def add(self, name: Hashable) -> None:
        """Count a name once more."""
        key = hash(name)
        self._enter(key, self._recent.get(key, 0) + 1)

    def count(self, name: Hashable) -> int:
        """Return how often it was met."""
        key = hash(name)
        return self._recent.get(key, 0) + sum(self._find(key))

    def _join(self, old: int, new: int) -> int:
        return old + new


class Latest(_Numbers):
    """Holds what was put last under each name, a number of 32 bits."""

    def put(self, name: Hashable, number: int) -> None:
        """Put a number under a name, in place of what was there."""
        self._enter(hash(name), number)

    def get(self, name: Hashable) -> int | None:
        """Return what is under a name, if anything is."""
        key = hash(name)
        number = self._recent.get(key)
        return next(self._find(key), None) if number is None else number

    def _join(self, _old: int, new: int) -> int:
        return new


class Places:
    """A set of line numbers, one bit for each line of the log."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._bits = bytearray()
        for number in numbers:
            self.add(number)

    def add(self, number: int) -> None:
        """Note a number, 0 or more."""
        at = number >> 3
        if at >= len(self._bits):
            self._bits.extend(bytes(at + 1024 - len(self._bits)))
        self._bits[at] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        at = number >> 3
        return at < len(self._bits) and bool(self._bits[at] >> (number & 7) & 1)

    def rank(self, numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield each of ``numbers``, which must ascend, with its place among the noted ones, from 1."""
        done, rank = 0, 0
        for number in numbers:
            at = number >> 3
            rank += int.from_bytes(self._bits[done:at], "little").bit_count()
            done = at
            yield number, rank + (self._bits[at] & ((2 << (number & 7)) - 1)).bit_count()
