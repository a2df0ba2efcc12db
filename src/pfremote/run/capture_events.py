"""What a log says as events: its sessions and findings, the same for a run's evidence and for ``explain``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pfremote.maillog.capture import Capture
from pfremote.maillog.causes import with_users
from pfremote.maillog.parties import list_recipients, list_senders
from pfremote.maillog.transcripts.summary import summarise
from pfremote.maillog.transcripts.turns import Transcript
from pfremote.model.cause import Cause
from pfremote.model.event import Kind
from pfremote.store.encode import encode_time, storable, to_json
from pfremote.text.times import format_time

Event = tuple[Kind, dict[str, Any]]


def list_capture_events(capture: Capture, causes: Iterable[Cause]) -> Iterator[Event]:
    """Yield an event for each session, then one for each of its causes (docs/reference/exit-codes-and-events.md)."""
    for transcript, users in with_users(capture):
        yield "session", encode_session(transcript, users)
    for cause in causes:
        yield "finding", cause.as_json()


def encode_session(transcript: Transcript, users: Sequence[str]) -> dict[str, Any]:
    """Return a session as its event carries it; ``user`` is None where no line tells it."""
    session = transcript.session
    outcome, summary = summarise(transcript)
    content = {
        "id": session.id,
        "number": session.id,
        "kind": session.kind,
        "peer": session.peer,
        "started": session.started,
        "ended": session.ended,
        "outcome": outcome,
        "summary": summary,
        "user": users[-1] if users else None,
        "sender": next(reversed(list_senders(transcript)), None),
        "recipients": list_recipients(transcript),
        "queue_ids": session.queue_ids,
        "cut": session.cut,
        "verbose": session.verbose,
    }
    turns = [
        {"time": encode_time(turn.time), "who": turn.who, "text": storable(turn.text)} for turn in transcript.turns
    ]
    return {**{name: to_json(value) for name, value in content.items()}, "transcript": turns}


def list_exposures(capture: Capture) -> list[dict[str, object]]:
    """Return the credentials that stand in the host's own log, as the event carries them: never a secret."""
    return [
        {
            "account": item.account,
            "kind": item.kind,
            "mechanism": item.mechanism,
            "logged": format_time(item.time) if item.time else None,
            "refused": item.refused,
        }
        for item in capture.exposures
    ]
