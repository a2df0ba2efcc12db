"""From the bytes of a collected log to everything that may be shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pfremote.maillog.completeness import is_cut
from pfremote.maillog.findings import Finding, find
from pfremote.maillog.parse import parse_evidence
from pfremote.maillog.proof import Withheld, redact_and_prove
from pfremote.maillog.record import Record
from pfremote.maillog.redact import Exposure
from pfremote.maillog.select import Match, select
from pfremote.maillog.sessions import Session, build_sessions
from pfremote.maillog.transcript import Transcript, build_transcripts


@dataclass(frozen=True, slots=True)
class Counts:
    """What came in and what is not shown: lines and bytes of the evidence, lines without a readable time,

    other peers' sessions and lines, sessions whose peer could not be decided (they are kept), credentials
    that were exposed in lines that are left out, and kept lines that Postfix had cut.
    """

    lines: int
    bytes: int
    undated: int
    other_sessions: int
    other_lines: int
    undecided: int
    other_exposures: int
    cut_lines: int = 0


@dataclass(frozen=True, slots=True)
class Capture:
    """The redacted evidence of one host for the asked-for peers. ``records`` are its lines, in log order."""

    records: tuple[Record, ...]
    sessions: tuple[Session, ...]
    followed: tuple[Record, ...]
    unplaced: tuple[Record, ...]
    transcripts: tuple[Transcript, ...]
    findings: tuple[Finding, ...]
    exposures: tuple[Exposure, ...]
    withheld: tuple[Withheld, ...]
    counts: Counts

    def evidence_lines(self) -> Iterator[bytes]:
        """Yield the lines of ``evidence.log``: those that are kept, as they were logged, without the secrets."""
        for record in self.records:
            yield f"{record.head}{record.text}\n".encode("utf-8", "surrogateescape")

    def evidence_bytes(self) -> bytes:
        """Return all of ``evidence.log``."""
        return b"".join(self.evidence_lines())

    def evidence_text(self) -> str:
        """Return the same for display; bytes that are not UTF-8 become U+FFFD."""
        return self.evidence_bytes().decode("utf-8", "replace")


class _Meter:
    """Counts the bytes and the records that flow through the pipeline."""

    def __init__(self, evidence: bytes | Iterable[bytes]) -> None:
        self.bytes = self.lines = self.undated = 0
        self.cut: list[int] = []
        self._blocks = (evidence,) if isinstance(evidence, bytes) else evidence

    def blocks(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.bytes += len(block)
            yield block

    def count(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self.lines += 1
            self.undated += record.time is None
            if is_cut(record):
                self.cut.append(record.number)
            yield record


def read_capture(evidence: bytes | Iterable[bytes], *, now: datetime, utc_offset: timedelta, match: Match) -> Capture:
    """Parse, redact and prove, then sort into sessions and keep those that ``match`` does not deny.

    ``now`` (aware) and ``utc_offset`` are those of the host; they date stamps without year and zone.
    Redaction comes first: nothing downstream ever sees a secret.
    """
    meter = _Meter(evidence)
    parsed = parse_evidence(meter.blocks(), now=now, utc_offset=utc_offset)
    clean = redact_and_prove(meter.count(parsed))
    chosen = select(build_sessions(clean.records), match)
    transcripts = build_transcripts(chosen.sessions, chosen.followed)
    records = chosen.records()
    kept = {record.number for record in records}
    exposures = tuple(exposure for exposure in clean.exposures if exposure.line in kept)
    counts = Counts(
        lines=meter.lines,
        bytes=meter.bytes,
        undated=meter.undated,
        other_sessions=chosen.other_sessions,
        other_lines=chosen.other_lines,
        undecided=chosen.undecided,
        other_exposures=len(clean.exposures) - len(exposures),
        cut_lines=len(kept.intersection(meter.cut)),
    )
    return Capture(
        records=records,
        sessions=chosen.sessions,
        followed=chosen.followed,
        unplaced=chosen.unplaced,
        transcripts=transcripts,
        findings=find(transcripts, chosen.followed, chosen.unplaced),
        exposures=exposures,
        withheld=tuple(withheld for withheld in clean.withheld if withheld.number in kept),
        counts=counts,
    )
