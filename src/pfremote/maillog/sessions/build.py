"""Records → sessions, by process; every record ends up in exactly one place.

An smtpd session runs from ``connect from`` to ``disconnect from`` of one process. smtp and lmtp say
neither: there a session is one conversation, or one attempt that never became a conversation, and ends with
the recipients' status lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pfremote.maillog.parse.patterns import CHILD_DIED
from pfremote.maillog.parse.record import Record
from pfremote.maillog.record_table import RecordTable
from pfremote.maillog.sessions.follow import follow
from pfremote.maillog.sessions.inbound import InboundTracker
from pfremote.maillog.sessions.open_session import OpenSession
from pfremote.maillog.sessions.outbound import OutboundTracker

#: So many lines of a table are sorted at a time.
PIECE = 8192

Kind = Literal["smtpd", "smtp", "lmtp"]
Cut = Literal["", "start", "end", "both"]


@dataclass(frozen=True, slots=True)
class Session:
    """One SMTP conversation or delivery attempt; ``id`` counts from 1 in log order.

    ``peer_name`` is ``unknown`` where smtpd could not verify the name; ``peer_address`` is the socket path
    for LMTP over a UNIX-domain socket, and empty where no server was reached. ``nexthop`` is the
    destination of a debugged delivery (recipient domain, ``[relay]:port``), which debug_peer_list is
    matched against as well (3.6+). ``started`` and ``ended`` are aware UTC, or None where the log has no
    such stamp. ``cut`` says which end lies outside the evidence (``whole`` is ``cut == ""``), ``verbose``
    that debug logging was on, ``died`` that the process ended by a fatal error or signal.
    """

    id: int
    kind: Kind
    tag: str
    pid: int
    peer_name: str
    peer_address: str
    peer_port: int | None
    nexthop: str
    started: datetime | None
    ended: datetime | None
    whole: bool
    cut: Cut
    verbose: bool
    died: bool
    queue_ids: tuple[str, ...]
    records: Sequence[Record]

    @property
    def peer(self) -> str:
        """The peer as Postfix writes it: ``name[address]`` and ``:port``, as far as known."""
        if not self.peer_address:
            return self.peer_name
        shown = f"{self.peer_name}[{self.peer_address}]"
        return shown if self.peer_port is None else f"{shown}:{self.peer_port}"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Each record in one place: a session, ``followed`` (other daemons, by queue id) or ``unplaced``."""

    sessions: tuple[Session, ...]
    followed: tuple[Record, ...]
    unplaced: tuple[Record, ...]


Tracker = InboundTracker | OutboundTracker
Key = tuple[str, str, int | None]


class Processes:
    """The processes of a log that hold conversations, each with what cuts its lines into sessions."""

    def __init__(self) -> None:
        self.trackers: dict[Key, Tracker] = {}
        self._by_pid: dict[tuple[str, int | None], list[tuple[str, Tracker]]] = {}

    def take(self, record: Record) -> bool:
        """Give a record to its process; False for one of a daemon that holds no conversation."""
        key = (record.host, record.tag, record.pid)
        tracker = self.trackers.get(key)
        if tracker is None:
            if not converses(record):
                return record.daemon == "master" and self._told_of_death(record)
            tracker = self.trackers[key] = InboundTracker() if record.daemon == "smtpd" else OutboundTracker()
            self._by_pid.setdefault((record.host, record.pid), []).append((record.tag, tracker))
        tracker.feed(record)
        return True

    def drop(self, key: Key) -> Tracker:
        """Forget a process of which no line comes any more, and return what it had."""
        tracker = self.trackers.pop(key)
        host, tag, pid = key
        self._by_pid[host, pid].remove((tag, tracker))
        if not self._by_pid[host, pid]:
            del self._by_pid[host, pid]
        return tracker

    def _told_of_death(self, record: Record) -> bool:
        found = CHILD_DIED.match(record.text)
        if found is None:
            return False
        instance = record.tag.removesuffix("master")
        for tag, tracker in self._by_pid.get((record.host, int(found["pid"])), ()):
            same = tag.endswith("/" + found["daemon"]) and tag.startswith(instance)
            if same and tracker.child_died(record):
                return True
        return False


def converses(record: Record) -> bool:
    """Say whether a record is of a process that holds conversations."""
    return record.daemon in ("smtpd", "smtp", "lmtp") and record.pid is not None


def build_sessions(records: Iterable[Record]) -> Sessions:
    """Sort the records of one host into sessions. Order must be that of the log."""
    processes = Processes()
    others: list[Record] = []
    closed: list[Session] = []
    if isinstance(records, RecordTable):
        for piece in records.pieces(PIECE):
            others += (record for record in piece if not processes.take(record))
            # What is over is held by the places of its lines from now on.
            for key in {(record.host, record.tag, record.pid) for record in piece if converses(record)}:
                closed += (_point(close_session(0, one), records) for one in processes.trackers[key].take_done())
    else:
        others += (record for record in records if not processes.take(record))
    for tracker in processes.trackers.values():
        closed += (close_session(0, one) for one in tracker.finish())
        others += tracker.homeless
    closed.sort(key=lambda session: session.records[0].number)
    others.sort(key=lambda record: record.number)
    sessions = tuple(replace(session, id=number) for number, session in enumerate(closed, 1))
    followed, unplaced = follow(others, {qid for session in sessions for qid in session.queue_ids})
    return Sessions(sessions, followed, unplaced)


def _point(session: Session, table: RecordTable) -> Session:
    return replace(session, records=table.find(record.number for record in session.records))


def close_session(number: int, session: OpenSession) -> Session:
    """Return what is known of a gathered session as a value; it may go on growing."""
    first, last = session.records[0], session.records[-1]
    cut: Cut = "both" if session.cut_start and session.cut_end else "start" if session.cut_start else "end"
    if not (session.cut_start or session.cut_end):
        cut = ""
    daemon = first.daemon
    return Session(
        id=number,
        kind="smtpd" if daemon == "smtpd" else "lmtp" if daemon == "lmtp" else "smtp",
        tag=first.tag,
        pid=first.pid or 0,
        peer_name=session.peer_name,
        peer_address=session.peer_address,
        peer_port=session.peer_port,
        nexthop=session.nexthop,
        started=session.started or first.time,
        ended=session.ended or last.time,
        whole=cut == "",
        cut=cut,
        verbose=session.verbose,
        died=session.died,
        queue_ids=tuple(session.queue_ids),
        records=tuple(session.records),
    )
