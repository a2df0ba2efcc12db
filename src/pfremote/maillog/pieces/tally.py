"""How often each of very many names was met, in some twelve bytes a name, and which numbers were met."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator
from heapq import merge

#: So many names are counted before they are packed.
_RECENT = 1 << 15


class Tally:
    """Counts names, of which it knows the hash only: a count may be too high by chance, and never too low."""

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        #: Sorted hashes and their counts, the largest run first.
        self._runs: list[tuple[array[int], array[int]]] = []

    def add(self, name: Hashable) -> None:
        """Count a name once more."""
        key = hash(name)
        self._recent[key] = self._recent.get(key, 0) + 1
        if len(self._recent) >= _RECENT:
            self._pack(sorted(self._recent.items()))
            self._recent = {}

    def count(self, name: Hashable) -> int:
        """Return how often it was met."""
        key = hash(name)
        found = self._recent.get(key, 0)
        for keys, counts in self._runs:
            at = bisect_left(keys, key)
            if at < len(keys) and keys[at] == key:
                found += counts[at]
        return found

    def _pack(self, items: Iterable[tuple[int, int]]) -> None:
        keys, counts = array("q"), array("L")
        for key, count in items:
            if keys and keys[-1] == key:
                counts[-1] += count
            else:
                keys.append(key)
                counts.append(count)
        if self._runs and len(self._runs[-1][0]) < 2 * len(keys):
            self._pack(merge(zip(*self._runs.pop(), strict=True), zip(keys, counts, strict=True)))
        else:
            self._runs.append((keys, counts))


class Places:
    """A set of line numbers, one bit for each line of the log."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> None:
        """Note a number, 0 or more."""
        at = number >> 3
        if at >= len(self._bits):
            self._bits.extend(bytes(at + 1024 - len(self._bits)))
        self._bits[at] |= 1 << (number & 7)

    def rank(self, numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield each of ``numbers``, which must ascend, with its place among the noted ones, from 1."""
        done, rank = 0, 0
        for number in numbers:
            at = number >> 3
            rank += int.from_bytes(self._bits[done:at], "little").bit_count()
            done = at
            yield number, rank + (self._bits[at] & ((2 << (number & 7)) - 1)).bit_count()
