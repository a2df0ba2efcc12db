"""Which lines of a large log may be about what was asked for, told from its bytes before anything is parsed.

A line that holds a wanted word leads to queue ids and processes, these lead to others: the next hop's id, the bounce's,
that of the same Message-ID. All lines of these messages are read, the sessions that lines of them are in, and every
line that is not plainly ordinary, with its session where what it teaches depends on that: no secret that a line could
teach is missed, and what Postfix says of the host is there. So the result is that of reading everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from pfremote.maillog.clues import encode_names
from pfremote.maillog.looks import OF_MESSAGE, DeliveryLook, LoginLook, Words
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.neighbours import Reach, Times
from pfremote.maillog.parse.lines import LineReader
from pfremote.maillog.parse.record import Record
from pfremote.maillog.sessions.build import build_sessions
from pfremote.maillog.sessions.follow import messages_of
from pfremote.maillog.trail import Found, Scan, Trail

#: How often the log is searched again for names that the lines found before have shown: one round leads to one hop.
_MOST_ROUNDS = 12
#: Whose dialogue a line is of.
_TALKS = re.compile(rb"\]: [<>] [^\s\[\]]+\[([^\]\s]+)\]")
#: Whose words a line quotes (redact/quoted.py).
_QUOTED = re.compile(
    rb"(?: (?:command|COMMAND|NEWLINE|PIPELINING) from | (?:pipelining|PREGREET \d+) after \S+ from |\]: (?:warning: )?"
    rb"(?=\S+: (?:replacing |request longer )))[^\s\[\]]*\[([^\]\s]+)\]"
)
_ADDRESS = re.compile(rb"\[([0-9a-fA-F.:]+)\]")
_LET_IN = b", sasl_method="
_LOGIN_FAILED = re.compile(rb"\[([^\]\s]+)\]\S*: SASL \S+ authentication failed")
_REFUSED = re.compile(rb"reject: .*; from=<[^>\n]*>,? to=<([^>\n]*)>")


def search(
    scan: Scan,
    words: Words,
    wanted: Wanted,
    moment: datetime,
    known: Iterable[str] = (),
    reach: Reach | None = None,
) -> Found | None:
    """Return the lines that may matter, or None where the whole log is to be read.

    ``words`` are those of what is ``wanted``; ``moment`` is when the log was written last, in its time zone: it dates
    the stamps. ``known`` are queue ids and Message-IDs to which other logs lead. Without ``reach`` processes are read
    whole.
    """
    trail = Trail(scan, words, reach)
    found = trail.found
    trail.look_at_all()
    if not found.is_much:
        trail.add_names(encode_names(known))
    for _ in range(_MOST_ROUNDS):
        if found.is_much:
            return None
        trail.read_clues()
        fresh = (trail.follow_messages() | trail.follow_processes()) - trail.names
        if not fresh:
            found.names = set(trail.names)
            _Rest(trail, words, wanted, moment).add_all()
            return None if found.is_much else found
        trail.add_names(fresh)
    return None


class _Rest:
    """What is needed beside the lines of wanted messages, and of their sessions."""

    def __init__(self, trail: Trail, words: Words, wanted: Wanted, moment: datetime) -> None:
        self._trail, self._words, self._wanted = trail, words, wanted
        self._reader = LineReader(moment, timezone(moment.utcoffset() or timedelta()))
        self._lines = trail.found.lines

    def add_all(self) -> None:
        """Add what became of the other messages of a wanted session, shown with it, and what tells of them."""
        lines, names = self._lines, self._trail.names.copy()
        records = self._read_records(lines)
        wanted = {number for number, line in lines.items() if self._words.are_in(line) or _is_of(line, names)}
        if self._wanted.users:  # whom a dialogue names is in no plain text
            wanted.update(number for number, line in lines.items() if _TALKS.search(line))
        others: set[bytes] = set()
        for session in build_sessions(records).sessions:
            if any(record.number in wanted for record in session.records):
                others |= {name.encode() for name in session.queue_ids}
                wanted.update(record.number for record in session.records)
        self._trail.add_names(others)
        shown = {number: line for number, line in lines.items() if number in wanted or _is_of(line, others)}
        times = Times(record.time for record in self._read_records(shown))
        self._add_near(record.number for record in records if times.are_near(record.time))
        self._add_logins(shown.values())
        self._add_deliveries(shown.values())

    def _read_records(self, numbers: Iterable[int]) -> list[Record]:
        lines = ((number, self._lines[number].decode("utf-8", "surrogateescape")) for number in sorted(numbers))
        return [self._reader.read(line.rstrip("\n"), number) for number, line in lines]

    def _add_near(self, numbers: Iterable[int]) -> None:
        """Add what belongs to lines of the time of what is shown: alone they would count as lines of the host."""
        trail = self._trail
        trail.read_clues()
        for number in numbers:
            process = trail.clues[number].process
            if process is not None and process.daemon == b"smtpd":
                trail.needed.add(process)
            elif process is not None and not process.converses:
                trail.near.add(number)
        trail.settle()
        processes = {process for number in trail.near if (process := trail.clues[number].process)}
        messages = messages_of(self._read_records(number for one in processes for number in trail.lines_of[one]))
        trail.add_names(messages[number].encode() for number in trail.near & messages.keys())
        trail.settle()

    def _add_logins(self, shown: Iterable[bytes]) -> None:
        """Add what names a user of a client whose dialogue is read: it confirms whose a credential is.

        Of messages only the credentials in lines that are ``shown`` are told. What names a user of a client whose login
        is shown to be refused is added as well: it may be let in later, in another session.
        """
        lines, trail = self._lines, self._trail
        quoted = {client for line in lines.values() for client in _QUOTED.findall(line)}
        if self._wanted.of_messages():
            quoted &= {client for line in shown for client in _ADDRESS.findall(line)}
        clients = quoted.union(client for line in lines.values() for client in _TALKS.findall(line))
        clients.update(client for line in shown for client in _LOGIN_FAILED.findall(line))
        if not clients:
            return
        look = LoginLook(frozenset(clients))
        trail.add(look)
        trail.read_clues()
        logins = (number for number, line in lines.items() if _LET_IN in line and look.finds(line))
        trail.needed.update(process for number in logins if (process := trail.clues[number].process))
        trail.settle()

    def _add_deliveries(self, shown: Iterable[bytes]) -> None:
        """Add the messages that the recipients of refused mail got: the same may have been sent in another session."""
        recipients = frozenset(recipient.lower() for line in shown for recipient in _REFUSED.findall(line))
        if not recipients:
            return
        look = DeliveryLook(recipients)
        self._trail.add(look)
        owns = (OF_MESSAGE.search(line) for line in self._lines.values() if look.finds(line))
        self._trail.add_names({own[1] for own in owns if own})
        self._trail.settle()


def _is_of(line: bytes, messages: set[bytes]) -> bool:
    own = OF_MESSAGE.search(line)
    return own is not None and own[1] in messages
