"""Session boundaries in one smtpd process."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pfremote.maillog.parse.patterns import CHATTER, queue_id
from pfremote.maillog.parse.record import Record
from pfremote.maillog.sessions.open_session import OpenSession, SessionTracker

#: Lines that come before ``connect from``: the name check of smtpd_peer.c, and with ``-v``
#: single_server.c's accept.
_BEFORE_CONNECT = (
    "warning: hostname ",
    "warning: Illegal address syntax",
    "connection established",
    "initializing the server-side TLS",
    "warning: haproxy read",
    "warning: cannot get ",
)
#: Lines that name a client: without an open session they prove that its ``connect from`` is missing.
_NAMES_CLIENT = ("< ", "> ", "disconnect from ", "lost connection after ", "timeout after ", "NOQUEUE: ")
#: Where a line of smtpd names its client (smtpd.c, smtpd_chat.c, smtpd_check.c, smtpd_sasl_glue.c, tls_server.c).
_CLIENT = re.compile(
    r"(?:[<>]\ |disconnect\ from\ |warning:\ (?=\S+\[\S*\]:\ SASL\ )|SSL_accept\ error\ from\ "
    r"|(?:\S+:\ )?(?:lost\ connection|timeout|too\ many\ errors|improper\ command\ pipelining)\ after\ .*?\ from\ "
    r"|(?:\S+:\ )?warning:\ non-SMTP\ command\ from\ |setting\ up\ TLS\ connection\ from\ "
    r"|\w+\ TLS\ connection\ established\ from\ |(?:warning:\ )?\w+:\ client=|(?:\w+:\ )[\w-]+:\ [\w-]+\ from\ "
    r"|warning:\ [\w ]+\ limit\ exceeded:\ \d+\ from\ )(?P<client>[^\s\[\]<>]+\[[^\]\s]*\])",
    re.VERBOSE,
)
_XCLIENT = re.compile(r"< \S+: XCLIENT ", re.IGNORECASE)
#: A client that may have said XCLIENT where the log does not show it (before-queue filters, local proxies).
_LOCAL = ("127.", "::1")


class InboundTracker(SessionTracker):
    """Cuts the lines of one smtpd process into sessions; the process serves one client at a time."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[Record] = []

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
        elif self._names_another(now, text):
            self._waiting.append(record)
            now = self._begin_without_start()
        else:
            now.records.append(record)
        self._note(now, record, word)

    def _names_another(self, session: OpenSession, text: str) -> bool:
        """Say whether the line names a client that this session cannot have: lines between were lost."""
        found = _CLIENT.match(text)
        if found is None or not session.peer_name or session.over:
            return False
        client = found["client"]
        if client in session.clients:
            return False
        renamed = session.renamed or (not session.verbose and session.peer_address.startswith(_LOCAL))
        if renamed or not session.clients:
            session.renamed = False
            session.clients.add(client)
            return False
        return True

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
            # XCLIENT (XCLIENT_README) gives the rest of the session another client.
            session.renamed = session.renamed or _XCLIENT.search(text) is not None
        elif word == "disconnect" and text.startswith("disconnect from "):
            session.over, session.ended = True, record.time
        elif word in ("fatal:", "panic:"):
            session.over, session.died, session.ended = True, True, record.time
        elif qid := queue_id(word):
            session.queue_ids[qid] = None
        elif word.startswith(("private/", "public/", "generic_checks:", "smtp_stream_setup:", ">>>")):
            session.verbose = True
        if not session.peer_name and (found := _CLIENT.match(text)):
            session.set_peer(text[found.start("client") :])

    def _leave(self) -> None:
        if self._open is not None:
            self._open.cut_end = not self._open.over
            self._done.append(self._open)
        self._open = None

    def held(self) -> Iterator[Record | OpenSession]:
        """Yield the sessions that may still change, and the lines that may yet be about a message of their own."""
        yield from super().held()
        yield from self._waiting

    def finish(self) -> list[OpenSession]:
        """End of log: return all sessions; lines that led to none stay in ``homeless``."""
        self._leave()
        self.homeless += self._waiting
        self._waiting = []
        return self._done
