"""Session boundaries in one smtp or lmtp process."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pfremote.maillog.parse.patterns import CHATTER, DIALOGUE, queue_id
from pfremote.maillog.parse.record import Record
from pfremote.maillog.sessions.open_session import OpenSession, SessionTracker

#: First words of lines that begin a delivery request (smtp/smtp_connect.c, smtp.c), seen with a next-hop
#: match.
_BEGINS = frozenset(("smtp_parse_destination:", "deliver_message:", "connecting", "smtp_connect_unix:", "initializing"))
_STATUS = re.compile(r"\S+: to=<[^>]*>.* relay=(?P<relay>\S+?), .*status=")
_NEXT_HOP = re.compile(r"smtp_parse_destination: \[?([^\s\]:]+)")
_DOMAIN = re.compile(r": to=<(?:[^<>@]*@)+([^<>@]+)>")


def _server_of(peer: str) -> str:
    """Return a peer without its port.

    >>> _server_of("mx.example.jp[192.0.2.20]:25")
    'mx.example.jp[192.0.2.20'
    """
    return peer.partition("]")[0]


def awaits_answer(records: Iterable[Record]) -> bool:
    """Tell whether a conversation goes on: a command of ours was not answered, and none of them was QUIT."""
    unanswered = 0
    for heard in filter(None, (DIALOGUE.match(record.text) for record in records)):
        said = heard["said"]
        if heard["way"] == ">":
            if said == "QUIT":
                return False
            unanswered += 1
        elif _is_answer(heard):  # the greeting answers nothing
            unanswered = max(0, unanswered - 1)
    return unanswered > 0


def _is_answer(heard: re.Match[str] | None) -> bool:
    """Tell whether a line is the last one of what a server said."""
    return heard is not None and heard["way"] == "<" and heard["said"][3:4] != "-"


class OutboundTracker(SessionTracker):
    """Cuts the lines of one smtp or lmtp process into conversations.

    ``_status`` is set once recipients' status lines were seen, ``_quit`` once we said QUIT; ``_command`` is
    our last command, to tell a greeting from the 220 that answers STARTTLS; ``_server`` is who was heard; ``_owed``
    says that RSET was not answered yet, behind which QUIT may have been sent already. ``_limbo`` holds lines after
    the status that may belong to this session or to the next.
    """

    __slots__ = (
        "_chain",
        "_command",
        "_limbo",
        "_owed",
        "_quit",
        "_resetting",
        "_server",
        "_status",
    )

    def __init__(self) -> None:
        super().__init__()
        self._chain: list[OpenSession] = []
        self._limbo: list[Record] = []
        self._command = self._server = ""
        self._status = self._quit = self._resetting = self._owed = False

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
            self._resetting = self._owed = True
            return True
        if self._resetting:
            self._owed = self._owed and not _is_answer(heard)
            # What RSET is for shows in our next command: QUIT ends this session, MAIL begins the next.
            return word not in _BEGINS and (heard is None or heard["way"] == "<") and not queue_id(word)
        return word == "smtp_stream_setup:"

    def _begins_next(self, text: str, word: str, heard: re.Match[str] | None) -> bool:
        greeting = heard is not None and self._is_greeting(heard)
        if not self._status and not self._quit:
            return (greeting and self._command != "") or self._names_another(text, word, heard)
        if greeting or word in _BEGINS or (word == "connect" and text.startswith("connect to ") and "[" in text):
            return True
        if heard is not None and heard["way"] == ">" and self._status:
            # A connection kept in the cache (CONNECTION_CACHE_README) is taken up again without a greeting.
            return heard["said"].startswith("MAIL FROM")
        if qid := queue_id(word):
            return self._status and self._open is not None and qid not in self._open.queue_ids
        return self._open is not None and not self._open.verbose

    def _names_another(self, text: str, word: str, heard: re.Match[str] | None) -> bool:
        """Say whether the line is of another server or message than this conversation: lines between were lost."""
        session = self._open
        if session is None:
            return False
        if heard is not None:
            return self._server not in ("", _server_of(heard["peer"]))
        if not (qid := queue_id(word)):
            return False
        if session.queue_ids:
            return qid not in session.queue_ids
        found = _STATUS.match(text)
        relay = _server_of(found["relay"]) if found and "[" in found["relay"] else ""
        return relay != "" and self._server not in ("", relay)

    def _is_greeting(self, heard: re.Match[str]) -> bool:
        code = heard["said"][:3]
        if heard["way"] == ">" or self._command == "STAR":
            return False
        return code == "220" or (self._command in ("", "QUIT") and code in ("421", "554") and not self._owed)

    def _begin(self, heard: re.Match[str] | None) -> OpenSession:
        resumed = self._status and heard is not None and heard["way"] == ">"
        lost = self._server != "" and not self._status and not self._quit
        lost = lost and not (heard is not None and self._is_greeting(heard))
        self._leave()
        if lost:
            self._chain = []  # what comes now says nothing of the conversation whose end was lost
        cut = lost or (heard is not None and not resumed and heard["said"][:3] not in ("220", "421", "554"))
        self._open = OpenSession([], cut_start=cut)
        self._command, self._server = "", ""
        self._status = self._quit = self._owed = False
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
            if not session.peer_name and text.startswith(f"{qid}: host "):
                session.set_peer(text)
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
        self._server = _server_of(heard["peer"])
        session.verbose = True
        if heard["way"] == ">":
            self._command = heard["said"][:4].upper() or "?"
            self._quit = self._quit or self._command == "QUIT"
            self._owed = self._owed or self._command == "RSET"
        elif self._command == "STAR":
            self._command = "(tls)"  # answered; a 220 from now on greets a new connection
        self._owed = self._owed and not _is_answer(heard)

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

    def _leave(self) -> None:
        if self._open is not None:
            self._done.append(self._open)
            # Several servers tried for one delivery: only the last conversation gets the status lines.
            self._chain = [] if self._status else [*self._chain, self._open]
        self._open = None

    def take_done(self) -> list[OpenSession]:
        """Return the sessions that no later line changes, and keep them no longer.

        One that waits for the status of its delivery is not among them. Lines that name no server are ``homeless``.
        """
        waiting = {id(session) for session in self._chain}
        done = [session for session in self._done if id(session) not in waiting]
        self._done = [session for session in self._done if id(session) in waiting]
        return self._close(done)

    def finish(self) -> list[OpenSession]:
        """End of log: return all sessions; lines that name no server stay in ``homeless``."""
        if self._open is not None:
            self._open.records += self._limbo
            self._limbo.clear()
        self._leave()
        return self._close(self._done)

    def _close(self, sessions: list[OpenSession]) -> list[OpenSession]:
        for session in sessions:
            session.cut_end = not session.over
            if not session.peer_name:
                self.homeless += session.records
        return [session for session in sessions if session.peer_name]
