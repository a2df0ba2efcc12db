"""From the bytes of a collected log to everything that may be shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from pfremote.maillog.budget import shorten
from pfremote.maillog.completeness import is_cut
from pfremote.maillog.contain import Unreadable
from pfremote.maillog.findings import Finding
from pfremote.maillog.findings.aftermath import tell_aftermath
from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.prove import Withheld
from pfremote.maillog.proof.table import PIECE, redact_table
from pfremote.maillog.record_table import RecordTable
from pfremote.maillog.redact import Exposure
from pfremote.maillog.sessions.build import Session
from pfremote.maillog.sessions.select import Match, keep_all, keep_unplaced, select, show_redacted
from pfremote.maillog.tally import Places
from pfremote.maillog.transcripts.transcript import Transcript
from pfremote.maillog.unreadable import read_findings, read_sessions, read_transcripts, tolerant


@dataclass(frozen=True, slots=True)
class Counts:
    """What came in, and what of it is not shown.

    ``lines`` and ``bytes`` are those of the evidence, ``undated`` the lines without a readable time. ``other_sessions``
    and ``other_lines`` are of other peers; ``undecided`` are sessions of which that could not be told, which are kept.
    ``other_exposures`` are credentials in lines that are left out, which are listed all the same, and ``cut_lines`` the
    kept lines that Postfix had cut.
    """

    lines: int
    bytes: int
    undated: int
    other_sessions: int
    other_lines: int
    undecided: int
    other_exposures: int
    cut_lines: int = 0
    #: Debugged sessions among those of other peers.
    other_verbose: int = 0
    #: Sessions without a finding that are left out, of a log of which only the others are wanted.
    quiet: int = 0
    #: Where those sessions begin whose dialogue lacks commands (their lines), of a log whose sessions are not all kept.
    short: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """The redacted evidence of one host for the asked-for peers. ``records`` are its lines, in log order."""

    records: Sequence[Record]
    sessions: Sequence[Session]
    followed: Sequence[Record]
    unplaced: Sequence[Record]
    transcripts: Sequence[Transcript]
    findings: tuple[Finding, ...]
    exposures: tuple[Exposure, ...]
    withheld: tuple[Withheld, ...]
    counts: Counts
    unreadable: tuple[Unreadable, ...] = ()

    def evidence_lines(self) -> Iterator[bytes]:
        """Yield the lines of ``evidence.log``: those that are kept, as they were logged, without the secrets."""
        for record in self.records:
            yield f"{record.head}{record.text}\n".encode("utf-8", "surrogateescape")

    def evidence_bytes(self) -> bytes:
        """Return all of ``evidence.log``."""
        return b"".join(self.evidence_lines())

    def show_line(self, place: int) -> str:
        """Return one line of ``evidence.log`` for display, by its place from 0."""
        record = self.records[place]
        line = f"{record.head}{record.text}"
        return line if line.isascii() else line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    def evidence_text(self) -> str:
        """Return the same for display; bytes that are not UTF-8 become U+FFFD."""
        return self.evidence_bytes().decode("utf-8", "replace")


class Meter:
    """Counts the bytes and the records that flow through the pipeline."""

    def __init__(self, evidence: bytes | Iterable[bytes]) -> None:
        self.bytes = self.lines = self.undated = 0
        self.cut: list[int] = []
        self._blocks = (evidence,) if isinstance(evidence, bytes) else evidence

    def blocks(self) -> Iterator[bytes]:
        """Yield the evidence."""
        for block in self._blocks:
            self.bytes += len(block)
            yield block

    def count(self, records: Sequence[Record]) -> None:
        """Count some records."""
        self.lines += len(records)
        self.undated += sum(record.time is None for record in records)
        self.cut += [record.number for record in records if is_cut(record)]


def _count_and_shorten(records: Iterator[Record], meter: Meter) -> Iterator[Record]:
    while piece := list(islice(records, PIECE)):
        meter.count(piece)
        yield from map(shorten, piece)


def read_capture(
    evidence: bytes | Iterable[bytes],
    *,
    now: datetime,
    utc_offset: timedelta,
    match: Match | None,
    known: Iterable[str] = (),
    numbers: Sequence[int] | None = None,
) -> Capture:
    """Parse, redact and prove, then sort into sessions and keep those that ``match`` does not deny.

    ``match`` None keeps everything, sessions without debugging too: the log is not that of a window.

    ``now`` (aware) and ``utc_offset`` are those of the host; they date stamps without year and zone.
    Whose line is whose is told from the lines as they were logged. What is shown of them is what the redactor left
    and the proof let through: dialogues, findings and files are made of nothing else.
    ``known`` are secrets that are known beforehand; ``numbers`` are those of the lines where they are not all that
    the log has.
    """
    meter = Meter(evidence)
    parsed = parse_evidence(meter.blocks(), now=now, utc_offset=utc_offset, held=False)
    if numbers is not None:
        parsed = (record._replace(number=number) for record, number in zip(parsed, numbers, strict=True))
    logged = RecordTable.read(_count_and_shorten(parsed, meter))
    clean = redact_table(logged, known)
    found, lost, troubles = read_sessions(logged)
    del logged
    chosen = keep_unplaced(keep_all(found) if match is None else select(found, tolerant(match)), lost)
    del found, lost  # the lines as they were logged
    chosen = show_redacted(chosen, clean.records)
    transcripts, of_sessions = read_transcripts(chosen.sessions, chosen.followed)
    findings, of_findings = read_findings(transcripts, chosen.followed, chosen.unplaced)
    kept = Places(chosen.numbers())
    counts = Counts(
        lines=meter.lines,
        bytes=meter.bytes,
        undated=meter.undated,
        other_sessions=chosen.other_sessions,
        other_lines=chosen.other_lines,
        undecided=chosen.undecided,
        other_exposures=sum(exposure.line not in kept for exposure in clean.exposures),
        cut_lines=sum(number in kept for number in meter.cut),
        other_verbose=chosen.other_verbose,
    )
    return Capture(
        records=clean.records if len(kept) == len(clean.records) else clean.records.find(kept),
        sessions=chosen.sessions,
        followed=chosen.followed,
        unplaced=chosen.unplaced,
        transcripts=transcripts,
        findings=tell_aftermath(findings, clean.records),
        exposures=clean.exposures,
        withheld=tuple(withheld for withheld in clean.withheld if withheld.number in kept),
        counts=counts,
        unreadable=(*clean.unreadable, *troubles, *of_sessions, *of_findings),
    )
