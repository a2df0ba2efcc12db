"""Keeps the sessions of the asked-for peers, and keeps everybody else's out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from pfremote.maillog.record import Record
from pfremote.maillog.sessions import Session, Sessions, follow

#: True: the peer is meant; False: it is not; None: cannot be decided here (a table or file on the host).
Match = Callable[[Session], bool | None]

#: Daemons that speak of the mail system and never of one client.
_OF_THE_HOST = frozenset(
    (
        "master",
        "postfix-script",
        "postlogd",
        "systemd-journald",
        "rsyslogd",
        "journal",
        "syslogd",
        "syslog-ng",
    )
)
#: postscreen(8): ``CONNECT from [address]:port to …``, ``PASS NEW [address]:port``; the client comes first.
_SCREENED = re.compile(r"\[([^\]\s]+)\]:\d+")
_OF_A_PROCESS = (
    "fatal: ",
    "panic: ",
    "error: ",
    "warning: debug_peer_list: ",
    "warning: unknown smtp",
    "warning: unknown lmtp",
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What may be shown. The counts say what was there and is not: other peers' sessions, and lines."""

    sessions: tuple[Session, ...]
    followed: tuple[Record, ...]
    unplaced: tuple[Record, ...]
    undecided: int
    other_sessions: int
    other_lines: int

    def records(self) -> tuple[Record, ...]:
        """All kept records, in log order."""
        kept = [record for session in self.sessions for record in session.records]
        kept += (*self.followed, *self.unplaced)
        return tuple(sorted(kept, key=lambda record: record.number))


def select(found: Sessions, match: Match) -> Selection:
    """Keep debugged sessions whose peer ``match`` does not deny, and what follows their queue ids.

    Of the sessions left out, only single lines that carry a kept queue id stay (the delivery of a message
    that a kept session brought in, or the other way round). Kept sessions are numbered anew from 1.
    """
    verdicts = {session.id: match(session) for session in found.sessions if session.verbose}
    kept = [session for session in found.sessions if verdicts.get(session.id, False) is not False]
    kept_ids = {session.id for session in kept}
    others = [session for session in found.sessions if session.id not in kept_ids]
    candidates = sorted(
        (*found.followed, *(record for session in others for record in session.records)),
        key=lambda r: r.number,
    )
    followed, rest = follow(candidates, {qid for session in kept for qid in session.queue_ids})
    addresses = {session.peer_address for session in kept if session.kind == "smtpd"}
    screened = [record for record in found.unplaced if _screened(record) in addresses]
    followed = tuple(sorted((*followed, *screened), key=lambda record: record.number))
    unplaced = tuple(record for record in found.unplaced if _concerns_host(record))
    return Selection(
        sessions=tuple(replace(session, id=number) for number, session in enumerate(kept, 1)),
        followed=followed,
        unplaced=unplaced,
        undecided=sum(1 for session in kept if verdicts[session.id] is None),
        other_sessions=len(others),
        other_lines=len(rest) + len(found.unplaced) - len(unplaced) - len(screened),
    )


def _screened(record: Record) -> str | None:
    # postscreen is another process and knows no host name; its lines are the client's by address alone.
    found = _SCREENED.search(record.text) if record.daemon == "postscreen" else None
    return found[1] if found else None


def _concerns_host(record: Record) -> bool:
    if record.daemon in _OF_THE_HOST:
        return True
    return record.daemon in ("smtpd", "smtp", "lmtp") and record.text.startswith(_OF_A_PROCESS)
