"""Session → transcript: the SMTP dialogue with its decisions, the debug chatter folded away."""

from __future__ import annotations

from collections.abc import Iterable

from pfremote.maillog.parse.record import Record
from pfremote.maillog.sessions.build import Session
from pfremote.maillog.sessions.follow import messages_of
from pfremote.maillog.transcripts.render import render_text, to_json
from pfremote.maillog.transcripts.transcript_builder import TranscriptBuilder
from pfremote.maillog.transcripts.turns import Check, Delivery, Sasl, Tls, Transcript, Turn

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
    (transcript,) = build_transcripts((session,), followed)
    return transcript


def build_transcripts(sessions: Iterable[Session], followed: Iterable[Record]) -> tuple[Transcript, ...]:
    """Rebuild many; ``followed`` is looked at once."""
    followed = tuple(followed)
    messages = messages_of(followed)
    by_queue_id: dict[str, list[Record]] = {}
    for record in followed:
        by_queue_id.setdefault(messages.get(record.number, ""), []).append(record)
    return tuple(
        _build(session, [record for qid in session.queue_ids for record in by_queue_id.get(qid, ())])
        for session in sessions
    )


def _build(session: Session, followed: list[Record]) -> Transcript:
    builder = TranscriptBuilder(inbound=session.kind == "smtpd")
    own = {record.number for record in session.records}
    # What cleanup says stands before the reply that it explains: the order is that of the log.
    for record in sorted((*session.records, *followed), key=lambda record: record.number):
        if record.number in own:
            builder.feed(record)
        else:
            builder.feed_followed(record)
    return make_transcript(session, builder)


def make_transcript(session: Session, builder: TranscriptBuilder) -> Transcript:
    """Return the transcript of what ``builder`` was fed; it can go on being fed."""
    return Transcript(
        session=session,
        turns=tuple(builder.turns),
        tls=tuple(builder.tls),
        sasl=builder.finish_sasl(),
        checks=tuple(builder.checks),
        rejects=tuple(turn.text for turn in builder.turns if turn.topic == "reject"),
        deliveries=tuple(builder.deliveries),
        folded=builder.folded,
    )
