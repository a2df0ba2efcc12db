"""Session boundaries in one smtpd process."""

from __future__ import annotations

from pfremote.maillog.open_session import OpenSession
from pfremote.maillog.record import Record
from pfremote.maillog.shapes import CHATTER, queue_id

#: Lines that come before ``connect from``: the name check of smtpd_peer.c, and with ``-v``
#: single_server.c's accept.
_BEFORE_CONNECT = (
    "warning: hostname ",
    "warning: Illegal address syntax",
    "connection established",
    "initializing the server-side TLS",
)
#: Lines that name a client: without an open session they prove that its ``connect from`` is missing.
_NAMES_CLIENT = ("< ", "> ", "disconnect from ", "lost connection after ", "timeout after ", "NOQUEUE: ")


class InboundTracker:
    """Cuts the lines of one smtpd process into sessions; the process serves one client at a time."""

    __slots__ = ("_done", "_open", "_waiting", "homeless")

    def __init__(self) -> None:
        self._done: list[OpenSession] = []
        self._open: OpenSession | None = None
        self._waiting: list[Record] = []
        self.homeless: list[Record] = []

    def feed(self, record: Record) -> None:
        """Take the next line of this process."""
        text = record.text
        end = text.find(" ")
        word = text[:end] if end > 0 else text
        now = self._open
        if now is not None and not now.over and word in CHATTER:
            now.verbose = True
            now.records.append(record)
            return
        if word == "connect" and text.startswith("connect from "):
            self._begin(record)
            return
        if now is None or (now.over and (self._waiting or now.died or self._opens_next(text))):
            self._waiting.append(record)
            if not (text.startswith(_NAMES_CLIENT) or queue_id(word)):
                return
            now = self._begin_without_start()
        else:
            now.records.append(record)
        self._note(now, record, word)

    def _opens_next(self, text: str) -> bool:
        return text.startswith(_BEFORE_CONNECT) or text.startswith(_NAMES_CLIENT)

    def _begin(self, record: Record) -> None:
        self._leave()
        # XCLIENT (README: XCLIENT_README) renames the client later; debug_peer_list saw the name of this
        # line.
        self._open = OpenSession([*self._waiting, record], started=record.time)
        self._open.set_peer(record.text)
        self._waiting = []

    def _begin_without_start(self) -> OpenSession:
        self._leave()
        self._open = OpenSession(self._waiting, cut_start=True)
        self._waiting = []
        return self._open

    def _note(self, session: OpenSession, record: Record, word: str) -> None:
        text = record.text
        if word in ("<", ">"):
            session.verbose = True
        elif word == "disconnect" and text.startswith("disconnect from "):
            session.over, session.ended = True, record.time
        elif word in ("fatal:", "panic:"):
            session.over, session.died, session.ended = True, True, record.time
        elif qid := queue_id(word):
            session.queue_ids[qid] = None
        elif word.startswith(("private/", "public/", "generic_checks:", "smtp_stream_setup:", ">>>")):
            session.verbose = True
        if not session.peer_name and text.startswith(_NAMES_CLIENT):
            session.set_peer(text)

    def child_died(self, record: Record) -> bool:
        """Take master's line about the death of this process; False when no session was open."""
        if self._open is None or (self._open.over and not self._open.died):
            return False
        self._open.records.append(record)
        self._open.over = self._open.died = True
        self._open.ended = self._open.ended or record.time
        return True

    def _leave(self) -> None:
        if self._open is not None:
            self._open.cut_end = not self._open.over
            self._done.append(self._open)
        self._open = None

    @property
    def sessions(self) -> tuple[OpenSession, ...]:
        """All sessions so far, oldest first; only the last may still get lines."""
        return (*self._done, self._open) if self._open is not None else tuple(self._done)

    def forget(self, session: OpenSession) -> None:
        """Keep a session no longer that is done with."""
        if session in self._done:
            self._done.remove(session)

    def finish(self) -> list[OpenSession]:
        """End of log: return all sessions; lines that led to none stay in ``homeless``."""
        self._leave()
        self.homeless += self._waiting
        self._waiting = []
        return self._done
