"""What is kept of a log that is read twice: the sessions that are wanted, packed; of the others only the number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import IO

from pfremote.maillog.capture import Capture, Counts, Meter
from pfremote.maillog.completeness import find_short
from pfremote.maillog.findings import Finding, find, find_alone
from pfremote.maillog.kept import KeptRecords
from pfremote.maillog.narrow import Wanted, is_kept, may_be_kept, name_accounts, users_of
from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.gather import Group
from pfremote.maillog.pieces.lines import ShownLines
from pfremote.maillog.pieces.pack import Packed
from pfremote.maillog.pieces.well import went_well
from pfremote.maillog.proof.prove import Withheld
from pfremote.maillog.record_table import list_numbers
from pfremote.maillog.redact import Exposure
from pfremote.maillog.sessions.build import Session, close_session
from pfremote.maillog.tally import Places
from pfremote.maillog.transcripts.transcript import build_transcripts
from pfremote.maillog.transcripts.turns import Transcript

#: So many sentences are remembered.
_MOST_WORDS = 10_000


class Keeper:
    """Takes the sessions of a log as they are over, and makes a capture of what is wanted of them.

    ``ids`` are the queue ids of the messages that are wanted, ``lines`` the log's lines where they are kept; with
    ``troubled`` sessions without a finding are only counted.
    """

    def __init__(
        self,
        wanted: Wanted,
        ids: set[str],
        exposures: tuple[Exposure, ...],
        spool: IO[bytes],
        *,
        lines: ShownLines | None,
        troubled: bool,
    ) -> None:
        self._wanted, self._ids, self._exposures, self._shown = wanted, ids, exposures, lines
        self._troubled = troubled
        self._accounts = name_accounts(exposures)
        self._begins = Places()
        self._sessions = 0
        self._packed = Packed(spool, lines)
        self._findings: list[Finding] = []
        self._words: dict[str, str] = {}
        #: Sessions to which a line of the host may have something to add, and what follows their messages.
        self._undecided: list[Transcript] = []
        self._beside: list[Record] = []
        self._short: list[int] = []
        #: The lines of sessions, and those that follow their messages: of all, or of those that were asked for.
        self._own, self._following = Places(), Places()

    def keep(self, group: Group) -> None:
        """Keep the sessions that are wanted."""
        everything = self._wanted.everything
        for one in group.sessions:
            self._begins.add(one.records[0].number)
        if everything and self._shown is not None:
            self._note_lines(group)
        well = everything and went_well(group)
        if well and self._troubled:
            self._sessions += len(group.sessions)
            return
        sessions = tuple(close_session(one.records[0].number, one) for one in group.sessions)
        if everything:
            self._short += find_short(sessions)
        self._sessions += len(sessions)
        # What is of another peer or time is not looked at closer: only its screened lines may tell of the host.
        if not any(may_be_kept(session, self._wanted) for session in sessions):
            sessions = ()
        transcripts = build_transcripts(sessions, group.followed) if sessions else ()
        found = () if well or not sessions else find_alone(transcripts, group.followed)
        if found is None:
            self._undecided += transcripts
            self._beside += group.followed
        else:
            self._pack(transcripts, group.followed, found)
            self._beside += (record for record in group.followed if record.daemon == "postscreen")

    def follow(self, bounced: Iterable[int]) -> None:
        """Take the numbers of lines that follow a session's message though no group has them."""
        self._following.add_all(bounced)

    def _note_lines(self, group: Group) -> None:
        for one in group.sessions:
            self._own.add_all(list_numbers(one.records))
        self._following.add_all(list_numbers(group.followed))

    def _pack(self, transcripts: Iterable[Transcript], followed: Iterable[Record], found: Sequence[Finding]) -> None:
        with_finding = {item.session for item in found}
        ids = set(self._ids)
        for transcript in transcripts:
            users = users_of(transcript, self._accounts)
            if self._is_wanted(transcript, users, has_finding=transcript.session.id in with_finding):
                self._packed.add(transcript, users)
                ids.update(transcript.session.queue_ids)
                self._note(transcript.session)
        if not self._wanted.everything:
            self._following.add_all(record.number for record in followed if record.text.partition(":")[0] in ids)
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
        return is_kept(transcript, self._wanted, self._ids, users, has_finding)

    def _note(self, session: Session) -> None:
        """Note what is told of a session that was asked for and is not in its transcript."""
        if not self._wanted.everything:
            self._short += find_short((session,))
            self._own.add_all(list_numbers(session.records))

    def capture(self, meter: Meter, unplaced: Sequence[Record], withheld: Iterable[Withheld]) -> Capture:
        """Return what was kept, after the end; ``unplaced`` are lines of no session that may be findings.

        ``withheld`` are those of all lines.
        """
        self._beside.sort(key=lambda record: record.number)
        last = find(self._undecided, self._beside, unplaced)
        self._pack(self._undecided, self._beside, [item for item in last if item.session is not None])
        everything = self._wanted.everything
        lines = Places.up_to(meter.lines) if everything else self._own | self._following
        findings = self._number_findings(last, lines)
        records, followed, unplaced = self._show(lines, findings)
        return Capture(
            records=records,
            sessions=self._packed.sessions,
            followed=followed,
            unplaced=unplaced,
            transcripts=self._packed,
            findings=findings,
            exposures=tuple(item for item in self._exposures if not self._wanted.of_messages() or item.line in lines),
            withheld=tuple(item for item in withheld if item.number in lines),
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

    def _show(self, lines: Places, findings: Sequence[Finding]) -> tuple[Sequence[Record], ...]:
        """Return the lines that are kept, those that follow messages, and, where all is wanted, those of no session."""
        if self._shown is None:
            return KeptRecords(lines, (item.proof for item in findings if item.proof.number in lines)), (), ()
        followed = self._shown.pick(self._following)
        if not self._wanted.everything:
            return self._shown.pick(lines), followed, ()
        return self._shown, followed, self._shown.pick(lines.without(self._own, self._following))

    def _number_findings(self, last: Iterable[Finding], lines: Places) -> tuple[Finding, ...]:
        """Return all findings, now that the lines of the host are known; sessions get their number in the log."""
        number_of = self._number()
        of_host = [item for item in last if item.session is None]
        found = sorted((*of_host, *self._findings), key=lambda item: item.session or 0)
        return tuple(
            item if item.session is None else replace(item, session=number_of(item.session))
            for item in sorted(found, key=lambda item: item.proof.number)
            if self._wanted.everything or number_of(item.session) or item.proof.number in lines
        )

    def _number(self) -> Callable[[int | None], int | None]:
        """Give the sessions their numbers: in the log, or, where some were asked for, among these."""
        kept = Places(self._packed.numbers)
        among = self._begins if self._wanted.everything else kept
        self._packed.number(lambda begin: kept[begin] - 1, None if len(among) == len(kept) else among.__getitem__)
        return lambda begin: among[begin] if begin is not None and begin in kept else None
