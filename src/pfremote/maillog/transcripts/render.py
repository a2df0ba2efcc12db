"""Transcript → text and JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pfremote.maillog.transcripts.delays import describe_delays, describe_tls
from pfremote.maillog.transcripts.turns import Check, Delivery, Sasl, Tls, Transcript, Turn
from pfremote.text.times import format_time, show_clock, show_moment, show_span

#: From so many seconds on it is said where the time of a delivery went.
_LONG = 1.0
_ROLES = {"smtpd": "client", "smtp": "server", "lmtp": "server"}


def render_text(transcript: Transcript) -> str:
    """Write the transcript for people: a head with the facts, then one line per turn, times in UTC.

    A pause of a second or more stands before the line that ended it, so it belongs to the one who speaks there.
    """
    lines = [*_head(transcript), "", *(_turn(turn) for turn in transcript.turns), ""]
    if transcript.folded:
        lines.append(f"({transcript.folded} debug lines not shown; they are in evidence.log)")
    # Bytes that are not UTF-8 were kept as surrogates; text files get the replacement character instead.
    return "\n".join(lines).encode("utf-8", "replace").decode() + "\n"


def _head(transcript: Transcript) -> list[str]:
    session = transcript.session
    head = [
        f"session {session.id}: {session.kind}, {_ROLES[session.kind]} {session.peer}, {session.tag}[{session.pid}]"
    ]
    if session.started is not None:
        took = f", took {show_span(session.started, session.ended)}" if session.ended else ""
        head.append(f"time: {show_moment(session.started)}{took}")
    if session.cut:
        ends = {"start": "its beginning is", "end": "its end is", "both": "its beginning and end are"}
        head.append(f"incomplete: {ends[session.cut]} not in the log of the window")
    if not session.verbose:
        head.append("debugging: not on for this session")
    if session.died:
        head.append("process: ended by a fatal error or a signal")
    head += [f"TLS: {tls.protocol} {tls.cipher} ({tls.trust})" for tls in transcript.tls]
    for sasl in transcript.sasl:
        reason = f": {sasl.reason}" if sasl.reason else ""
        head.append(f"SASL: {sasl.mechanism} {sasl.user or '(user not logged)'} {sasl.outcome}{reason}")
    if session.queue_ids:
        head.append(f"queue id: {', '.join(session.queue_ids)}")
    said = {turn.line: turn.text for turn in transcript.turns if turn.topic == "delivery"}
    for d in transcript.deliveries:
        dsn = f" dsn={d.dsn}" if d.dsn else ""
        head.append(f"delivery: {d.recipient} {d.status}{dsn} relay={d.relay} ({d.reason})")
        text = said.get(d.line, "")
        head += [f"  {words}" for words in (describe_delays(text, at_least=_LONG), describe_tls(text)) if words]
    return head


def _turn(turn: Turn) -> str:
    clock = show_clock(turn.time)
    gap = f"+{turn.gap:.0f}s" if turn.gap >= 1 else ""
    who = "*" if turn.who == "*" else f"{turn.who}:"
    times = f" (repeated {turn.count} times)" if turn.count > 1 else ""
    return f"{clock} {gap:>6} {who:<2} {turn.text}{times}"


def _stamp(time: datetime | None) -> str | None:
    return None if time is None else format_time(time, "auto")


def _fields(value: Turn | Tls | Sasl | Check | Delivery) -> dict[str, Any]:
    # Not asdict(): that copies each value deeply, which takes longer than building the transcript.
    return {name: getattr(value, name) for name in value.__slots__}


def to_json(transcript: Transcript) -> dict[str, Any]:
    """Return the transcript as plain JSON values; times are RFC 3339 in UTC, gaps in seconds."""
    session = transcript.session
    turns = [{**_fields(turn), "time": _stamp(turn.time)} for turn in transcript.turns]
    return {
        "id": session.id,
        "kind": session.kind,
        "process": f"{session.tag}[{session.pid}]",
        "peer": {"name": session.peer_name, "address": session.peer_address, "port": session.peer_port},
        "started": _stamp(session.started),
        "ended": _stamp(session.ended),
        "cut": session.cut,
        "whole": session.whole,
        "verbose": session.verbose,
        "died": session.died,
        "queue_ids": list(session.queue_ids),
        "tls": [_fields(tls) for tls in transcript.tls],
        "sasl": [_fields(sasl) for sasl in transcript.sasl],
        "checks": [{**_fields(check), "tried": list(check.tried)} for check in transcript.checks],
        "rejects": list(transcript.rejects),
        "deliveries": [_fields(delivery) for delivery in transcript.deliveries],
        "folded": transcript.folded,
        "turns": turns,
    }
