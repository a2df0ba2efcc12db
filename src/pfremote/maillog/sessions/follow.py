"""Which message a line of another daemon is about: by its queue id, or by its neighbours of the same process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pfremote.maillog.parse.patterns import notified_as, queue_id
from pfremote.maillog.parse.record import Record

#: Daemons that work on one message at a time, and say some things without its queue id (milter/milter8.c,
#: cleanup_map1n.c, local/*.c): the line belongs to the message of the same process's lines around it.
_ONE_AT_A_TIME = frozenset(("cleanup", "local", "virtual", "pipe", "bounce", "error", "discard", "pickup"))
#: A line without a queue id belongs to the message that the same process names within this time.
_NEAR = timedelta(seconds=10)


def message_of(record: Record) -> str:
    """Return the queue id that the record's text begins with (after ``warning:``), or ``""``."""
    return queue_id(record.text.removeprefix("warning: ").split(" ", 1)[0])


def messages_of(records: Iterable[Record]) -> dict[int, str]:
    """Return the queue id of each record that has one, or whose neighbours have it, by record number."""
    known: dict[int, str] = {}
    last: dict[tuple[str, str, int | None], tuple[str, Record]] = {}
    waiting: dict[tuple[str, str, int | None], list[Record]] = {}
    for record in records:
        key = (record.host, record.tag, record.pid)
        if qid := message_of(record):
            known[record.number] = qid
            # cleanup begins a message with its Message-ID, so an earlier line belongs to the message before.
            begins = ": message-id=" in record.text[:40] and key in last
            for earlier in waiting.pop(key, ()):
                owner, by = last[key] if begins else (qid, record)
                if _is_near(earlier, by):
                    known[earlier.number] = owner
            last[key] = (qid, record)
        elif record.daemon in _ONE_AT_A_TIME and record.pid is not None:
            waiting.setdefault(key, []).append(record)
    for key, left in waiting.items():
        if key in last:
            owner, by = last[key]
            known |= {record.number: owner for record in left if _is_near(record, by)}
    return known


def _is_near(one: Record, other: Record) -> bool:
    return one.time is None or other.time is None or abs(one.time - other.time) <= _NEAR


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
