"""The messages of logs that are not held: joined on disk, from the names of their hops alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from operator import itemgetter
from typing import IO

from pfremote.errors import PfremoteError
from pfremote.maillog.messages.join import APART, Groups
from pfremote.maillog.messages.merge import is_same, merge
from pfremote.maillog.messages.message import Hop, Message, Try
from pfremote.maillog.pieces.spool import Spool

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
#: Pages that are held, in KiB; SQLite sorts in as much again. With four times as much it takes no less time.
_CACHE = 4 * 1024

#: ``led``: the queue ids that the next servers gave. ``merged``, ``gone``: what becomes of hops that several logs have.
_TABLES = f"""
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{_CACHE}; PRAGMA temp_store = FILE;
CREATE TABLE met (log, place, line, started, host, queue_id, message_id, origin);
CREATE TABLE led (log, place, queue_id);
CREATE TABLE merged (number, place, message_id, origin);
CREATE TABLE gone (number INTEGER PRIMARY KEY);
"""
#: Hops are numbered from 1 in the order of time, as join_messages has them.
_ORDER = """
CREATE TABLE hop (number INTEGER PRIMARY KEY, log, place, started, host, queue_id, message_id, origin);
INSERT INTO hop (log, place, started, host, queue_id, message_id, origin)
    SELECT log, place, started, host, queue_id, message_id, origin FROM met ORDER BY started, log, line;
DROP TABLE met;
CREATE INDEX by_queue_id ON hop (queue_id, host);
CREATE INDEX by_place ON hop (log, place);
"""
_SEVERAL = """
SELECT number, log, place, host, queue_id FROM hop
    WHERE (queue_id, host) IN (SELECT queue_id, host FROM hop GROUP BY queue_id, host HAVING count(*) > 1)
    ORDER BY queue_id, host, number
"""
_LED = """
SELECT hop.number, hop.started, led.rowid, next.number, next.started FROM led
    JOIN hop ON hop.log = led.log AND hop.place = led.place
    JOIN hop AS next ON next.queue_id = led.queue_id AND next.number != hop.number
    ORDER BY led.rowid, next.number
"""
_MADE = """
SELECT hop.number, hop.started, hop.number, other.number, other.started FROM hop
    JOIN hop AS other ON other.queue_id = hop.origin AND other.host = hop.host AND other.number != hop.number
    ORDER BY hop.number, other.number
