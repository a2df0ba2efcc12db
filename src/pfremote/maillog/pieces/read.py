"""A log in two readings and bounded memory: of the sessions that are not wanted only the number is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from io import BytesIO
from itertools import islice
from typing import IO

from pfremote.maillog.budget import shorten
from pfremote.maillog.capture import Capture, Counts, Meter
from pfremote.maillog.completeness import find_short
from pfremote.maillog.contain import attempt
from pfremote.maillog.findings import Finding, find, find_alone
from pfremote.maillog.findings.aftermath import Aftermath
from pfremote.maillog.kept import KeptRecords
from pfremote.maillog.narrow import Wanted, is_kept, may_be_kept, name_accounts, users_of
from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.counts import Counts as LineCounts
from pfremote.maillog.pieces.gather import Gatherer, Group
from pfremote.maillog.pieces.hops import PackedHops
from pfremote.maillog.pieces.pack import Packed
from pfremote.maillog.pieces.survey import Survey
from pfremote.maillog.pieces.well import went_well
from pfremote.maillog.proof.prove import Lesson, Withheld
from pfremote.maillog.sessions.build import Session, close_session
from pfremote.maillog.tally import Places
from pfremote.maillog.transcripts.transcript import build_transcripts
from pfremote.maillog.transcripts.turns import Transcript

#: So many lines are redacted, proven and sorted at a time.
PIECE = 8192
#: So many sentences are remembered.
_MOST_WORDS = 10_000

#: Reads a log from its beginning, in blocks; each call begins anew.
Read = Callable[[], Iterable[bytes]]


def read_twice(
    read: Read,
    survey: Survey,
    wanted: Wanted,
    *,
    now: datetime,
    utc_offset: timedelta,
    piece: int = PIECE,
    spool: IO[bytes] | None = None,
    programs: bool = False,
) -> tuple[Capture, PackedHops | None] | None:
    """Return what :func:`~pfremote.maillog.capture.read_capture` and :func:`~pfremote.maillog.narrow.narrow` do.

    Where everything is wanted, the sessions that have no finding are left out. ``wanted`` may not be of messages. Of
    the lines only those are held that prove a finding. What is to be kept is put into the file ``spool``; without one
    it is held, packed. For ``programs`` no session is left out, and the hops of the log's messages are beside it.

    None where the log cannot be read so: it changed between the two readings, or something in it cannot be read; then
    it is to be read as a whole.
    """
    reading = _Reading(read, wanted, now, utc_offset, piece, spool or BytesIO(), programs=programs)
    return attempt(lambda: reading.read(survey), lambda _kind: None)


class _Reading:
    def __init__(
        self,
        read: Read,
        wanted: Wanted,
        now: datetime,
        utc_offset: timedelta,
        piece: int,
        spool: IO[bytes],
        *,
        programs: bool,
    ) -> None:
        self._read, self._now, self._utc_offset, self._piece = read, now, utc_offset, piece
        self._wanted = wanted
        #: Sessions without a finding are only counted.
        self._troubled = wanted.everything and not programs
        self._lesson = Lesson()
        self._accounts: dict[int, list[tuple[int, str]]] = {}
        self._counts = LineCounts()
        self._begins = Places()
        self._aftermath = Aftermath()
        self._sessions = 0
        self._packed = Packed(spool)
        self._hops = PackedHops(spool, self._counts.of_message) if programs else None
        self._findings: list[Finding] = []
        self._words: dict[str, str] = {}
        #: Sessions to which a line of the host may have something to add, and what follows their messages.
        self._undecided: list[Transcript] = []
        self._followed: list[Record] = []
        self._withheld: list[Withheld] = []
        self._short: list[int] = []
        #: The lines of the sessions that were asked for, and those that follow their messages.
        self._lines = Places()

    def read(self, survey: Survey) -> tuple[Capture, PackedHops | None] | None:
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
        self._accounts = name_accounts(self._lesson.exposures())
        meter, shown = Meter(()), blake2b()
        gatherer = Gatherer(self._counts)
        for piece in self._pieces(meter, shown.update):
            self._show(piece, gatherer, survey)
        if shown.digest() != learned.digest():
            return None
        for group in gatherer.finish():
            self._keep(group)
        if self._hops is not None:
            self._hops.finish()
        self._counts.clear()
        return self._capture(meter, gatherer.of_host()), self._hops

    def _show(self, piece: list[Record], gatherer: Gatherer, survey: Survey) -> None:
        """Take the next lines as they may be shown, and keep the sessions that are over then."""
        records, withheld = self._lesson.show(piece)
        self._withheld += withheld
        survey.take(records)
        for record, one in zip(piece, records, strict=True):
            gatherer.feed(record, one)
            self._aftermath.feed(one)
        if self._hops is not None:
            for one in records:
                self._hops.feed(one)
        for group in gatherer.ripe():
            self._keep(group)

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

    def _keep(self, group: Group) -> None:
        """Keep the sessions that are wanted; of the others only the number."""
        for one in group.sessions:
            self._begins.add(one.records[0].number)
        well = self._wanted.everything and went_well(group)
        if well and self._troubled:
            self._sessions += len(group.sessions)
            return
        sessions = tuple(close_session(one.records[0].number, one) for one in group.sessions)
        if self._wanted.everything:
            self._short += find_short(sessions)
        self._sessions += len(sessions)
        # What is of another peer or time is not looked at closer: only its screened lines may tell of the host.
        if not any(may_be_kept(session, self._wanted) for session in sessions):
            sessions = ()
        transcripts = build_transcripts(sessions, group.followed) if sessions else ()
        found = () if well or not sessions else find_alone(transcripts, group.followed)
        if found is None:
            self._undecided += transcripts
            self._followed += group.followed
        else:
            self._pack(transcripts, group.followed, found)
            self._followed += (record for record in group.followed if record.daemon == "postscreen")

    def _pack(self, transcripts: Iterable[Transcript], followed: Iterable[Record], found: Sequence[Finding]) -> None:
        with_finding = {item.session for item in found}
        ids: set[str] = set()
        for transcript in transcripts:
            users = users_of(transcript, self._accounts)
            if self._is_wanted(transcript, users, has_finding=transcript.session.id in with_finding):
                self._packed.add(transcript, users)
                ids.update(transcript.session.queue_ids)
                self._note(transcript.session)
        for record in followed:
            if record.text.partition(":")[0] in ids:
                self._lines.add(record.number)
        self._findings += map(self._share, found)

    def _share(self, finding: Finding) -> Finding:
        """Return a finding whose words are held once: those of most are the words of others."""
        if len(self._words) > _MOST_WORDS:
            self._words.clear()
        held = self._words.setdefault
        title, meaning, step = finding.title, finding.meaning, finding.next_step
        return replace(finding, title=held(title, title), meaning=held(meaning, meaning), next_step=held(step, step))

    def _is_wanted(self, transcript: Transcript, users: tuple[str, ...], *, has_finding: bool) -> bool:
        if self._wanted.everything:
            return has_finding or not self._troubled
        return is_kept(transcript, self._wanted, set(), users, has_finding)

    def _note(self, session: Session) -> None:
        """Note what is told of a session that was asked for and is not in its transcript."""
        if not self._wanted.everything:
            self._short += find_short((session,))
            for record in session.records:
                self._lines.add(record.number)

    def _find_last(self, unplaced: Sequence[Record]) -> tuple[Finding, ...]:
        """Return all findings, now that the lines of the host are known; sessions get their number in the log."""
        self._followed.sort(key=lambda record: record.number)
        last = find(self._undecided, self._followed, unplaced)
        self._pack(self._undecided, self._followed, [item for item in last if item.session is not None])
        number_of = self._number()
        of_host = [item for item in last if item.session is None]
        found = sorted((*of_host, *self._findings), key=lambda item: item.session or 0)
        return tuple(
            item if item.session is None else replace(item, session=number_of(item.session))
            for item in sorted(found, key=lambda item: item.proof.number)
            if self._wanted.everything or number_of(item.session) or item.proof.number in self._lines
        )

    def _number(self) -> Callable[[int | None], int | None]:
        """Give the sessions their numbers: in the log, or, where some were asked for, among these."""
        kept = Places(self._packed.numbers)
        among = self._begins if self._wanted.everything else kept
        self._packed.number(lambda begin: kept[begin] - 1, None if len(among) == len(kept) else among.__getitem__)
        return lambda begin: among[begin] if begin is not None and begin in kept else None

    def _capture(self, meter: Meter, unplaced: Sequence[Record]) -> Capture:
        findings = self._find_last(unplaced)
        everything = self._wanted.everything
        lines = Places.up_to(meter.lines) if everything else self._lines
        return Capture(
            records=KeptRecords(lines, (item.proof for item in findings if item.proof.number in lines)),
            sessions=self._packed.sessions,
            followed=(),
            unplaced=(),
            transcripts=self._packed,
            findings=self._aftermath.tell(findings),
            exposures=self._lesson.exposures(),
            withheld=tuple(item for item in self._withheld if item.number in lines),
            counts=Counts(
                lines=meter.lines,
                bytes=meter.bytes,
                undated=meter.undated,
                other_sessions=0,
                other_lines=0,
                undecided=0,
                other_exposures=0,
                cut_lines=len(meter.cut),
                quiet=self._sessions - len(self._packed) if self._troubled else 0,
                short=tuple(sorted(self._short)),
            ),
        )
