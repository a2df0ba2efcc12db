"""A log in two readings and bounded memory: once to learn, once to show, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from io import BytesIO
from itertools import islice
from typing import IO

from pfremote.maillog.budget import shorten
from pfremote.maillog.capture import Capture, Meter
from pfremote.maillog.contain import attempt
from pfremote.maillog.findings.aftermath import Aftermath
from pfremote.maillog.messages.collect import HopCollector, find_host
from pfremote.maillog.messages.message import Hop
from pfremote.maillog.narrow import Wanted, is_wanted
from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.counts import Counts as LineCounts
from pfremote.maillog.pieces.gather import Gatherer
from pfremote.maillog.pieces.hops import PackedHops
from pfremote.maillog.pieces.keep import Keeper
from pfremote.maillog.pieces.lines import ShownLines
from pfremote.maillog.pieces.survey import Survey
from pfremote.maillog.proof.prove import Lesson, Withheld

#: So many lines are redacted, proven and sorted at a time.
PIECE = 8192

#: Reads a log from its beginning, in blocks; each call begins anew.
Read = Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What is made of a log. ``messages``: the ways of its messages, and no session that is wanted is left out.

    ``lines``: the lines themselves are shown, not only those that prove a finding; ``sessions``: not only the lines.
    """

    messages: bool = False
    lines: bool = False
    sessions: bool = True


SUMMARY = Purpose()


def read_twice(
    read: Read,
    survey: Survey,
    wanted: Wanted,
    purpose: Purpose = SUMMARY,
    *,
    now: datetime,
    utc_offset: timedelta,
    piece: int = PIECE,
    spool: IO[bytes] | None = None,
) -> tuple[Capture, PackedHops | None] | None:
    """Return what :func:`~pfremote.maillog.capture.read_capture` and :func:`~pfremote.maillog.narrow.narrow` do.

    Where everything is wanted, the sessions that have no finding are left out. Of the lines only those are held that
    prove a finding. What is to be kept is put into the file ``spool``; without one it is held, packed. For ``purpose``
    more is kept; the hops of the log's messages are beside it.

    None where the log cannot be read so: it changed between the two readings, or something in it cannot be read; then
    it is to be read as a whole.
    """
    reading = _Reading(read, wanted, purpose, now, utc_offset, piece, spool or BytesIO())
    return attempt(lambda: reading.read(survey), lambda _kind: None)


class _Reading:
    def __init__(
        self,
        read: Read,
        wanted: Wanted,
        purpose: Purpose,
        now: datetime,
        utc_offset: timedelta,
        piece: int,
        spool: IO[bytes],
    ) -> None:
        self._read, self._now, self._utc_offset, self._piece = read, now, utc_offset, piece
        self._wanted, self._purpose, self._spool = wanted, purpose, spool
        self._lesson = Lesson()
        self._counts = LineCounts()
        #: The queue ids of the messages that are wanted.
        self._ids: set[str] = set()
        self._lines = ShownLines(spool) if purpose.lines else None
        self._hosts: set[str] = set()
        self._hops: PackedHops | None = None
        self._withheld: list[Withheld] = []

    def read(self, survey: Survey) -> tuple[Capture, PackedHops | None] | None:
        """Read it twice."""
        before, learned = Meter(()), blake2b()
        self._learn(self._pieces(before, learned.update))
        if self._lesson.unreadable:
            return None
        meter, shown = Meter(()), blake2b()
        show = self._show_sessions if self._purpose.sessions else self._show_lines
        capture = show(self._pieces(meter, shown.update), meter, survey)
        return (capture, self._hops) if shown.digest() == learned.digest() else None

    def _learn(self, pieces: Iterable[list[Record]]) -> None:
        collector = HopCollector("", self._note_wanted) if self._wanted.of_messages() else None
        for piece in pieces:
            self._lesson.learn(piece)
            self._hosts.update(record.host for record in piece)
            for record in piece if self._purpose.sessions else ():
                self._counts.take(record)
            if collector is not None:
                for record in piece:
                    collector.feed(record)
        if collector is not None:
            collector.finish()
        self._lesson.settle()
        self._counts.finish()
        if self._purpose.messages:
            self._hops = PackedHops(find_host(self._hosts), self._spool, self._counts.of_message)

    def _note_wanted(self, hop: Hop) -> None:
        if is_wanted(hop, self._wanted):
            self._ids.add(hop.queue_id)

    def _show(self, piece: list[Record], survey: Survey) -> list[Record]:
        """Return the next lines as they may be shown."""
        records, withheld = self._lesson.show(piece)
        self._withheld += withheld
        survey.take(records)
        if self._lines is not None:
            for one in records:
                self._lines.add(one)
        return records

    def _show_lines(self, pieces: Iterable[list[Record]], meter: Meter, survey: Survey) -> Capture:
        for piece in pieces:
            self._show(piece, survey)
        return self._make_keeper().capture(meter, (), self._withheld)

    def _show_sessions(self, pieces: Iterable[list[Record]], meter: Meter, survey: Survey) -> Capture:
        keeper = self._make_keeper()
        gatherer = Gatherer(self._counts, self._follows())
        aftermath = Aftermath()
        for piece in pieces:
            records = self._show(piece, survey)
            for record, one in zip(piece, records, strict=True):
                gatherer.feed(record, one)
                aftermath.feed(one)
            if self._hops is not None:
                for one in records:
                    self._hops.feed(one)
            for group in gatherer.ripe():
                keeper.keep(group)
        for group in gatherer.finish():
            keeper.keep(group)
        keeper.follow(gatherer.bounced())
        if self._hops is not None:
            self._hops.finish()
        self._counts.clear()
        capture = keeper.capture(meter, gatherer.of_host(), self._withheld)
        return replace(capture, findings=aftermath.tell(capture.findings))

    def _follows(self) -> Callable[[Record], bool] | None:
        """Return of which lines of no session it matters whether they follow a session's message."""
        if self._wanted.of_messages():
            return lambda record: record.text.partition(":")[0] in self._ids
        return (lambda _record: True) if self._lines is not None and self._wanted.everything else None

    def _make_keeper(self) -> Keeper:
        troubled = self._wanted.everything and not self._purpose.messages
        return Keeper(
            self._wanted, self._ids, self._lesson.exposures(), self._spool, lines=self._lines, troubled=troubled
        )

    def _pieces(self, meter: Meter, note: Callable[[bytes], None]) -> Iterator[list[Record]]:
        def blocks() -> Iterator[bytes]:
            for block in self._read():
                note(block)
                meter.bytes += len(block)
                yield block

        parsed = parse_evidence(blocks(), now=self._now, utc_offset=self._utc_offset, held=False)
        while piece := list(islice(parsed, self._piece)):
            meter.count(piece)
            yield list(map(shorten, piece))
