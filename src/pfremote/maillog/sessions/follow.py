"""Which message a line of another daemon is about: by its queue id, or by its neighbours of the same process."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from pfremote.maillog.parse.patterns import OF_MESSAGE, notified_as
from pfremote.maillog.parse.record import Record
from pfremote.maillog.tally import Latest

#: Daemons that work on one message at a time, and say some things without its queue id (milter/milter8.c,
#: cleanup_map1n.c, local/*.c): the line belongs to the message of the same process's lines around it.
_ONE_AT_A_TIME = frozenset(("cleanup", "local", "virtual", "pipe", "bounce", "error", "discard", "pickup"))
#: A line without a queue id belongs to the message that the same process names within this time.
_NEAR = timedelta(seconds=10)

#: A queue id of Postfix has no more characters.
_ID = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_NO_TIME = -(1 << 63)

Key = tuple[str, str, int | None]


def message_of(record: Record) -> str:
    """Return the queue id that the record's text begins with (after ``warning:``), or ``""``."""
    found = OF_MESSAGE.match(record.text)
    return found[1] if found else ""


class Messages:
    """Tells, in the order of the log, which message each line is about; some only when a later line came."""

    def __init__(self) -> None:
        self._last = _LastNamed()
        self._waiting: dict[Key, list[Record]] = {}

    def feed(self, record: Record) -> list[tuple[Record, str]]:
        """Take the next line; return the lines of which this is known now, with ``""`` for one about none."""
        qid = message_of(record)
        if record.daemon not in _ONE_AT_A_TIME or record.pid is None:
            return [(record, qid)]
        key = (record.host, record.tag, record.pid)
        if not qid:
            self._waiting.setdefault(key, []).append(record)
            return []
        waiting = self._waiting.pop(key, ())
        # cleanup begins a message with its Message-ID, so an earlier line belongs to the message before.
        before = self._last.get(key) if waiting and ": message-id=" in record.text[:40] else None
        owner, time = before or (qid, record.time)
        self._last.put(key, qid, record.time)
        told = [(earlier, owner if _is_near(earlier.time, time) else "") for earlier in waiting]
        return [*told, (record, qid)]

    def finish(self) -> Iterator[tuple[Record, str]]:
        """End of the log: yield the lines that still wait."""
        for key, left in self._waiting.items():
            owner, time = self._last.get(key) or ("", None)
            yield from ((record, owner if _is_near(record.time, time) else "") for record in left)


class _LastNamed:
    """The last message that each process named, and when, in some forty bytes a process."""

    def __init__(self) -> None:
        self._places = Latest()
        self._ids = bytearray()
        #: Those that are longer, by place.
        self._long: dict[int, str] = {}
        self._times = array("q")

    def put(self, process: Key, qid: str, time: datetime | None) -> None:
        """Note what a process named."""
        place = self._places.get(process)
        if place is None:
            place = len(self._times)
            self._places.put(process, place)
            self._times.append(0)
            self._ids += bytes(_ID)
        if len(qid) > _ID:
            self._long[place] = qid
        elif self._long:
            self._long.pop(place, None)
        self._ids[place * _ID : (place + 1) * _ID] = qid[:_ID].encode("ascii").ljust(_ID, b"\0")
        self._times[place] = _NO_TIME if time is None else (time - _EPOCH) // _TICK

    def get(self, process: Key) -> tuple[str, datetime | None] | None:
        """Return what a process named last; None where it named nothing."""
        place = self._places.get(process)
        if place is None:
            return None
        ticks = self._times[place]
        short = self._ids[place * _ID : (place + 1) * _ID].rstrip(b"\0").decode("ascii")
        return self._long.get(place, short), None if ticks == _NO_TIME else _EPOCH + ticks * _TICK


def messages_of(records: Iterable[Record]) -> dict[int, str]:
    """Return the queue id of each record that has one, or whose neighbours have it, by record number."""
    messages = Messages()
    told = [item for record in records for item in messages.feed(record)]
    return {record.number: qid for record, qid in (*told, *messages.finish()) if qid}


def _is_near(one: datetime | None, other: datetime | None) -> bool:
    return one is None or other is None or abs(one - other) <= _NEAR


def follow(records: Iterable[Record], queue_ids: set[str]) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """Split ``records``: those about one of ``queue_ids`` (or about a bounce made from one), and the rest."""
    records = tuple(records)
    messages = messages_of(records)
    wanted = set(queue_ids)
    followed, rest = [], []
    for record in records:
        if messages.get(record.number) in wanted:
            followed.append(record)
            if record.daemon == "bounce" and (bounce := notified_as(record.text)):
                wanted.add(bounce)
        else:
            rest.append(record)
    return tuple(followed), tuple(rest)
