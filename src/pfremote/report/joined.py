"""Several sequences as one, of which nothing is copied. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from pfremote.model.lazy import Lazy

_T = TypeVar("_T")


class Joined(Lazy[_T]):
    """The items of all parts, part by part; they may be made when they are asked for.

    >>> list(Joined([(1, 2), (), (3,)])), Joined([(1, 2), (3,)])[-1]
    ([1, 2, 3], 3)
    """

    def __init__(self, parts: Sequence[Sequence[_T]]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[_T]:
        return (session for part in self._parts for session in part)

    def make(self, place: int) -> _T:
        """Return one."""
        for part in self._parts:
            if place < len(part):
                return part[place]
            place -= len(part)
        raise IndexError(place)
