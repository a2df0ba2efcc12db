"""Session boundaries in one smtp or lmtp process."""

from __future__ import annotations

import re

from pfremote.maillog.open_session import OpenSession
from pfremote.maillog.record import Record
from pfremote.maillog.shapes import CHATTER, DIALOGUE, queue_id

#: First words of lines that begin a delivery request (smtp/smtp_connect.c, smtp.c), seen with a next-hop
#: match.
_BEGINS = frozenset(("smtp_parse_destination:", "deliver_message:", "connecting", "smtp_connect_unix:", "initializing"))
_STATUS = re.compile(r"\S+: to=<[^>]*>.* relay=(?P<relay>\S+?), .*status=")
_NEXT_HOP = re.compile(r"smtp_parse_destination: \[?([^\s\]:]+)")
_DOMAIN = re.compile(r": to=<[^>]*@([^>]+)>")


class OutboundTracker:
    """Cuts the lines of one smtp or lmtp process into conversations.

    ``_status`` is set once recipients' status lines were seen, ``_quit`` once we said QUIT; ``_command`` is
    our last command, to tell a greeting from the 220 that answers STARTTLS. ``_limbo`` holds lines after
    that which may belong to this session or to the next.
    """

    __slots__ = (
        "_chain",
        "_command",
        "_done",
        "_limbo",
        "_open",
        "_quit",
        "_resetting",
        "_status",
        "homeless",
    )

    def __init__(self) -> None:
        self._done: list[OpenSession] = []
        self._open: OpenSession | None = None
        self._chain: list[OpenSession] = []
        self._limbo: list[Record] = []
        self._command = ""
        self._status = self._quit = self._resetting = False
        self.homeless: list[Record] = []

    def feed(self, record: Record) -> None:
        """Take the next line of this process."""
        text = record.text
        end = text.find(" ")
        word = text[:end] if end > 0 else text
        heard = DIALOGUE.match(text) if word in ("<", ">") else None
        if self._stays_in_limbo(word, heard):
            self._limbo.append(record)
            return
        self._resetting = False
        if self._open is None or self._begins_next(text, word, heard):
            session = self._begin(heard)
        else:
            session = self._open
        session.records += [*self._limbo, record]
        self._limbo.clear()
        self._note(session, record, word, heard)

    def _stays_in_limbo(self, word: str, heard: re.Match[str] | None) -> bool:
        if not (self._quit or self._status):
            return False
        if heard is not None and heard["way"] == ">" and heard["said"] == "RSET":
            self._resetting = True
            return True
        if self._resetting:
            # What RSET is for shows in our next command: QUIT ends this session, MAIL begins the next.
            return word not in _BEGINS and (heard is None or heard["way"] == "<") and not queue_id(word)
        return word == "smtp_stream_setup:"

    def _begins_next(self, text: str, word: str, heard: re.Match[str] | None) -> bool:
        greeting = heard is not None and self._is_greeting(heard)
        if not self._status and not self._quit:
            return greeting and self._command != ""
        if greeting or word in _BEGINS or (word == "connect" and text.startswith("connect to ") and "[" in text):
            return True
        if heard is not None and heard["way"] == ">" and self._status:
            # A connection kept in the cache (CONNECTION_CACHE_README) is taken up again without a greeting.
            return heard["said"].startswith("MAIL FROM")
        if qid := queue_id(word):
            return self._status and self._open is not None and qid not in self._open.queue_ids
        return self._open is not None and not self._open.verbose

    def _is_greeting(self, heard: re.Match[str]) -> bool:
        code = heard["said"][:3]
        if heard["way"] == ">" or self._command == "STAR":
            return False
        return code == "220" or (self._command in ("", "QUIT") and code in ("421", "554"))

    def _begin(self, heard: re.Match[str] | None) -> OpenSession:
        resumed = self._status and heard is not None and heard["way"] == ">"
        self._leave()
        cut = heard is not None and not resumed and heard["said"][:3] not in ("220", "421", "554")
        self._open = OpenSession([], cut_start=cut)
        self._command, self._status, self._quit = "", False, False
        return self._open

    def _note(self, session: OpenSession, record: Record, word: str, heard: re.Match[str] | None) -> None:
        text = record.text
        if heard is not None:
            self._hear(session, heard)
        elif word in ("fatal:", "panic:"):
            session.over = session.died = True
        elif word == "disposing":
            self._quit = True
        elif qid := queue_id(word):
            session.queue_ids[qid] = None
            self._take_status(session, text)
        elif word == "smtp_parse_destination:":
            session.verbose = True
            session.nexthop = text.split(" ")[1] if text.count(" ") > 0 else ""
            if not session.peer_name and (found := _NEXT_HOP.match(text)):
                session.peer_name = found[1]
        elif word == "connect" and text.startswith("connect to ") and "[" in text:
            session.set_peer(text)
        elif word in CHATTER or word == "smtp_stream_setup:":
            session.verbose = True

    def _hear(self, session: OpenSession, heard: re.Match[str]) -> None:
        if self._command == "":
            session.set_peer(heard["peer"])
        session.verbose = True
        if heard["way"] == ">":
            self._command = heard["said"][:4].upper() or "?"
            self._quit = self._quit or self._command == "QUIT"
        elif self._command == "STAR":
            self._command = "(tls)"  # answered; a 220 from now on greets a new connection

    def _take_status(self, session: OpenSession, text: str) -> None:
        found = _STATUS.match(text)
        if found is None:
            return
        self._status = session.over = True
        if session.peer_address == "":
            session.set_peer(found["relay"] if found["relay"] != "none" else text[found.end() :])
        if not session.peer_name and (domain := _DOMAIN.search(text)):
            session.peer_name = domain[1]
        for earlier in self._chain:
            earlier.queue_ids.update(session.queue_ids)
            earlier.over = True

    def child_died(self, record: Record) -> bool:
        """Take master's line about the death of this process; False when no session was open."""
        if self._open is None or (self._open.over and not self._open.died):
            return False
        self._open.records.append(record)
        self._open.over = self._open.died = True
        return True

    def _leave(self) -> None:
        if self._open is not None:
            self._done.append(self._open)
            # Several servers tried for one delivery: only the last conversation gets the status lines.
            self._chain = [] if self._status else [*self._chain, self._open]
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
        """End of log: return all sessions; lines that name no server stay in ``homeless``."""
        if self._open is not None:
            self._open.records += self._limbo
            self._limbo.clear()
        self._leave()
        for session in self._done:
            session.cut_end = not session.over
            if not session.peer_name:
                self.homeless += session.records
        return [session for session in self._done if session.peer_name]