"""
_NAMED = "SELECT message_id, number, started FROM hop WHERE message_id IS NOT NULL ORDER BY message_id, number"
#: The hops of each message beside each other; SQLite sorts them on disk.
_MESSAGES = "SELECT first_of(number) AS first, log, place FROM hop ORDER BY first, number"


def join_on_disk(logs: Sequence[Sequence[Hop]], spool: IO[bytes] | None = None) -> Iterator[Message]:
    """Yield what :func:`~pfremote.maillog.messages.join.join_messages` returns of all hops, and hold only their places.

    What is made of hops that several logs have is put into the file ``spool``.

    Raises:
        PfremoteError: there is no room for the names.
    """
    try:
        # A database without a name is a file that no one else can open; nothing is left of it.
        with closing(sqlite3.connect("", isolation_level=None)) as base:
            base.executescript(_TABLES)
            yield from _Ways(base, logs, spool).join()
    except sqlite3.Error as exc:
        raise PfremoteError(f"messages cannot be joined on disk: {exc}", hint="Set TMPDIR to a folder.") from exc


class _Ways:
    """The hops of logs as rows of tables: what they have in common is found there."""

    def __init__(self, base: sqlite3.Connection, logs: Sequence[Sequence[Hop]], spool: IO[bytes] | None) -> None:
        self._base = base
        self._merged: Spool[Hop] = Spool(spool, (Hop, Try))
        #: The logs, and after them the hops that are made of those of several.
        self._logs: list[Sequence[Hop]] = [*logs, self._merged]

    def join(self) -> Iterator[Message]:
        """Yield the messages."""
        self._base.execute("BEGIN")
        for log, hops in enumerate(self._logs):
            for place, hop in enumerate(hops):
                self._add(log, place, hop)
        self._base.executescript(_ORDER)  # which ends what was begun
        self._base.execute("BEGIN")
        self._merge()
        self._base.execute("COMMIT")
        self._base.create_function("first_of", 1, self._group().find)
        rows = self._base.execute(_MESSAGES)
        for number, (_, members) in enumerate(groupby(rows, key=itemgetter(0)), 1):
            yield Message(number, tuple(self._logs[log][place] for _, log, place in members))

    def _add(self, log: int, place: int, hop: Hop) -> None:
        started = None if hop.started is None else (hop.started - _EPOCH) // _TICK
        names = map(_name, (hop.host, hop.queue_id, hop.message_id, hop.origin))
        row = log, place, hop.lines[0], started, *names
        self._base.execute("INSERT INTO met VALUES (?,?,?,?,?,?,?,?)", row)
        self._add_led(log, place, hop)

    def _add_led(self, log: int, place: int, hop: Hop) -> None:
        for name in dict.fromkeys(item.next_id for item in hop.tries if item.next_id):
            self._base.execute("INSERT INTO led VALUES (?,?,?)", (log, place, _name(name)))

    def _merge(self) -> None:
        """Make one hop of those that several logs have of a message on one host."""
        rows = self._base.execute(_SEVERAL)
        for _, same in groupby(rows, key=itemgetter(3, 4)):
            for hop, (first, *others) in _merge_same((row[0], self._logs[row[1]][row[2]]) for row in same):
                self._base.executemany("INSERT INTO gone VALUES (?)", ((number,) for number in others))
                if others:
                    row = first, len(self._merged), _name(hop.message_id), _name(hop.origin)
                    self._base.execute("INSERT INTO merged VALUES (?,?,?,?)", row)
                    self._add_led(len(self._logs) - 1, len(self._merged), hop)
                    self._merged.add(hop)
        self._base.execute("DELETE FROM hop WHERE number IN (SELECT number FROM gone)")
        for number, *values in self._base.execute("SELECT number, place, message_id, origin FROM merged"):
            query = "UPDATE hop SET log = ?, place = ?, message_id = ?, origin = ? WHERE number = ?"
            self._base.execute(query, (len(self._logs) - 1, *values, number))

    def _group(self) -> Groups:
        (size,) = self._base.execute("SELECT coalesce(max(number), 0) FROM hop").fetchone()
        groups = Groups(size + 1)
        for query in (_LED, _MADE):
            for hop, other in _find_nearest(self._base.execute(query)):
                groups.join(hop, other)
        for (name, *one), (next_name, *other) in pairwise(self._base.execute(_NAMED)):
            if name == next_name and _distance(one[1], other[1]) <= APART // _TICK:
                groups.join(one[0], other[0])
        return groups


def _merge_same(hops: Iterable[tuple[int, Hop]]) -> Iterator[tuple[Hop, list[int]]]:
    """Yield hops of one queue id, each with the numbers of those that it is made of."""
    known: Hop | None = None
    numbers: list[int] = []
    for number, hop in hops:
        if known is not None and is_same(known, hop):
            known = merge(known, hop)
            numbers.append(number)
            continue
        if known is not None:
            yield known, numbers
        known, numbers = hop, [number]
    if known is not None:
        yield known, numbers


def _name(text: str) -> bytes | None:
    """Return a name as it is compared there, None for no name, which is like no other."""
    return text.encode("utf-8", "surrogateescape") or None


def _find_nearest(rows: Iterable[tuple[int, int | None, int, int, int | None]]) -> Iterator[tuple[int, int]]:
    """Yield hops with the one of several of the same queue id that is nearest in time, the earlier of two."""
    for _, candidates in groupby(rows, key=itemgetter(2)):
        near = [(_distance(started, other_started), other, hop) for hop, started, _, other, other_started in candidates]
        distance, other, hop = min(near)
        if distance <= APART // _TICK:
            yield hop, other


def _distance(one: int | None, other: int | None) -> int:
    return 0 if one is None or other is None else abs(one - other)
