"""A redacted capture → the same with tokens for users, hosts and addresses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from pfremote.maillog.capture import Capture
from pfremote.maillog.findings import find
from pfremote.maillog.findings.aftermath import tell_aftermath
from pfremote.maillog.live import Live, LiveEnd, LiveLine
from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.prove import Withheld, withhold
from pfremote.maillog.redact import Exposure
from pfremote.maillog.sessions.build import Session
from pfremote.maillog.transcripts.transcript import build_transcripts
from pfremote.pseudonyms.names import Pseudonyms

REASON = "a name that could not be replaced"


def disguise_capture(capture: Capture, names: Pseudonyms) -> Capture:
    """Return ``capture`` with every line, session, finding and exposure under tokens.

    A line in which a name would remain is withheld, as the proof pass does it. Nothing of the first capture
    may be shown once this one is.
    """
    for record in capture.records:
        names.host(record.host)
    names.meet(record.text for record in capture.records)
    lines: dict[int, Record] = {}
    withheld = list(capture.withheld)
    replaced = cache(lambda text: replace_names(names.shape(text), names))
    for record in capture.records:
        text = replaced(record.text)
        if text is None:
            withheld.append(Withheld(record.number, REASON))
        lines[record.number] = disguise_head(_with_text(record, text), names)
    sessions = tuple(disguise_session(session, names, lines) for session in capture.sessions)
    followed = tuple(lines[record.number] for record in capture.followed)
    unplaced = tuple(lines[record.number] for record in capture.unplaced)
    transcripts = build_transcripts(sessions, followed)
    return replace(
        capture,
        records=tuple(lines[record.number] for record in capture.records),
        sessions=sessions,
        followed=followed,
        unplaced=unplaced,
        transcripts=transcripts,
        findings=tell_aftermath(find(transcripts, followed, unplaced), lines.values()),
        exposures=tuple(_disguise_exposure(exposure, names) for exposure in capture.exposures),
        withheld=tuple(sorted(withheld, key=lambda item: item.number)),
    )


def disguise_session(session: Session, names: Pseudonyms, lines: dict[int, Record] | None = None) -> Session:
    """Return the session under tokens; ``lines`` are its records where they are disguised already."""
    if lines is None:
        lines = {record.number: disguise_record(record, names) for record in session.records}
    address = session.peer_address
    return replace(
        session,
        peer_name=names.any_host(session.peer_name),
        # LMTP over a UNIX-domain socket has a path here.
        peer_address=names.disguise(address) if address.startswith("/") else names.address(address),
        nexthop=names.disguise(session.nexthop),
        records=tuple(lines[record.number] for record in session.records),
    )


def disguise_record(record: Record, names: Pseudonyms) -> Record:
    """Return one line under tokens."""
    host = names.host(record.host)
    shown = _with_text(record, replace_names(names.shape(record.text), names))
    return shown if host == record.host else disguise_head(shown, names)


def replace_names(shaped: str, names: Pseudonyms) -> str | None:
    """Return what :meth:`Pseudonyms.shape` left of a text with all its names replaced, None where one would remain."""
    text = names.finish(shaped)
    return None if names.leaks(text) else text


def _with_text(record: Record, text: str | None) -> Record:
    return record.with_text(withhold(REASON) if text is None else text)


def disguise_live(items: Iterable[Live], names: Pseudonyms) -> Iterator[Live]:
    """Yield what a reader of a live log says, under tokens."""
    for item in items:
        if isinstance(item, LiveEnd):
            session = disguise_session(item.transcript.session, names)
            yield LiveEnd(build_transcripts((session,), ())[0])
            continue
        turns = tuple(replace(turn, text=names.disguise(turn.text)) for turn in item.turns)
        session = disguise_session(replace(item.session, records=()), names)
        yield LiveLine(session, disguise_record(item.record, names), turns)


def disguise_head(record: Record, names: Pseudonyms) -> Record:
    """Return one line with tokens in its head; its text stays."""
    if not record.host:
        return record
    host = names.host(record.host)
    stamp, found, rest = record.head.partition(f" {record.host} ")
    # The tag holds the instance's syslog_name, which may be a domain.
    head = f"{stamp} {host} {names.disguise(rest)}" if found else names.disguise(record.head)
    return record._replace(host=host, tag=names.disguise(record.tag), head=head)


def _disguise_exposure(exposure: Exposure, names: Pseudonyms) -> Exposure:
    account = exposure.account
    shown = names.disguise(account) if "@" in account else names.user(account)
    return replace(exposure, account=shown, host=names.host(exposure.host))
