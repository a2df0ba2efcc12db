"""A log in two readings and bounded memory: of the sessions in which nothing went wrong only the number is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import islice

from pfremote.maillog.budget import shorten
from pfremote.maillog.capture import Capture, Counts, Meter
from pfremote.maillog.completeness import find_short
from pfremote.maillog.contain import attempt
from pfremote.maillog.findings import Finding, find, find_alone
from pfremote.maillog.findings.aftermath import Aftermath
from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.gather import Counts as LineCounts
from pfremote.maillog.pieces.gather import Gatherer, Group
from pfremote.maillog.pieces.pack import Packed
from pfremote.maillog.pieces.well import went_well
from pfremote.maillog.proof.prove import Lesson, Withheld
from pfremote.maillog.sessions.build import close_session
from pfremote.maillog.tally import Places
from pfremote.maillog.transcripts.transcript import build_transcripts
from pfremote.maillog.transcripts.turns import Transcript
from pfremote.model.lazy import Lazy

#: So many lines are redacted, proven and sorted at a time.
PIECE = 8192

#: Reads a log from its beginning, in blocks; each call begins anew.
Read = Callable[[], Iterable[bytes]]


@dataclass(slots=True)
class Survey:
    """What a log has, beside its sessions: hosts, the first lines that fit no layout, and how many such there are."""

    first_lines: int
    hosts: set[str] = field(default_factory=set)
    tagged: bool = False
    strange: list[str] = field(default_factory=list)
    strange_lines: int = 0

    def take(self, records: Iterable[Record]) -> None:
        """Take the next lines, as they may be shown."""
        for record in records:
            self.hosts.add(record.host)
            if record.tag:
                self.tagged = True
            elif record.text.strip():
                self.strange_lines += 1
                if len(self.strange) < self.first_lines:
                    self.strange.append(record.text)


class KeptRecords(Lazy[Record]):
    """The lines of a log of which only some are kept: as many as the log has, and each in its place."""

    def __init__(self, total: int, kept: Iterable[Record]) -> None:
        self._total = total
        self._kept = {record.number: record for record in kept}

    def __len__(self) -> int:
        return self._total

    def make(self, place: int) -> Record:
        """Return the record at a place from 0.

        Raises:
            KeyError: it is not kept.
        """
        return self._kept[place + 1]


def read_troubled(
    read: Read, survey: Survey, *, now: datetime, utc_offset: timedelta, piece: int = PIECE
) -> Capture | None:
    """Return what :func:`~pfremote.maillog.capture.read_capture` does, without the sessions that have no finding.

    Of the lines only those are kept that prove a finding.

    None where the log cannot be read so: it changed between the two readings, or something in it cannot be read; then
    it is to be read as a whole.
    """
    reading = _Reading(read, now, utc_offset, piece)
    return attempt(lambda: reading.read(survey), lambda _kind: None)


class _Reading:
    def __init__(self, read: Read, now: datetime, utc_offset: timedelta, piece: int) -> None:
        self._read, self._now, self._utc_offset, self._piece = read, now, utc_offset, piece
        self._lesson = Lesson()
        self._counts = LineCounts()
        self._begins = Places()
        self._aftermath = Aftermath()
        self._sessions = 0
        self._packed = Packed()
        self._findings: list[Finding] = []
        #: Sessions to which a line of the host may have something to add, and what follows their messages.
        self._undecided: list[Transcript] = []
        self._followed: list[Record] = []
        self._withheld: list[Withheld] = []
        self._last: Record | None = None
        self._short: list[int] = []

    def read(self, survey: Survey) -> Capture | None:
        """Read it twice."""
        before, learned = Meter(()), blake2b()
        for piece in self._pieces(before, learned.update):
            self._lesson.learn(piece)
            for record in piece:
                self._counts.take(record)
        self._lesson.settle()
        self._counts.finish()
        if self._lesson.unreadable:
            return None
        meter, shown = Meter(()), blake2b()
        gatherer = Gatherer(self._counts)
        for piece in self._pieces(meter, shown.update):
            records, withheld = self._lesson.show(piece)
            self._withheld += withheld
            survey.take(records)
            for record, one in zip(piece, records, strict=True):
                gatherer.feed(record, one)
                self._aftermath.feed(one)
            for group in gatherer.ripe():
                self._keep(group)
            self._last = records[-1]
        if shown.digest() != learned.digest():
            return None
        for group in gatherer.finish():
            self._keep(group)
        return self._capture(meter, gatherer.of_host())

    def _pieces(self, meter: Meter, note: Callable[[bytes], None]) -> Iterator[list[Record]]:
        def blocks() -> Iterator[bytes]:
            for block in self._read():
                note(block)
                meter.bytes += len(block)
                yield block

        parsed = parse_evidence(blocks(), now=self._now, utc_offset=self._utc_offset, held=False)
        records = (shorten(record) for record in meter.count(parsed))
        while piece := list(islice(records, self._piece)):
            yield piece

    def _keep(self, group: Group) -> None:
        """Keep the sessions in which something went wrong; of the others only the number."""
        for one in group.sessions:
            self._begins.add(one.records[0].number)
        if went_well(group):
            self._sessions += len(group.sessions)
            return
        sessions = tuple(close_session(one.records[0].number, one) for one in group.sessions)
        self._short += find_short(sessions)
        self._sessions += len(sessions)
        transcripts = build_transcripts(sessions, group.followed)
        found = find_alone(transcripts, group.followed)
        if found is None:
            self._undecided += transcripts
            self._followed += group.followed
        else:
            self._pack(transcripts, found)
            self._followed += (record for record in group.followed if record.daemon == "postscreen")

    def _pack(self, transcripts: Iterable[Transcript], found: Sequence[Finding]) -> None:
        with_finding = {item.session for item in found}
        for transcript in transcripts:
            if transcript.session.id in with_finding:
                self._packed.add(transcript)
        self._findings += found

    def _find_last(self, unplaced: Sequence[Record]) -> tuple[Finding, ...]:
        """Return all findings, now that the lines of the host are known; sessions get their number in the log."""
        self._followed.sort(key=lambda record: record.number)
        last = find(self._undecided, self._followed, unplaced)
        self._pack(self._undecided, [item for item in last if item.session is not None])
        numbers = list(self._begins.rank(sorted(self._packed.numbers)))
        self._packed.number(numbers)
        number_of = dict(numbers)
        found = [replace(item, session=number_of[item.session or 0]) for item in self._findings]
        found.sort(key=lambda item: item.session or 0)
        of_host = [item for item in last if item.session is None]
        return tuple(sorted((*of_host, *found), key=lambda item: item.proof.number))

    def _capture(self, meter: Meter, unplaced: Sequence[Record]) -> Capture:
        findings = self._find_last(unplaced)
        last = () if self._last is None else (self._last,)
        return Capture(
            records=KeptRecords(meter.lines, (*(item.proof for item in findings), *last)),
            sessions=self._packed.sessions,
            followed=(),
            unplaced=(),
            transcripts=self._packed,
            findings=self._aftermath.tell(findings),
            exposures=self._lesson.exposures(),
            withheld=tuple(self._withheld),
            counts=Counts(
                lines=meter.lines,
                bytes=meter.bytes,
                undated=meter.undated,
                other_sessions=0,
                other_lines=0,
                undecided=0,
                other_exposures=0,
                cut_lines=len(meter.cut),
                quiet=self._sessions - len(self._packed),
                short=tuple(sorted(self._short)),
            ),
        )
