"""The lines of a log as they may be shown, in a file: each is read back when it is asked for."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from typing import IO

from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.spool import Chunks
from pfremote.maillog.record_table import Numbered
from pfremote.maillog.tally import Places


class ShownLines(Numbered):
    """All lines of a log, in its order, numbered from 1. ``file`` is where they are put."""

    def __init__(self, file: IO[bytes]) -> None:
        self._chunks: Chunks[tuple[object, ...]] = Chunks(file)

    def add(self, record: Record) -> None:
        """Take the next line."""
        self._chunks.add(tuple(record))

    @property
    def places(self) -> Places:
        """The numbers of all lines."""
        return Places.up_to(len(self))

    def __len__(self) -> int:
        return len(self._chunks)

    def make(self, place: int) -> Record:
        """Return one."""
        return tuple.__new__(Record, self._chunks[place])

    def __iter__(self) -> Iterator[Record]:
        return (tuple.__new__(Record, values) for values in self._chunks)

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of the lines."""
        return iter(range(1, len(self) + 1))

    def pick(self, numbers: Collection[int]) -> PickedLines:
        """Return the lines of these numbers, in that order."""
        return PickedLines(self, numbers)


class PickedLines(Numbered):
    """Some lines of a log, each made when it is asked for."""

    def __init__(self, lines: ShownLines, numbers: Collection[int]) -> None:
        self._lines, self._numbers = lines, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def make(self, place: int) -> Record:
        """Return one."""
        if not isinstance(self._numbers, array):
            self._numbers = array("I", self._numbers)
        return self._lines[self._numbers[place] - 1]

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of the lines, which are not made for that."""
        return iter(self._numbers)
