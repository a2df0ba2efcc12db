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

from pfremote.maillog.messages.collect import names_of_others
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.ordinary import CONVERSES, ID, RARE, find_others, needs_process
from pfremote.maillog.parse.lines import LineReader
from pfremote.maillog.sessions.build import build_sessions

#: Up to so many names are looked for one by one.
_FEW = 8
#: Where this part of a log, and so many bytes, would be read, reading everything is as fast.
_PART, _LEAST = 0.3, 500_000
#: From one name to the next hop's, and so on: so many times.
_MOST_ROUNDS = 12
_PROCESS = re.compile(rb" (\S+/(smtpd|smtp|lmtp|cleanup|local|virtual|pipe|bounce|error|discard|pickup)\[\d+\]): ")
_PID = re.compile(rb"\[(\d+)\]: ")
_OF_MESSAGE = re.compile(rb"\]: (?:warning: )?(" + ID + rb"): ")
_MESSAGE_ID = re.compile(rb"message-id=(<[^>\s]+>)")
#: Where the name of a message stands; each begins with fixed text, which is found fast.
_WITH_NAMES = tuple(
    map(
        re.compile,
        (
            rb"\]: (?:warning: )?(" + ID + rb"): ",
            rb"queued as ([0-9A-Za-z]{6,24})",
            rb"queued mail for delivery ([0-9A-Za-z]{6,24})",
            rb"notification: ([0-9A-Za-z]{6,24})",
            rb"orig_queue_id=([0-9A-Za-z]{6,24})",
            rb"message-id=(<[^>\s]+>)",
        ),
    )
)
_TALKS = re.compile(rb"\]: [<>] [^\s\[\]]+\[([^\]\s]+)\]")
_LOGIN = re.compile(rb"\[([^\]\s]+)\], sasl_")
_PLAIN_PEER = re.compile(r"[0-9.]{7,15}|(?=.*[A-Za-z])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

#: Only the order of the lines counts here.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)

#: Reads the log from its beginning, in blocks of whole lines; each call begins anew.
Read = Callable[[], Iterator[bytes]]


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

    def keep(self, block: bytes, places: Iterable[tuple[int, int]], before: int) -> None:
        """Keep lines of a block by where they stand in it; ``before`` lines stand before the block."""
        number, done = before + 1, 0
        for start, end in sorted(places):
            number += block.count(b"\n", done, start)
            done = start
            if number not in self.lines:
                self.lines[number] = block[start:end]
                self.size += end - start

    @property
    def is_much(self) -> bool:
        """Tell whether so much was found that nothing is won."""
        return self.size > max(self.length * _PART, _LEAST)


def choose_words(wanted: Wanted, *, messages: bool) -> tuple[bytes, ...]:
    """Return words, in small letters, of which every line that leads to what is wanted has one; none if unsure.

    ``messages``: the ways of messages are shown, which a peer does not narrow.
    """
    for texts in (wanted.queue_ids, wanted.message_ids, wanted.recipients, wanted.senders):
        if texts:
            return _encode(text.strip("<>") for text in texts)
    plain = wanted.peers and all(map(_PLAIN_PEER.fullmatch, wanted.peers))
    return _encode(wanted.peers) if plain and not messages else ()


def _encode(texts: Iterable[str]) -> tuple[bytes, ...]:
    words = tuple(texts)
    return tuple(word.lower().encode() for word in words) if all(word and word.isascii() for word in words) else ()


def search(read: Read, words: tuple[bytes, ...], known: Iterable[str] = ()) -> Found | None:
    """Return the lines that may matter, or None where the whole log is to be read.

    ``known`` are queue ids and Message-IDs to which other logs lead.
    """
    found = _look_at_all(read, words)
    names = set(_encode_names(known))
    if found is not None and names:
        _add_lines(read, found, names)
    for _ in range(_MOST_ROUNDS):
        if found is None or found.is_much:
            return None
        fresh = _find_names(found.lines.values(), words, names) - names
        if not fresh:
            found.names = names
            return _add_sessions(read, found, names, words)
        names |= fresh
        _add_lines(read, found, fresh)
    return None


def _encode_names(names: Iterable[str]) -> Iterator[bytes]:
    return (name.encode("utf-8", "surrogateescape") for name in names)


def _look_at_all(read: Read, words: tuple[bytes, ...]) -> Found | None:
    """Look at every line once, and keep those with a wanted word and those that are not ordinary."""
    found = Found()
    for block in read():
        places = _find_words(block.lower(), words) | _find_words(block, RARE)
        places.update(find_others(block, found.hosts))
        found.length += len(block)
        found.keep(block, places, found.total)
        found.total += block.count(b"\n")
        if found.is_much:
            return None
    return found


def _find_words(text: bytes, words: Iterable[bytes]) -> set[tuple[int, int]]:
    """Return where the lines stand that hold one of the words."""
    found: set[tuple[int, int]] = set()
    for word in words:
        at = text.find(word)
        while at >= 0:
            found.add(_line_at(text, at))
            at = text.find(word, max(at, text.find(b"\n", at)))
    return found


def _line_at(block: bytes, at: int) -> tuple[int, int]:
    return block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at) + 1


