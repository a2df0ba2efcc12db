"""Several sequences as one, of which nothing is copied. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

_T = TypeVar("_T")


class Joined(Sequence[_T]):
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

    @overload
    def __getitem__(self, place: int) -> _T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[_T, ...]: ...
    def __getitem__(self, place: int | slice) -> _T | tuple[_T, ...]:
        every = range(len(self))
        if isinstance(place, slice):
            return tuple(self[at] for at in every[place])
        at = every[place]
        for part in self._parts:
            if at < len(part):
                return part[at]
            at -= len(part)
        raise IndexError(place)
