"""From the replies to ``tail`` to the screen: one reader per host, one merged stream of lines."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pfremote.agent.protocol import Reply
from pfremote.follow.controls import Controls
from pfremote.follow.lines import Shown, begin_line, end_line, raw_line, turn_lines
from pfremote.follow.merge import Merge
from pfremote.maillog.live import Live, LiveEnd, Reader
from pfremote.maillog.transcripts.summary import summarise
from pfremote.maillog.transcripts.transcript import render_text
from pfremote.model.clock import Clock
from pfremote.model.event import EventSink
from pfremote.model.facts import Facts, Lease
from pfremote.output.console import Console, Piece

#: Lines that are kept while the operator pauses; older ones are dropped, they are in the transcripts.
MOST_KEPT = 20_000
#: A reply's time is a whole second, and what was logged in it may still be on its way.
_LATE = 1.0
COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


@dataclass(frozen=True, slots=True)
class _Step:
    """What one log line shows: as a transcript, and raw."""

    turns: tuple[Shown, ...]
    raw: Shown


@dataclass(slots=True)
class _Host:
    reader: Reader
    clock: Clock
    lease: str
    colour: str
    begun: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)


class Follower:
    """Shows sessions as they happen; see :class:`pfremote.window.state.Follow`. Threads may call.

    ``make_reader`` returns a fresh reader for a host, ``emit`` tells programs of each session that is over. The key q
    calls ``controls.end``.
    """

    def __init__(
        self,
        console: Console,
        emit: EventSink,
        make_reader: Callable[[Reply, Facts, Lease], Reader],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._emit = emit
        self._make_reader = make_reader
        self._now = now
        self.controls = Controls(lambda: None)
        self._lock = threading.RLock()
        self._hosts: dict[str, _Host] = {}
        self._merge: Merge[_Step] = Merge()
        self._kept: deque[_Step] = deque(maxlen=MOST_KEPT)

    def take(self, host: str, reply: Reply, facts: Facts, lease: Lease, clock: Clock) -> None:
        """Read what came, and show what may be shown."""
        with self._lock:
            state = self._hosts.get(host)
            if state is None:
                colour = COLOURS[len(self._hosts) % len(COLOURS)]
                reader = self._make_reader(reply, facts, lease)
                state = self._hosts[host] = _Host(reader, clock, lease.id, colour)
            self._place(host, state, state.reader.feed(reply.payloads.get("lines", b"")))
            self._merge.reach(host, reply.moment("time") - clock.correction - _LATE)
            self.flush()

    def lose(self, host: str) -> None:
        """Do not hold other hosts' lines back for this one."""
        with self._lock:
            self._merge.drop(host)
            self.flush()

    def end(self, host: str) -> None:
        """Show what a host's reader still holds."""
        with self._lock:
            state = self._hosts.get(host)
            if state is not None:
                self._place(host, state, state.reader.finish())
            self.lose(host)

    def press(self, key: str) -> None:
        """Take one key from the terminal."""
        with self._lock:
            self.controls.press(key)
            self.flush()

    def describe(self) -> str:
        """Return the end of the status line."""
        return self.controls.describe(len(self._kept))

    def flush(self) -> None:
        """Show what need not wait any more."""
        with self._lock:
            self._kept.extend(self._merge.take(self._now()))
            if self.controls.paused or not self._kept:
                return
            rows = [row for step in self._kept for row in self._rows(step)]
            self._kept.clear()
            if rows:
                self._console.show_rows(rows)

    def _place(self, host: str, state: _Host, items: Iterable[Live]) -> None:
        for item in items:
            if isinstance(item, LiveEnd):
                line = end_line(host, item, state.clock)
                self._add(host, _Step((line,), line))
                self._tell(host, state, item)
                continue
            if item.session.id not in state.begun:
                state.begun.add(item.session.id)
                line = begin_line(host, item, state.clock)
                self._add(host, _Step((line,), line))
            turns = turn_lines(host, item, state.clock)
            self._add(host, _Step(tuple(turns), raw_line(host, item, state.clock)))

    def _add(self, host: str, step: _Step) -> None:
        moment = step.raw.time
        self._merge.add(host, moment.timestamp() if moment else None, step, self._now())

    def _tell(self, host: str, state: _Host, item: LiveEnd) -> None:
        session = item.transcript.session
        outcome, summary = summarise(item.transcript)
        self._emit(
            "session",
            host,
            state.lease,
            kind=session.kind,
            peer=session.peer,
            outcome=outcome,
            queue_ids=list(session.queue_ids),
            summary=summary,
            transcript=render_text(item.transcript).splitlines(),
        )

    def _rows(self, step: _Step) -> Iterable[tuple[Piece, ...]]:
        for shown in (step.raw,) if self.controls.raw else step.turns:
            state = self._hosts[shown.host]
            if shown.kind == "begin":
                state.open.add(shown.session)
            several = len(state.open) > 1
            if shown.kind == "end":
                state.open.discard(shown.session)
            row = self._row(shown, state.colour, f"{shown.host} #{shown.session}" if several else shown.host)
            if self.controls.lets_through("".join(text for text, _ in row)):
                yield row

    def _row(self, shown: Shown, colour: str, name: str) -> tuple[Piece, ...]:
        width = max(len(host) for host in self._hosts)
        who = f"{shown.who}: " if shown.who != "*" else "*  " if shown.kind != "raw" else ""
        style = {"begin": "bold", "end": "bold", "raw": "dim"}.get(shown.kind, "")
        if shown.kind == "turn":
            style = {"C": "", "S": colour, "*": "dim"}[shown.who]
        return (
            (f"{name:<{width}}", f"bold {colour}"),
            (f"  {shown.clock}  ", "dim"),
            (f"{who}{shown.text}", style),
        )
