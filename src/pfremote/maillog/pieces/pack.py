"""Transcripts that are not looked at before the end of a log: packed, without their lines."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import IO, Any, NamedTuple

from pfremote.maillog.pieces.lines import ShownLines
from pfremote.maillog.pieces.spool import Chunks, Spool
from pfremote.maillog.record_table import list_numbers
from pfremote.maillog.sessions.build import Session
from pfremote.maillog.transcripts.turns import Check, Delivery, Sasl, Tls, Transcript, Turn
from pfremote.model.lazy import Lazy

#: What of a session is packed: neither its id, which comes first, nor its lines, which come last.
_OF_SESSION = attrgetter(*(field.name for field in fields(Session)[1:-1]))
_OF_TRANSCRIPT = attrgetter(*(field.name for field in fields(Transcript)[1:]))
_KINDS = (Turn, Tls, Sasl, Check, Delivery)


class _Item(NamedTuple):
    session: tuple[Any, ...]
    numbers: Sequence[int]
    transcript: tuple[Any, ...]
    users: tuple[str, ...]


class Packed(Lazy[Transcript]):
    """Transcripts of sessions, each made anew when it is asked for; without the sessions' lines, or with their numbers.

    ``file`` is where they are put (:class:`~pfremote.maillog.pieces.spool.Spool`); ``lines`` are those of the log,
    where they are kept.
    """

    def __init__(self, file: IO[bytes] | None = None, lines: ShownLines | None = None) -> None:
        self._file = file
        self._spool: Spool[_Item] = Spool(file, _KINDS)
        self._lines = lines
        #: The ids with which they were added.
        self._added: Chunks[int] = Chunks(file)
        #: In the order of the sessions, once they are numbered: their ids, and where they are.
        self._ids: Sequence[int] = self._added
        self._places: Chunks[int] = Chunks(file)

    @property
    def numbers(self) -> Sequence[int]:
        """The sessions' ids, in their order; as they were added before they are numbered."""
        return self._ids

    @property
    def sessions(self) -> Sequence[Session]:
        """The sessions, without their lines."""
        return _Sessions(self)

    def add(self, transcript: Transcript, users: tuple[str, ...] = ()) -> None:
        """Take one more, in any order; ``users`` are those whom the session logged in, as its lines tell."""
        self._added.add(transcript.session.id)
        session = transcript.session
        numbers = () if self._lines is None else array("I", list_numbers(session.records))
        self._spool.add(_Item(_OF_SESSION(session), numbers, _OF_TRANSCRIPT(transcript), users))

    def number(self, place_of: Callable[[int], int], number_of: Callable[[int], int] | None) -> None:
        """Put the sessions in the order of ``place_of``, from 0, and give them other ids, both by the old ones.

        Without ``number_of`` the ids are 1 and up.
        """
        places = array("I", (0,)) * len(self._added)
        for place, old in enumerate(self._added):
            places[place_of(old)] = place
        self._ids = range(1, len(places) + 1)
        if number_of is not None:
            self._ids = array("I", (number_of(self._added[place]) for place in places))
        self._added = Chunks()
        for place in places:
            self._places.add(place)

    def __len__(self) -> int:
        return len(self._ids)

    def make(self, place: int) -> Transcript:
        """Return one."""
        return self._make(place)[0]

    def with_users(self) -> Iterator[tuple[Transcript, tuple[str, ...]]]:
        """Yield each with whom it logged in."""
        return map(self._make, range(len(self)))

    def find(self, number: int) -> tuple[Transcript, tuple[str, ...]] | None:
        """Return the transcript of a session, by its id, with whom it logged in; None where it is not here."""
        at = bisect_left(self._ids, number)
        return self._make(at) if at < len(self) and self._ids[at] == number else None

    def _make(self, place: int) -> tuple[Transcript, tuple[str, ...]]:
        session, numbers, transcript, users = self._spool[self._places[place]]
        records = () if self._lines is None else self._lines.pick(numbers)
        return Transcript(Session(self._ids[place], *(*session, records)), *transcript), users


class _Sessions(Lazy[Session]):
    def __init__(self, transcripts: Packed) -> None:
        self._transcripts = transcripts

    def __len__(self) -> int:
        return len(self._transcripts)

    def make(self, place: int) -> Session:
        return self._transcripts[place].session
