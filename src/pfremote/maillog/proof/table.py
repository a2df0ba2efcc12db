"""Redacts and proves a log that is held as a table, piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pfremote.maillog.contain import Unreadable
from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.prove import Lesson, Withheld
from pfremote.maillog.record_table import RecordTable
from pfremote.maillog.redact import Exposure

#: Of a table so many lines are looked at together.
PIECE = 32_768


@dataclass(frozen=True, slots=True)
class RedactedTable:
    """Lines that may be stored and shown; ``withheld`` numbers are record numbers."""

    records: RecordTable
    exposures: tuple[Exposure, ...]
    withheld: tuple[Withheld, ...]
    unreadable: tuple[Unreadable, ...]


def redact_table(logged: RecordTable, known: Iterable[str] = ()) -> RedactedTable:
    """Redact a log and prove the result; a line that cannot be proven keeps its head only.

    ``known`` are secrets that are known beforehand.
    """
    lesson = Lesson(known)
    for piece in logged.pieces(PIECE):
        lesson.learn(piece)
    lesson.settle()
    withheld: list[Withheld] = []

    def show() -> Iterator[list[Record]]:
        for piece in logged.pieces(PIECE):
            shown, left_out = lesson.show(piece)
            withheld.extend(left_out)
            yield shown

    records = logged.with_texts(show())
    return RedactedTable(records, lesson.exposures(), (*withheld, *lesson.unread()), tuple(lesson.unreadable))
