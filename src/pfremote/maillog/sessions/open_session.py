"""A session while its lines are still being gathered, and those that one process has had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pfremote.maillog.parse.patterns import PEER
from pfremote.maillog.parse.record import Record


@dataclass(slots=True)
class OpenSession:
    """What is known of a session so far; becomes a frozen ``Session`` at the end."""

    records: list[Record]
    peer_name: str = ""
    peer_address: str = ""
    peer_port: int | None = None
    nexthop: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    over: bool = False
    died: bool = False
    verbose: bool = False
    cut_start: bool = False
    cut_end: bool = False
    queue_ids: dict[str, None] = field(default_factory=dict)
    #: Names and addresses that lines of this session may carry; ``renamed``: the next new one is its own.
    clients: set[str] = field(default_factory=set)
    renamed: bool = False

    def set_peer(self, text: str) -> None:
        """Take the first ``name[address]:port`` of ``text`` as the peer."""
        found = PEER.search(text)
        if found:
            self.peer_name, self.peer_address = found["name"], found["address"]
            self.peer_port = int(found["port"]) if found["port"] else None
            self.clients.add(f"{self.peer_name}[{self.peer_address}]")


class SessionTracker:
    """The sessions of one process, oldest first; what cuts its lines into sessions builds on it."""

    __slots__ = ("_done", "_open", "homeless")

    def __init__(self) -> None:
        self._done: list[OpenSession] = []
        self._open: OpenSession | None = None
        self.homeless: list[Record] = []

    @property
    def sessions(self) -> tuple[OpenSession, ...]:
        """All sessions so far, oldest first; only the last may still get lines."""
        return (*self._done, self._open) if self._open is not None else tuple(self._done)

    def child_died(self, record: Record) -> bool:
        """Take master's line about the death of this process; False when no session was open."""
        session = self._open
        if session is None or (session.over and not session.died):
            return False
        session.records.append(record)
        session.over = session.died = True
        session.ended = session.ended or record.time
        return True

    def held(self) -> Iterator[Record | OpenSession]:
        """Yield the sessions that may still change, and the lines that may yet be about a message of their own."""
        for session in self.sessions:
            yield session
            if not session.peer_name:
                yield from session.records

    def forget(self, session: OpenSession) -> None:
        """Keep a session no longer that is done with."""
        if session in self._done:
            self._done.remove(session)

    def take_done(self) -> list[OpenSession]:
        """Return the sessions that no later line changes, and keep them no longer."""
        done, self._done = self._done, []
        return done
