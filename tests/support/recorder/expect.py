"""What the recorded logs must read as; ``python -m tests.support.recorder.expect`` writes it anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pfremote.maillog.findings import find
from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.sessions.build import build_sessions
from pfremote.maillog.transcripts.transcript import build_transcripts, render_text

FIXTURES = Path(__file__).parents[2] / "fixtures"
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def recorded() -> list[Path]:
    """The recordings: one failure each, named ``CAUSE-postfix-VERSION.log``."""
    return sorted(FIXTURES.glob("*-postfix-*.log"))


def describe(path: Path) -> str:
    """All transcripts of a recording, then its findings, as text."""
    found = build_sessions(parse_evidence(path.read_bytes(), now=NOW, utc_offset=timedelta(0)))
    transcripts = build_transcripts(found.sessions, found.followed)
    parts = [render_text(transcript) for transcript in transcripts]
    for finding in find(transcripts, found.followed, found.unplaced):
        where = f"session {finding.session}" if finding.session else "host"
        parts.append(
            f"{finding.code} ({finding.certainty}, {where}, line {finding.proof.number}, {finding.count}x): "
            f"{finding.title}\n  {finding.meaning}\n  next: {finding.next_step}\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    for recording in recorded():
        recording.with_suffix(".expected.txt").write_text(describe(recording))