def _find_names(lines: Iterable[bytes], words: tuple[bytes, ...], known: set[bytes]) -> set[bytes]:
    """Return the queue ids, Message-IDs and processes that the lines lead to."""
    names: set[bytes] = set()
    for line in lines:
        own = _OF_MESSAGE.search(line)
        text = line.decode("utf-8", "surrogateescape")
        others = {name.encode("utf-8", "surrogateescape") for name in names_of_others(text)}
        message_id = _MESSAGE_ID.search(line)
        mine = ({own[1]} if own else set()) | others | ({message_id[1]} if message_id else set())
        process = _PROCESS.search(line)
        is_wanted = not known.isdisjoint(mine) or any(word in line.lower() for word in words)
        if is_wanted:
            names |= mine
        if process and (process[2] in CONVERSES if is_wanted else needs_process(line, process[2])):
            names.add(process[1])
    return names


def _add_lines(read: Read, found: Found, names: set[bytes]) -> None:
    """Look through the log for the lines of messages and processes."""
    processes = {name for name in names if name.endswith(b"]")}
    messages = names - processes

    def look(block: bytes) -> set[tuple[int, int]]:
        find = _find_words if len(messages) <= _FEW else _find_messages
        return find(block, messages) | _find_processes(block, processes)

    _add(read, found, look)


def _find_processes(block: bytes, names: set[bytes]) -> set[tuple[int, int]]:
    if len(names) <= _FEW:
        return _find_words(block, [name + b": " for name in names])
    pids = {name.rpartition(b"[")[2].rstrip(b"]") for name in names}
    places = (_line_at(block, at.start()) for at in _PID.finditer(block) if at[1] in pids)
    return {(start, end) for start, end in places if (own := _PROCESS.search(block, start, end)) and own[1] in names}


def _add(read: Read, found: Found, look: Callable[[bytes], set[tuple[int, int]]]) -> None:
    total, left = 0, found.length
    for whole in read():
        block = whole[:left]  # a log may grow meanwhile
        found.keep(block, look(block), total)
        total += block.count(b"\n")
        left -= len(block)
        if not left or found.is_much:
            return


def _find_messages(block: bytes, names: set[bytes]) -> set[tuple[int, int]]:
    return {_line_at(block, at.start()) for pattern in _WITH_NAMES for at in pattern.finditer(block) if at[1] in names}


def _add_logins(read: Read, found: Found) -> None:
    """Add the sessions that name a user of a client whose dialogue is read: they confirm whose a credential is."""
    clients = {client for line in found.lines.values() for client in _TALKS.findall(line)}
    if not clients:
        return
    processes: set[bytes] = set()

    def look(block: bytes) -> set[tuple[int, int]]:
        places = {_line_at(block, at.start()) for at in _LOGIN.finditer(block) if at[1] in clients}
        processes.update(name[1] for start, end in places if (name := _PROCESS.search(block, start, end)))
        return places

    _add(read, found, look)
    if processes:
        _add_lines(read, found, processes)


def _add_sessions(read: Read, found: Found, names: set[bytes], words: tuple[bytes, ...]) -> Found | None:
    """Add what became of the other messages of a wanted session: they are shown with it."""
    reader = LineReader(_ANY_TIME, UTC)
    records = [
        reader.read(line.decode("utf-8", "surrogateescape").rstrip("\n"), number)
        for number, line in sorted(found.lines.items())
    ]
    wanted = {
        number
        for number, line in found.lines.items()
        if any(word in line.lower() for word in words) or ((own := _OF_MESSAGE.search(line)) and own[1] in names)
    }
    others: set[bytes] = set()
    for session in build_sessions(records).sessions:
        if any(record.number in wanted for record in session.records):
            others |= {name.encode() for name in session.queue_ids}
    if others - names:
        _add_lines(read, found, others - names)
    _add_logins(read, found)
    return None if found.is_much else found
