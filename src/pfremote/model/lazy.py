"""Sequences whose items are made when they are asked for. Pure."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

_T = TypeVar("_T", covariant=True)


class Lazy(Sequence[_T]):
    """A sequence that holds less than its items; a subclass tells how many there are, and makes one.

    >>> class Squares(Lazy[int]):
    ...     def __len__(self) -> int:
    ...         return 4
    ...     def make(self, place: int) -> int:
    ...         return place * place
    >>> Squares()[-1], Squares()[1:3], list(Squares())
    (9, (1, 4), [0, 1, 4, 9])
    """

    @abstractmethod
    def make(self, place: int) -> _T:
        """Return the item at a place from 0, which is within the sequence."""

    def __iter__(self) -> Iterator[_T]:
        # Not that of Sequence, which takes any IndexError for the end.
        return map(self.make, range(len(self)))

    @overload
    def __getitem__(self, place: int) -> _T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[_T, ...]: ...
    def __getitem__(self, place: int | slice) -> _T | tuple[_T, ...]:
        every = range(len(self))
        return tuple(map(self.make, every[place])) if isinstance(place, slice) else self.make(every[place])
