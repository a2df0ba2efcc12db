"""The lines of a log in some ten bytes each, beside their heads and their texts. Pure.

A line of a debug log has a hundred bytes, and takes two hundred as a value of its own; most of its text, and of what
stands before it, stands in other lines too.
"""

from __future__ import annotations

from abc import abstractmethod
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pfremote.maillog.parse.record import Record
from pfremote.model.lazy import Lazy


class RecordTable(Lazy[Record]):
    """Lines in the order of the log, each made when it is asked for; equal heads and equal texts are held once."""

    def __init__(self) -> None:
        self._numbers, self._heads, self._texts = array("I"), array("I"), array("I")
        self._head_of: list[tuple[Any, ...]] = []
        self._text_of: list[str] = []
        #: Where heads and texts stand, while lines are added.
        self._places: tuple[dict[tuple[Any, ...], int], dict[str, int]] = {}, {}

    @classmethod
    def read(cls, records: Iterable[Record]) -> RecordTable:
        """Return a table of these lines."""
        table = cls()
        heads, texts = table._places
        for number, *head, text in records:
            table._numbers.append(number)
            table._heads.append(heads.setdefault(tuple(head), len(heads)))
            table._texts.append(texts.setdefault(text, len(texts)))
        table._seal()
        return table

    def _seal(self) -> None:
        heads, texts = self._places
        self._head_of, self._text_of = list(heads), list(texts)
        self._places = {}, {}

    def with_texts(self, pieces: Iterable[Sequence[Record]]) -> RecordTable:
        """Return a table of the same lines with the texts of these, which come in the same order."""
        table = RecordTable()
        table._numbers, table._heads, table._head_of = self._numbers, self._heads, self._head_of
        texts = table._places[1]
        for piece in pieces:
            table._texts.extend(texts.setdefault(record.text, len(texts)) for record in piece)
        table._text_of = list(texts)
        table._places = {}, {}
        return table

    def __len__(self) -> int:
        return len(self._texts)

    def make(self, place: int) -> Record:
        """Return one."""
        head, text = self._head_of[self._heads[place]], self._text_of[self._texts[place]]
        return tuple.__new__(Record, (self._numbers[place], *head, text))

    def __iter__(self) -> Iterator[Record]:
        return self.each(range(len(self)))

    def each(self, places: Iterable[int]) -> Iterator[Record]:
        """Yield the lines at these places; much quicker than one call for each."""
        numbers, heads, texts = self._numbers, self._heads, self._texts
        head_of, text_of, new = self._head_of, self._text_of, tuple.__new__
        for place in places:
            yield new(Record, (numbers[place], *head_of[heads[place]], text_of[texts[place]]))

    def number(self, place: int) -> int:
        """Return the number of the line at a place."""
        return self._numbers[place]

    def pieces(self, size: int) -> Iterator[list[Record]]:
        """Yield the lines, so many at a time."""
        return (list(self.each(range(at, min(at + size, len(self))))) for at in range(0, len(self), size))

    def find(self, numbers: Iterable[int]) -> Rows:
        """Return the lines of these numbers, in that order."""
        if self._numbers and self._numbers[-1] == len(self._numbers):  # each number is there
            return Rows(self, array("I", (number - 1 for number in numbers)))
        return Rows(self, array("I", (bisect_left(self._numbers, number) for number in numbers)))


class Numbered(Lazy[Record]):
    """Lines that tell their numbers without being made."""

    @abstractmethod
    def numbers(self) -> Iterator[int]:
        """Yield the numbers of the lines."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


class Rows(Numbered):
    """Some lines of a table."""

    def __init__(self, table: RecordTable, places: array[int]) -> None:
        self._table, self._places = table, places

    def __len__(self) -> int:
        return len(self._places)

    def make(self, place: int) -> Record:
        """Return one."""
        return self._table.make(self._places[place])

    def __iter__(self) -> Iterator[Record]:
        return self._table.each(self._places)

    def of(self, table: RecordTable) -> Rows:
        """Return the same lines of another table with the same lines."""
        return Rows(table, self._places)

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of the lines, which are not made for that."""
        return map(self._table.number, self._places)


def list_numbers(records: Iterable[Record]) -> Iterator[int]:
    """Yield the numbers of lines, wherever they are held."""
    return records.numbers() if isinstance(records, Numbered) else (record.number for record in records)
