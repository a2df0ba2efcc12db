"""Session → transcript: the SMTP dialogue with its decisions, the debug chatter folded away."""

from __future__ import annotations

from collections.abc import Iterable

from pfremote.maillog.fold import Folder
from pfremote.maillog.record import Record
from pfremote.maillog.render import render_text, to_json
from pfremote.maillog.sessions import Session, carries, message_of
from pfremote.maillog.turns import Check, Delivery, Sasl, Tls, Transcript, Turn

__all__ = [
    "Check",
    "Delivery",
    "Sasl",
    "Tls",
    "Transcript",
    "Turn",
    "build_transcript",
    "render_text",
    "to_json",
]


def build_transcript(session: Session, followed: Iterable[Record] = ()) -> Transcript:
    """Rebuild the dialogue of ``session``; ``followed`` adds what other daemons did with its messages."""
    wanted = frozenset(session.queue_ids)
    return _build(session, [record for record in followed if carries(record, wanted)] if wanted else [])


def build_transcripts(sessions: Iterable[Session], followed: Iterable[Record]) -> tuple[Transcript, ...]:
    """Rebuild many; the same as :func:`build_transcript` for each, but looks at ``followed`` once."""
    by_queue_id: dict[str, list[Record]] = {}
    for record in followed:
        by_queue_id.setdefault(message_of(record), []).append(record)
    return tuple(
        _build(session, [record for qid in session.queue_ids for record in by_queue_id.get(qid, ())])
        for session in sessions
    )


def _build(session: Session, followed: Iterable[Record]) -> Transcript:
    folder = Folder(inbound=session.kind == "smtpd")
    for record in session.records:
        folder.feed(record)
    for record in followed:
        folder.feed_followed(record)
    return make_transcript(session, folder)


def make_transcript(session: Session, folder: Folder) -> Transcript:
    """Return the transcript of what ``folder`` was fed; it can go on being fed."""
    return Transcript(
        session=session,
        turns=tuple(folder.turns),
        tls=tuple(folder.tls),
        sasl=folder.finish_sasl(),
        checks=tuple(folder.checks),
        rejects=tuple(turn.text for turn in folder.turns if turn.topic == "reject"),
        deliveries=tuple(folder.deliveries),
        folded=folder.folded,
    )
