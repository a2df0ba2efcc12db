"""Keeps the sessions of the asked-for peers, and leaves the others' out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pfremote.maillog.owners import OF_THE_HOST
from pfremote.maillog.parse.record import Record
from pfremote.maillog.record_table import RecordTable, Rows, list_numbers
from pfremote.maillog.sessions.build import Session, Sessions
from pfremote.maillog.sessions.follow import follow, message_of

#: True: the peer is meant; False: it is not; None: cannot be decided here (a table or file on the host).
Match = Callable[[Session], bool | None]

#: postscreen(8): ``CONNECT from [address]:port to …``, ``PASS NEW [address]:port``; the client comes first.
_SCREENED = re.compile(r"\[([^\[\]\s]+)\]:\d+")
#: What any daemon says of tables, milters, certificates and itself, which no session may name.
_SEVERE = ("warning: ", "error: ", "fatal: ", "panic: ")
#: ``name[address]``: such a line is about one client, who may not be the one that is asked for.
_ABOUT_A_PEER = re.compile(r"[^\s\[\]]+\[[0-9a-fA-F.:]{3,}\]")
#: So many lines of the host, not of a session, are kept.
MOST_OF_THE_HOST = 500


@dataclass(frozen=True, slots=True)
class Selection:
    """What may be shown. The counts say what was there and is not: other peers' sessions, and lines."""

    sessions: tuple[Session, ...]
    followed: tuple[Record, ...]
    unplaced: tuple[Record, ...]
    undecided: int
    other_sessions: int
    other_lines: int
    other_verbose: int = 0

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of all kept lines, session by session."""
        for session in self.sessions:
            yield from list_numbers(session.records)
        yield from list_numbers((*self.followed, *self.unplaced))

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
    unplaced = tuple(record for record in found.unplaced if _concerns_host(record))[:MOST_OF_THE_HOST]
    return Selection(
        sessions=tuple(replace(session, id=number) for number, session in enumerate(kept, 1)),
        followed=followed,
        unplaced=unplaced,
        undecided=sum(1 for session in kept if verdicts[session.id] is None),
        other_sessions=len(others),
        other_verbose=sum(session.verbose for session in others),
        other_lines=len(rest) + len(found.unplaced) - len(unplaced) - len(screened),
    )


def keep_all(found: Sessions) -> Selection:
    """Keep every session and line of a log that was not collected for certain peers."""
    return Selection(found.sessions, found.followed, found.unplaced, undecided=0, other_sessions=0, other_lines=0)


def keep_unplaced(chosen: Selection, lost: tuple[Record, ...]) -> Selection:
    """Return the selection with the lines of processes that could not be read, which may be anyone's."""
    unplaced = sorted((*chosen.unplaced, *lost), key=lambda record: record.number)
    return replace(chosen, unplaced=tuple(unplaced)) if lost else chosen


def show_redacted(chosen: Selection, lines: Sequence[Record]) -> Selection:
    """Return the selection with its lines as they may be shown; ``lines`` are all of the log, in its order."""
    by_number: Sequence[Record] | Mapping[int, Record]
    if lines and lines[-1].number == len(lines):  # each number is there, so a place is enough
        by_number, first = lines, 1
    else:
        by_number, first = {record.number: record for record in lines}, 0

    def show(records: Iterable[Record]) -> tuple[Record, ...]:
        return tuple(by_number[record.number - first] for record in records)

    def show_own(records: Sequence[Record]) -> Sequence[Record]:
        return records.of(lines) if isinstance(records, Rows) and isinstance(lines, RecordTable) else show(records)

    return replace(
        chosen,
        sessions=tuple(replace(session, records=show_own(session.records)) for session in chosen.sessions),
        followed=show(chosen.followed),
        unplaced=show(chosen.unplaced),
    )


def _screened(record: Record) -> str | None:
    # postscreen is another process and knows no host name; its lines are the client's by address alone.
    found = _SCREENED.search(record.text) if record.daemon == "postscreen" else None
    return found[1] if found else None


def _concerns_host(record: Record) -> bool:
    if record.daemon in OF_THE_HOST:
        return True
    if "/" not in record.tag or not record.text.startswith(_SEVERE) or message_of(record):
        return False
    return _ABOUT_A_PEER.search(record.text) is None
