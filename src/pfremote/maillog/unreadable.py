"""Reads a log so that one line, session or finding that cannot be read costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pfremote.maillog.contain import Unreadable, attempt
from pfremote.maillog.findings import Finding, find
from pfremote.maillog.parse.record import Record
from pfremote.maillog.sessions.build import Session, Sessions, build_sessions
from pfremote.maillog.sessions.select import Match
from pfremote.maillog.transcripts.transcript import Transcript, build_transcripts


def read_sessions(records: Sequence[Record]) -> tuple[Sessions, tuple[Record, ...], list[Unreadable]]:
    """Sort the records into sessions; the lines of a process that cannot be sorted are returned beside them."""
    whole = attempt(lambda: build_sessions(records), lambda _kind: None)
    if whole is not None:
        return whole, (), []
    by_process: dict[tuple[str, str, int | None], list[Record]] = {}
    for record in records:
        by_process.setdefault((record.host, record.tag, record.pid), []).append(record)
    bad = {key: why for key, own in by_process.items() if (why := attempt(partial(_try_alone, own), str))}
    rest = [record for record in records if (record.host, record.tag, record.pid) not in bad]
    lost = tuple(record for key in bad for record in by_process[key])
    found = attempt(lambda: build_sessions(rest), lambda _kind: Sessions((), (), tuple(rest)))
    troubles = [Unreadable("process", by_process[key][0].number, why) for key, why in bad.items()]
    if not bad:
        troubles = [Unreadable("process", rest[0].number, "of several processes")]
    return found, lost, troubles


def _try_alone(records: list[Record]) -> str:
    build_sessions(records)
    return ""


def tolerant(match: Match) -> Match:
    """Return ``match`` so that a session it cannot judge is kept."""

    def judge(session: Session) -> bool | None:
        return attempt(lambda: match(session), lambda _kind: None)

    return judge


def read_transcripts(
    sessions: Sequence[Session], followed: Sequence[Record]
) -> tuple[tuple[Transcript, ...], list[Unreadable]]:
    """Rebuild the dialogues; one that cannot be rebuilt has no turns, and all its lines."""
    whole = attempt(lambda: build_transcripts(sessions, followed), lambda _kind: None)
    if whole is not None:
        return whole, []
    troubles: list[Unreadable] = []

    def rebuild(session: Session) -> Transcript:
        (transcript,) = build_transcripts((session,), followed)
        return transcript

    def give_up(session: Session, why: str) -> Transcript:
        troubles.append(Unreadable("session", session.records[0].number, why))
        return Transcript(session, (), (), (), (), (), (), len(session.records))

    return tuple(attempt(partial(rebuild, one), partial(give_up, one)) for one in sessions), troubles


def read_findings(
    transcripts: Sequence[Transcript], followed: Sequence[Record], unplaced: Sequence[Record]
) -> tuple[tuple[Finding, ...], list[Unreadable]]:
    """Look for causes; where that fails for a session, those of the others are found."""
    whole = attempt(lambda: find(transcripts, followed, unplaced), lambda _kind: None)
    if whole is not None:
        return whole, []
    troubles: list[Unreadable] = []

    def look(part: Callable[[], tuple[Finding, ...]], line: int) -> tuple[Finding, ...]:
        def give_up(why: str) -> tuple[Finding, ...]:
            troubles.append(Unreadable("findings", line, why))
            return ()

        return attempt(part, give_up)

    found: list[Finding] = []
    for one in transcripts:
        found += look(partial(find, (one,), followed, ()), one.session.records[0].number)
    for record in unplaced:
        found += look(partial(find, (), (), (record,)), record.number)
    return tuple(sorted(found, key=lambda finding: finding.proof.number)), troubles
