"""What is shown of a followed session: lines for people, and one event for programs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pfremote.maillog.live import LiveEnd, LiveLine
from pfremote.maillog.transcripts.summary import summarise
from pfremote.maillog.transcripts.turns import Who
from pfremote.model.clock import Clock
from pfremote.text.times import show_clock

Kind = Literal["turn", "raw", "begin", "end"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One line on the screen. ``who`` is client, server, or ``*``; ``session`` its number on the host.

    ``time`` is corrected by the host's clock, so that lines of several hosts can stand below each other.
    """

    host: str
    time: datetime | None
    session: int
    kind: Kind
    who: Who
    text: str

    @property
    def clock(self) -> str:
        """The time of day in UTC, with milliseconds where the log has them."""
        return show_clock(self.time)


def correct(time: datetime | None, clock: Clock) -> datetime | None:
    """Return a host's time by the operator's clock."""
    return None if time is None else time - timedelta(seconds=clock.correction)


def begin_line(host: str, line: LiveLine, clock: Clock) -> Shown:
    """Return the line that announces a session."""
    session = line.session
    side = "client" if session.kind == "smtpd" else "server"
    text = f"session {session.id} begins: {session.kind}, {side} {session.peer}, {session.tag}[{session.pid}]"
    return Shown(host, correct(session.started, clock), session.id, "begin", "*", text)


def turn_lines(host: str, line: LiveLine, clock: Clock) -> list[Shown]:
    """Return the lines of the transcript that a log line gives."""
    shown = []
    for turn in line.turns:
        pause = f"  (after {turn.gap:.0f} s)" if turn.gap >= 1 else ""
        times = f"  (repeated {turn.count} times)" if turn.count > 1 else ""
        text = f"{turn.text}{times}{pause}"
        shown.append(Shown(host, correct(turn.time, clock), line.session.id, "turn", turn.who, text))
    return shown


def raw_line(host: str, line: LiveLine, clock: Clock) -> Shown:
    """Return the log line itself, redacted, without its own time stamp."""
    record = line.record
    process = f"{record.tag}[{record.pid}]" if record.tag else ""
    text = f"{process}: {record.text}" if process else record.text
    return Shown(host, correct(record.time, clock), line.session.id, "raw", "*", text)


def end_line(host: str, end: LiveEnd, clock: Clock) -> Shown:
    """Return the line that sums a session up."""
    session = end.transcript.session
    outcome, summary = summarise(end.transcript)
    text = f"session {session.id} over: {outcome}; {summary}"
    return Shown(host, correct(session.ended, clock), session.id, "end", "*", text)
