"""A log as it is written: sessions turn by turn, each line redacted and proven before anybody sees it.

The same stages as in :mod:`pfremote.maillog.capture`, one line at a time. A line waits while a later one may
still change what may be shown of it: as long as its process is in an authentication exchange, and until it
is known whose session it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Protocol

from pfremote.maillog.fold import Folder
from pfremote.maillog.inbound import InboundTracker
from pfremote.maillog.open_session import OpenSession
from pfremote.maillog.outbound import OutboundTracker
from pfremote.maillog.parse import LineReader
from pfremote.maillog.proof import prove, withhold
from pfremote.maillog.record import Record
from pfremote.maillog.redact import Redactor
from pfremote.maillog.select import Match
from pfremote.maillog.sessions import Session, Tracker, close_session
from pfremote.maillog.shapes import CHILD_DIED
from pfremote.maillog.transcript import Transcript, make_transcript
from pfremote.maillog.turns import Turn

#: A delivery's session has no last line: it is over when it gave its status, then nothing in so many feeds.
QUIET_FEEDS = 2

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
    folder: Folder
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

    def __init__(self, *, now: datetime, utc_offset: timedelta, match: Match) -> None:
        self._reader = LineReader(now, timezone(utc_offset))
        self._redactor = Redactor()
        self._match = match
        self._rest = b""
        self._lines = self._sessions = 0
        #: Redacted records that wait for their process's authentication exchange to end.
        self._held: dict[Key, list[Record]] = {}
        self._processes: dict[Key, _Process] = {}

    def feed(self, data: bytes) -> tuple[Live, ...]:
        """Take the next bytes of the log, cut anywhere, and return what may be shown now."""
        whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
        lines = whole.decode("utf-8", "surrogateescape").split("\n") if newline else []
        settled = [record for line in lines for record in self._redact(line)]
        return (*self._show(self._prove(settled)), *self._note_quiet())

    def finish(self) -> tuple[Live, ...]:
        """End of the log: return what was still waiting; sessions that are open are cut."""
        last = [] if not self._rest else list(self._redact(self._rest.decode("utf-8", "surrogateescape")))
        self._rest = b""
        last += [record for held in self._held.values() for record in held]
        self._held.clear()
        shown = list(self._show(self._prove(last)))
        for process in self._processes.values():
            process.tracker.finish()
            for watched in (*process.watched,):
                shown += self._fold(watched, over=True)
                shown += self._end(watched)
        return tuple(shown)

    def _redact(self, line: str) -> Iterator[Record]:
        """Redact a line and yield the records that cannot change any more."""
        self._lines += 1
        record = self._redactor.redact(self._reader.read(line, self._lines))
        if record.daemon == "master" and (died := CHILD_DIED.match(record.text)):
            for key in [key for key in self._held if key[2] == int(died["pid"])]:
                yield from self._held.pop(key)
        key = (record.host, record.tag, record.pid)
        held = self._held.setdefault(key, [])
        held.append(record)
        # Whoever hung up in the middle of an exchange will not finish it.
        if self._redactor.is_settled(record) or record.text.startswith("disconnect from "):
            yield from self._held.pop(key)

    def _prove(self, records: list[Record]) -> list[Record]:
        texts = list(dict.fromkeys(record.text for record in records))
        reasons = {texts[item.number - 1]: item.reason for item in prove(texts, self._redactor.secrets).withheld}
        return [
            record.with_text(withhold(reasons[record.text])) if record.text in reasons else record for record in records
        ]

    def _show(self, records: Iterable[Record]) -> Iterator[Live]:
        for record in records:
            process = self._place(record)
            if process is not None:
                yield from self._look(process)

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
                process.watched.append(_Watched(session, Folder(inbound=inbound)))
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

    def _fold(self, watched: _Watched, *, over: bool) -> Iterator[LiveLine]:
        session = watched.session
        if watched.done == len(session.records) or not self._is_meant(watched, over=over):
            return
        # Only what is new: a session has hundreds of lines, and comes here with each.
        for record in session.records[watched.done :]:
            before = len(watched.folder.turns)
            watched.folder.feed(record)
            if watched.view is not None:
                yield LiveLine(watched.view, record, tuple(watched.folder.turns[before:]))
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
                watched.view = watched.as_session()
        return bool(watched.meant)

    def _end(self, watched: _Watched) -> Iterator[LiveEnd]:
        if watched.ended:
            return
        watched.ended = True
        if watched.meant:
            yield LiveEnd(make_transcript(watched.as_session(), watched.folder))

    def _note_quiet(self) -> Iterator[Live]:
        for process in self._processes.values():
            for watched in process.watched:
                watched.quiet += 1
                if watched.session.over and watched.quiet > QUIET_FEEDS:
                    yield from self._fold(watched, over=True)
                    yield from self._end(watched)
