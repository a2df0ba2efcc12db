"""Very many names, each with a number, in some twelve bytes a name, and which numbers were met. Pure.

Only the hash of a name is held. A name that was never put in is taken for another by chance alone: one look-up in some
10^12, of a log with millions of names. Python's hash of a text is keyed anew in each process, so no one can arrange it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping
from heapq import merge
from itertools import accumulate
from operator import itemgetter
from typing import Self

#: So many names are held loosely before they are packed.
_RECENT = 1 << 14
#: Larger runs are not made into one: for a moment it would take twice the room.
_LARGEST = 1 << 20
#: Bytes of bits of which it is known how many numbers stand before them.
_PART = 256

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

    def add(self, name: Hashable, times: int = 1) -> None:
        """Count a name once more, or so many times."""
        key = hash(name)
        self._enter(key, self._recent.get(key, 0) + times)

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


class Places(Mapping[int, int]):
    """A set of line numbers, one bit for each line of the log, and the place of each in it, from 1."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._bits = bytearray()
        #: How many numbers stand before each part of the bits; made when it is first asked for.
        self._before: list[int] = []
        self.add_all(numbers)

    @classmethod
    def up_to(cls, last: int) -> Self:
        """Return those of all lines of a log."""
        places = cls()
        places._bits += ((2 << last) - 2).to_bytes((last >> 3) + 1, "little")
        return places

    def add(self, number: int) -> None:
        """Note a number, 1 or more."""
        at = number >> 3
        if at >= len(self._bits):
            self._bits.extend(bytes(at + _PART - len(self._bits)))
        self._bits[at] |= 1 << (number & 7)
        if self._before:
            self._before = []

    def add_all(self, numbers: Iterable[int]) -> None:
        """Note several."""
        for number in numbers:
            self.add(number)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int) or number < 0:
            return False
        at = number >> 3
        return at < len(self._bits) and bool(self._bits[at] >> (number & 7) & 1)

    def __getitem__(self, number: int) -> int:
        if number not in self:
            raise KeyError(number)
        at = number >> 3
        part = at // _PART
        before = self._count()[part] + _count_bits(self._bits[part * _PART : at])
        return before + (self._bits[at] & ((2 << (number & 7)) - 1)).bit_count()

    def __iter__(self) -> Iterator[int]:
        for at, bits in enumerate(self._bits):
            if bits:
                yield from (8 * at + bit for bit in range(8) if bits >> bit & 1)

    def __or__(self, other: Places) -> Places:
        bits = int.from_bytes(self._bits, "little") | int.from_bytes(other._bits, "little")
        both = Places()
        both._bits += bits.to_bytes(max(len(self._bits), len(other._bits)), "little")
        return both

    def without(self, *others: Places) -> Places:
        """Return those that are in none of the others."""
        bits = int.from_bytes(self._bits, "little")
        for other in others:
            bits &= ~int.from_bytes(other._bits, "little")  # a negative number has endless ones
        left = Places()
        left._bits += bits.to_bytes(len(self._bits), "little")
        return left

    def __len__(self) -> int:
        return self._count()[-1]

    def _count(self) -> list[int]:
        if not self._before:
            parts = (self._bits[at : at + _PART] for at in range(0, len(self._bits), _PART))
            self._before = list(accumulate(map(_count_bits, parts), initial=0))
        return self._before


def _count_bits(data: bytes | bytearray) -> int:
    return int.from_bytes(data, "little").bit_count()
