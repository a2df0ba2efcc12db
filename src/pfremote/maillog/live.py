"""A log as it is written: sessions turn by turn, each line redacted and proven before it is shown.

The same stages as in :mod:`pfremote.maillog.capture`, one line at a time. A line waits while a later one may
still change what may be shown of it: as long as its process is in an authentication exchange, and until it
is known whose session it belongs to. Which session that is, is told from the line as it was logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Protocol

from pfremote.maillog.budget import shorten
from pfremote.maillog.contain import attempt
from pfremote.maillog.parse.lines import LineReader
from pfremote.maillog.parse.patterns import CHILD_DIED
from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.followed import HeldLine, prove_records
from pfremote.maillog.proof.prove import UNREAD, withhold
from pfremote.maillog.redact import Redactor
from pfremote.maillog.sessions.build import Session, Tracker, close_session
from pfremote.maillog.sessions.inbound import InboundTracker
from pfremote.maillog.sessions.open_session import OpenSession
from pfremote.maillog.sessions.outbound import OutboundTracker, awaits_answer
from pfremote.maillog.sessions.select import Match
from pfremote.maillog.transcripts.transcript import Transcript, make_transcript
from pfremote.maillog.transcripts.transcript_builder import TranscriptBuilder
from pfremote.maillog.transcripts.turns import Turn

#: A delivery's session has no last line: it is over once its status came and more feeds in a row brought none of it.
QUIET_FEEDS = 2
#: The same while a command waits for its answer: smtp waits two minutes for that to DATA.
ANSWER_FEEDS = 80

Key = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class LiveLine:
    """A line that may be shown: its session, the redacted record, and the turns it gives (often none).

    ``session`` is what was known of it when its first line was shown.
    """

    session: Session
    record: Record
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class LiveEnd:
    """A session that is over."""

    transcript: Transcript


Live = LiveLine | LiveEnd


@dataclass(slots=True)
class _Watched:
    """A session that is being gathered. ``done`` records of it were folded; ``meant`` None: not known yet.

    ``view`` is what was known of it when it was found to be meant.
    """

    session: OpenSession
    builder: TranscriptBuilder
    number: int = 0
    done: int = 0
    meant: bool | None = None
    view: Session | None = None
    quiet: int = 0
    ended: bool = False

    @property
    def inbound(self) -> bool:
        return self.session.records[0].daemon == "smtpd"

    def as_session(self) -> Session:
        return close_session(self.number, self.session)


@dataclass(slots=True)
class _Process:
    tracker: Tracker
    watched: list[_Watched] = field(default_factory=list)


class Reader(Protocol):
    """Takes the bytes of a log and gives what may be shown of it; LiveReader is one."""

    def feed(self, data: bytes) -> tuple[Live, ...]:
        """Take the next bytes, cut anywhere."""

    def finish(self) -> tuple[Live, ...]:
        """End of the log."""


class LiveReader:
    """Reads one host's lines as they come. ``match`` says whose sessions are meant (see ``select``)."""

    def __init__(self, *, now: datetime, utc_offset: timedelta, match: Match, known: Iterable[str] = ()) -> None:
        self._reader = LineReader(now, timezone(utc_offset))
        self._redactor = Redactor(known, follows=True)
        self._match = match
        self._rest = b""
        self._lines = self._sessions = 0
        #: Lines that wait for their process's authentication exchange to end.
        self._held: dict[Key, list[HeldLine]] = {}
        self._processes: dict[Key, _Process] = {}
        #: The lines of open sessions as they may be shown, by number.
        self._shown: dict[int, Record] = {}

    def feed(self, data: bytes) -> tuple[Live, ...]:
        """Take the next bytes of the log, cut anywhere, and return what may be shown now."""
        whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
        lines = whole.decode("utf-8", "surrogateescape").split("\n") if newline else []
        settled = [held for line in lines for held in self._redact(line)]
        return (*self._show(self._prove(settled)), *self._note_quiet())

    def finish(self) -> tuple[Live, ...]:
        """End of the log: return what was still waiting; sessions that are open are cut."""
        last = [] if not self._rest else list(self._redact(self._rest.decode("utf-8", "surrogateescape")))
        self._rest = b""
        last += [line for held in self._held.values() for line in held]
        self._held.clear()
        shown = list(self._show(self._prove(last)))
        for process in self._processes.values():
            process.tracker.finish()
            for watched in (*process.watched,):
                shown += self._fold(watched, over=True)
                shown += self._end(watched)
        return tuple(shown)

    def _redact(self, line: str) -> Iterator[HeldLine]:
        """Redact a line and yield those that cannot change any more."""
        self._lines += 1
        record = shorten(self._reader.read(line, self._lines))
        shown = attempt(lambda: self._redactor.redact(record), lambda _kind: record.with_text(withhold(UNREAD)))
        if record.daemon == "master" and (died := CHILD_DIED.match(record.text)):
            for key in [key for key in self._held if key[2] == int(died["pid"])]:
                yield from self._held.pop(key)
        key = (record.host, record.tag, record.pid)
        held = self._held.setdefault(key, [])
        held.append(HeldLine(record, shown, self._redactor.owner_of(record)))
        # A client that hung up in the middle of an exchange will not finish it.
        if self._redactor.is_settled(record) or record.text.startswith("disconnect from "):
            yield from self._held.pop(key)

    def _prove(self, lines: list[HeldLine]) -> list[Record]:
        """Return the lines as they were logged, having noted what may be shown of them."""
        records = prove_records(lines, self._redactor)
        self._shown.update({record.number: record for record in records})
        return [line.logged for line in lines]

    def _show(self, records: Iterable[Record]) -> Iterator[Live]:
        for record in records:
            yield from attempt(partial(self._show_one, record), lambda _kind: ())

    def _show_one(self, record: Record) -> tuple[Live, ...]:
        process = self._place(record)
        if process is None:
            self._shown.pop(record.number, None)
            return ()
        return tuple(self._look(process))

    def _place(self, record: Record) -> _Process | None:
        """Give the record to the process that it belongs to, and return that."""
        if record.daemon == "master" and (died := CHILD_DIED.match(record.text)):
            return self._tell_of_death(record, int(died["pid"]), died["daemon"])
        if record.pid is None or record.daemon not in ("smtpd", "smtp", "lmtp"):
            return None
        key = (record.host, record.tag, record.pid)
        found = self._processes.get(key)
        if found is None:
            tracker = InboundTracker() if record.daemon == "smtpd" else OutboundTracker()
            found = self._processes[key] = _Process(tracker)
        found.tracker.feed(record)
        return found

    def _tell_of_death(self, record: Record, pid: int, daemon: str) -> _Process | None:
        for (host, tag, number), process in self._processes.items():
            mine = (host, number) == (record.host, pid) and tag.endswith(f"/{daemon}")
            if mine and process.tracker.child_died(record):
                return process
        return None

    def _look(self, process: _Process) -> Iterator[Live]:
        """Show what the process's sessions have that is new."""
        sessions = process.tracker.sessions
        known = [watched.session for watched in process.watched]
        for session in sessions:
            if not any(session is other for other in known):
                inbound = session.records[0].daemon == "smtpd"
                process.watched.append(_Watched(session, TranscriptBuilder(inbound=inbound)))
        for watched in (*process.watched,):
            gone = watched.session is not sessions[-1]
            watched.quiet = watched.quiet if gone else 0
            yield from self._fold(watched, over=gone)
            # a delivery that is over may have more recipients, and a QUIT
            if (watched.session.over and gone) or (watched.inbound and (gone or watched.session.over)):
                yield from self._end(watched)
            if gone and watched.ended:
                process.watched.remove(watched)
                process.tracker.forget(watched.session)
                for record in watched.session.records:
                    self._shown.pop(record.number, None)

    def _fold(self, watched: _Watched, *, over: bool) -> Iterator[LiveLine]:
        session = watched.session
        if watched.done == len(session.records) or not self._is_meant(watched, over=over):
            return
        # Only what is new: a session has hundreds of lines, and comes here with each.
        for logged in session.records[watched.done :]:
            record = self._as_shown(logged)
            before = len(watched.builder.turns)
            watched.builder.feed(record)
            if watched.view is not None:
                yield LiveLine(watched.view, record, tuple(watched.builder.turns[before:]))
        watched.done = len(session.records)

    def _is_meant(self, watched: _Watched, *, over: bool) -> bool:
        """Say whether a session is to be shown, which its first verbose line and its peer decide."""
        session = watched.session
        known = session.verbose and session.peer_name and (session.peer_address or over)
        if watched.meant is None and known:
            watched.meant = self._match(watched.as_session()) is not False
            if watched.meant:
                self._sessions += 1
                watched.number = self._sessions
                watched.view = self._view(watched)
        return bool(watched.meant)

    def _end(self, watched: _Watched) -> Iterator[LiveEnd]:
        if watched.ended:
            return
        watched.ended = True
        if watched.meant:
            yield LiveEnd(make_transcript(self._view(watched), watched.builder))

    def _view(self, watched: _Watched) -> Session:
        """Return what is known of a session, with its lines as they may be shown."""
        session = watched.as_session()
        return replace(session, records=tuple(map(self._as_shown, session.records)))

    def _as_shown(self, logged: Record) -> Record:
        return self._shown.get(logged.number) or logged.with_text(withhold(UNREAD))

    def _note_quiet(self) -> Iterator[Live]:
        for process in self._processes.values():
            for watched in process.watched:
                watched.quiet += 1
                most = ANSWER_FEEDS if awaits_answer(watched.session.records) else QUIET_FEEDS
                if watched.session.over and watched.quiet > most:
                    yield from self._fold(watched, over=True)
                    yield from self._end(watched)
