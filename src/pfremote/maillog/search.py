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
from typing import NamedTuple

from pfremote.maillog.looks import (
    MESSAGE_ID,
    OF_MESSAGE,
    PROCESS,
    DeliveryLook,
    FirstLook,
    LoginLook,
    Look,
    NameLook,
    Seen,
    Words,
)
from pfremote.maillog.messages.collect import names_of_others
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.ordinary import CONVERSES, needs_process
from pfremote.maillog.parse.lines import LineReader
from pfremote.maillog.sessions.build import build_sessions

#: Where this part of a log, and so many bytes, would be read, reading everything is as fast.
_PART, _LEAST = 0.3, 500_000
#: From one name to the next hop's, and so on: so many times.
_MOST_ROUNDS = 12
#: What a line has that names another message.
_NAMES_OTHERS = (b"queued ", b"notification: ", b"orig_queue_id=")
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


def choose_words(wanted: Wanted, *, messages: bool) -> Words:
    """Return words of which every line that leads to what is wanted has one; none if unsure.

    ``messages``: the ways of messages are shown, which a peer or a user does not narrow.
    """
    if ids := wanted.queue_ids or wanted.message_ids:
        return _encode((text.strip("<>") for text in ids), folded=False)
    if addresses := wanted.recipients or wanted.senders:
        return _encode((text.strip("<>") for text in addresses), folded=True)
    if messages:
        return Words()
    plain = wanted.peers and all(map(_PLAIN_PEER.fullmatch, wanted.peers))
    return _encode(wanted.peers if plain else wanted.users, folded=True)


def _encode(texts: Iterable[str], *, folded: bool) -> Words:
    words = tuple(text.lower() if folded else text for text in texts)
    is_plain = all(word and word.isascii() for word in words)
    return Words(tuple(word.encode() for word in words), folded) if is_plain else Words()


def search(scan: Scan, words: Words, known: Iterable[str] = ()) -> Found | None:
    """Return the lines that may matter, or None where the whole log is to be read.

    ``known`` are queue ids and Message-IDs to which other logs lead.
    """
    found = _look_at_all(scan, words)
    names = set(_encode_names(known))
    if found is not None:
        _add_lines(scan, found, names)
    clues: dict[int, _Clue] = {}
    for _ in range(_MOST_ROUNDS):
        if found is None or found.is_much:
            return None
        clues |= {number: _read_clue(line, words) for number, line in found.lines.items() if number not in clues}
        fresh = _find_names(clues.values(), names) - names
        if not fresh:
            found.names = names
            return _add_sessions(scan, found, names, words)
        names |= fresh
        # Whatever has a wanted word has been found.
        _add_lines(scan, found, {name for name in fresh if not words.are_in(name)})
    return None


def _encode_names(names: Iterable[str]) -> Iterator[bytes]:
    return (name.encode("utf-8", "surrogateescape") for name in names)


def _look_at_all(scan: Scan, words: Words) -> Found | None:
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


class _Clue(NamedTuple):
    """What a line leads to: the messages that it names, and its process, whose other lines may all be needed."""

    messages: tuple[bytes, ...]
    is_wanted: bool
    process: bytes
    converses: bool
    is_needed: bool


def _read_clue(line: bytes, words: Words) -> _Clue:
    own, message_id, process = OF_MESSAGE.search(line), MESSAGE_ID.search(line), PROCESS.search(line)
    messages = {found[1] for found in (own, message_id) if found}
    if any(map(line.__contains__, _NAMES_OTHERS)):
        messages.update(_encode_names(names_of_others(line.decode("utf-8", "surrogateescape"))))
    name, daemon = process.groups() if process else (b"", b"")
    is_needed = process is not None and needs_process(line, daemon)
    return _Clue(tuple(messages), words.are_in(line), name, daemon in CONVERSES, is_needed)


def _find_names(clues: Iterable[_Clue], known: set[bytes]) -> set[bytes]:
    """Return the queue ids, Message-IDs and processes that the lines lead to."""
    names: set[bytes] = set()
    for clue in clues:
        is_wanted = clue.is_wanted or not known.isdisjoint(clue.messages)
        if is_wanted:
            names.update(clue.messages)
        if clue.process and (clue.converses if is_wanted else clue.is_needed):
            names.add(clue.process)
    return names


def _add_lines(scan: Scan, found: Found, names: set[bytes]) -> None:
    """Look through the log for the lines of messages and processes."""
    if names:
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
    _add_lines(scan, found, {name[1] for name in logins if name})


def _add_deliveries(scan: Scan, found: Found, shown: Iterable[bytes]) -> None:
    """Add the messages that the recipients of refused mail got: the same may have been sent in another session."""
    recipients = frozenset(recipient.lower() for line in shown for recipient in _REFUSED.findall(line))
    if not recipients:
        return
    before = set(found.lines)
    _add(scan, found, DeliveryLook(recipients))
    owns = (OF_MESSAGE.search(line) for number, line in found.lines.items() if number not in before)
    _add_lines(scan, found, {own[1] for own in owns if own})


def _add_sessions(scan: Scan, found: Found, names: set[bytes], words: Words) -> Found | None:
    """Add what became of the other messages of a wanted session: they are shown with it."""
    reader = LineReader(_ANY_TIME, UTC)
    records = [
        reader.read(line.decode("utf-8", "surrogateescape").rstrip("\n"), number)
        for number, line in sorted(found.lines.items())
    ]
    wanted = {number for number, line in found.lines.items() if words.are_in(line) or _is_of(line, names)}
    others: set[bytes] = set()
    for session in build_sessions(records).sessions:
        if any(record.number in wanted for record in session.records):
            others |= {name.encode() for name in session.queue_ids}
            wanted.update(record.number for record in session.records)
    _add_lines(scan, found, others - names)
    shown = [line for number, line in found.lines.items() if number in wanted or _is_of(line, others)]
    _add_logins(scan, found, shown)
    _add_deliveries(scan, found, shown)
    return None if found.is_much else found


def _is_of(line: bytes, messages: set[bytes]) -> bool:
    own = OF_MESSAGE.search(line)
    return own is not None and own[1] in messages
