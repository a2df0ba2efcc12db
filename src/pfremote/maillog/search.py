"""Which lines of a large log may be about what was asked for, told from its bytes before anything is parsed.

A line that holds a wanted word leads to queue ids and processes, these lead to others: the next hop's id, the bounce's,
that of the same Message-ID. All lines of them are read, and every line that is not plainly ordinary: no secret that a
line could teach is missed, and what Postfix says of the host is there. So the result is that of reading everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pfremote.maillog.looks import PROCESS, DeliveryLook, FirstLook, LoginLook, Look, NameLook, Seen
from pfremote.maillog.messages.collect import names_of_others
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.ordinary import CONVERSES, ID, needs_process
from pfremote.maillog.parse.lines import LineReader
from pfremote.maillog.sessions.build import build_sessions

#: Where this part of a log, and so many bytes, would be read, reading everything is as fast.
_PART, _LEAST = 0.3, 500_000
#: From one name to the next hop's, and so on: so many times.
_MOST_ROUNDS = 12
_OF_MESSAGE = re.compile(rb"\]: (?:warning: )?(" + ID + rb"): ")
_MESSAGE_ID = re.compile(rb"message-id=(<[^>\s]+>)")
_TALKS = re.compile(rb"\]: [<>] [^\s\[\]]+\[([^\]\s]+)\]")
_LOGIN_FAILED = re.compile(rb"\[([^\]\s]+)\]\S*: SASL \S+ authentication failed")
_REFUSED = re.compile(rb"reject: .*; from=<[^>\n]*>,? to=<([^>\n]*)>")
_PLAIN_PEER = re.compile(r"[0-9.]{7,15}|(?=.*[A-Za-z])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

#: Only the order of the lines counts here.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


#: Yields what a look finds in all the log, block by block in its order; each call begins anew.
Scan = Callable[[Look], Iterator[Seen]]


@dataclass(slots=True)
class Found:
    """Lines by their number; and of the whole log the number of lines, its length, and the hosts that it names.

    ``names`` are the queue ids, Message-IDs and processes that were looked for.
    """

    lines: dict[int, bytes] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)
    names: set[bytes] = field(default_factory=set)
    total: int = 0
    length: int = 0
    size: int = 0

    def keep(self, seen: Seen, before: int) -> None:
        """Keep the lines of a block; ``before`` lines stand before it."""
        for place, line in seen.lines:
            if before + place not in self.lines:
                self.lines[before + place] = line
                self.size += len(line)

    @property
    def is_much(self) -> bool:
        """Tell whether so much was found that nothing is won."""
        return self.size > max(self.length * _PART, _LEAST)


def choose_words(wanted: Wanted, *, messages: bool) -> tuple[bytes, ...]:
    """Return words, in small letters, of which every line that leads to what is wanted has one; none if unsure.

    ``messages``: the ways of messages are shown, which a peer or a user does not narrow.
    """
    for texts in (wanted.queue_ids, wanted.message_ids, wanted.recipients, wanted.senders):
        if texts:
            return _encode(text.strip("<>") for text in texts)
    if messages:
        return ()
    plain = wanted.peers and all(map(_PLAIN_PEER.fullmatch, wanted.peers))
    return _encode(wanted.peers if plain else wanted.users)


def _encode(texts: Iterable[str]) -> tuple[bytes, ...]:
    words = tuple(texts)
    return tuple(word.lower().encode() for word in words) if all(word and word.isascii() for word in words) else ()


def search(scan: Scan, words: tuple[bytes, ...], known: Iterable[str] = ()) -> Found | None:
    """Return the lines that may matter, or None where the whole log is to be read.

    ``known`` are queue ids and Message-IDs to which other logs lead.
    """
    found = _look_at_all(scan, words)
    names = set(_encode_names(known))
    if found is not None and names:
        _add_lines(scan, found, names)
    for _ in range(_MOST_ROUNDS):
        if found is None or found.is_much:
            return None
        fresh = _find_names(found.lines.values(), words, names) - names
        if not fresh:
            found.names = names
            return _add_sessions(scan, found, names, words)
        names |= fresh
        _add_lines(scan, found, fresh)
    return None


def _encode_names(names: Iterable[str]) -> Iterator[bytes]:
    return (name.encode("utf-8", "surrogateescape") for name in names)


def _look_at_all(scan: Scan, words: tuple[bytes, ...]) -> Found | None:
    """Look at every line once, and keep those with a wanted word and those that are not ordinary."""
    found = Found()
    for seen in scan(FirstLook(words)):
        found.keep(seen, found.total)
        found.hosts |= seen.hosts
        found.total += seen.total
        found.length += seen.length
        if found.is_much:
            return None
    return found


def _find_names(lines: Iterable[bytes], words: tuple[bytes, ...], known: set[bytes]) -> set[bytes]:
    """Return the queue ids, Message-IDs and processes that the lines lead to."""
    names: set[bytes] = set()
    for line in lines:
        own = _OF_MESSAGE.search(line)
        text = line.decode("utf-8", "surrogateescape")
        others = {name.encode("utf-8", "surrogateescape") for name in names_of_others(text)}
        message_id = _MESSAGE_ID.search(line)
        mine = ({own[1]} if own else set()) | others | ({message_id[1]} if message_id else set())
        process = PROCESS.search(line)
        is_wanted = not known.isdisjoint(mine) or any(word in line.lower() for word in words)
        if is_wanted:
            names |= mine
        if process and (process[2] in CONVERSES if is_wanted else needs_process(line, process[2])):
            names.add(process[1])
    return names


def _add_lines(scan: Scan, found: Found, names: set[bytes]) -> None:
    """Look through the log for the lines of messages and processes."""
    _add(scan, found, NameLook.of(names))


def _add(scan: Scan, found: Found, look: Look) -> None:
    before = 0
    for seen in scan(look):
        if before >= found.total or found.is_much:  # a log may grow meanwhile
            return
        found.keep(seen, before)
        before += seen.total


def _add_logins(scan: Scan, found: Found, shown: Iterable[bytes]) -> None:
    """Add the sessions that name a user of a client whose dialogue is read: they confirm whose a credential is.

    Those of a client whose login is ``shown`` to be refused as well: it may be let in later.
    """
    clients = {client for line in found.lines.values() for client in _TALKS.findall(line)}
    clients.update(client for line in shown for client in _LOGIN_FAILED.findall(line))
    if not clients:
        return
    look = LoginLook(frozenset(clients))
    _add(scan, found, look)
    logins = (PROCESS.search(line) for line in found.lines.values() if look.finds(line))
    if processes := {name[1] for name in logins if name}:
        _add_lines(scan, found, processes)


def _add_deliveries(scan: Scan, found: Found, shown: Iterable[bytes]) -> None:
    """Add the messages that the recipients of refused mail got: the same may have been sent in another session."""
    recipients = frozenset(recipient.lower() for line in shown for recipient in _REFUSED.findall(line))
    if not recipients:
        return
    before = set(found.lines)
    _add(scan, found, DeliveryLook(recipients))
    owns = (_OF_MESSAGE.search(line) for number, line in found.lines.items() if number not in before)
    if messages := {own[1] for own in owns if own}:
        _add_lines(scan, found, messages)


def _add_sessions(scan: Scan, found: Found, names: set[bytes], words: tuple[bytes, ...]) -> Found | None:
    """Add what became of the other messages of a wanted session: they are shown with it."""
    reader = LineReader(_ANY_TIME, UTC)
    records = [
        reader.read(line.decode("utf-8", "surrogateescape").rstrip("\n"), number)
        for number, line in sorted(found.lines.items())
    ]
    wanted = {
        number
        for number, line in found.lines.items()
        if any(word in line.lower() for word in words) or _is_of(line, names)
    }
    others: set[bytes] = set()
    for session in build_sessions(records).sessions:
        if any(record.number in wanted for record in session.records):
            others |= {name.encode() for name in session.queue_ids}
            wanted.update(record.number for record in session.records)
    if others - names:
        _add_lines(scan, found, others - names)
    shown = [line for number, line in found.lines.items() if number in wanted or _is_of(line, others)]
    _add_logins(scan, found, shown)
    _add_deliveries(scan, found, shown)
    return None if found.is_much else found


def _is_of(line: bytes, messages: set[bytes]) -> bool:
    own = _OF_MESSAGE.search(line)
    return own is not None and own[1] in messages
