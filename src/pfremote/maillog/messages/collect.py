"""Log records of one host → hops: what each queue id went through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from pfremote.maillog.messages.message import Hop, Try
from pfremote.maillog.parse.record import Record

#: ``QUEUEID: rest``; short ids are hexadecimal, long ones base 52 (global/mail_queue.h, enable_long_queue_ids).
_OF_A_MESSAGE = re.compile(
    r"(?:warning: )?(?P<id>[0-9A-F]{6,14}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}): (?P<rest>.*)", re.DOTALL
)
#: The status line of a delivery agent (global/log_adhoc.c).
_TRY = re.compile(
    r"to=<(?P<to>[^>]*)>, (?:orig_to=<[^>]*>, )?relay=(?P<relay>[^,]*), (?:conn_use=\d+, )?delay=[\d.]+, "
    r"(?:delays=(?P<delays>[\d./]+), )?(?:tls=(?P<tls>[^,]*), )?(?:dsn=(?P<dsn>[\d.]+), )?status=(?P<status>\w+)"
    r"(?: \((?P<reason>.*)\))?",
    re.DOTALL,
)
_CLIENT = re.compile(r"client=(?P<client>\S+?)(?:, |\Z)(?:.*?sasl_username=(?P<user>[^,\s]+))?")
_PICKED_UP = re.compile(r"uid=(?P<uid>\d+) from=<(?P<from>[^>]*)>")
_MESSAGE_ID = re.compile(r"(?:resent-)?message-id=(?P<id><?[^>\s]*>?)")
_FROM = re.compile(r"from=<(?P<from>[^>]*)>(?:, size=(?P<size>\d+))?(?:, nrcpt=\d+)?(?:, status=(?P<status>expired))?")
_NEXT = re.compile(r"(?:queued as|queued mail for delivery|Ok: queued as) (?P<id>[0-9A-Za-z]{6,24})")
_NOTICE = re.compile(r"(?:sender|postmaster) (?:non-delivery|delivery status|delay) notification: (?P<id>\S+)")
_ORIGINAL = re.compile(r"orig_client=|orig_queue_id=(?P<id>[0-9A-Za-z]+)")
_REFUSED = re.compile(r"(?:milter-)?reject: ")
_HELD = re.compile(r"(?:milter-)?(?:hold|quarantine): |placed on hold")
_DROPPED = re.compile(r"(?:milter-)?discard: |removed \(discarded\)")


_FIELDS_OF_HOP = tuple(one.name for one in fields(Hop))


@dataclass(slots=True)
class _OpenHop:
    """A hop while its lines are gathered."""

    host: str
    queue_id: str
    started: datetime | None = None
    ended: datetime | None = None
    client: str = ""
    user: str = ""
    sender: str | None = None
    message_id: str = ""
    size: int | None = None
    tries: list[Try] = field(default_factory=list)
    held: bool = False
    dropped: str = ""
    refused: str = ""
    removed: bool = False
    origin: str = ""
    origin_kind: str = ""
    lines: list[int] = field(default_factory=list)
    #: How many lines are still to come, where that is known; 0 and less where it is not.
    left: int = 0

    def close(self) -> Hop:
        values = {name: getattr(self, name) for name in _FIELDS_OF_HOP}
        return Hop(**{**values, "tries": tuple(self.tries), "lines": tuple(self.lines)})


class HopCollector:
    """Takes the lines of one log in their order, and hands on each hop when it is over.

    ``count`` says how many lines are about a message in all, or more: where the last of them was seen its hop is over,
    also one that is never told to be removed.
    """

    def __init__(self, host: str, take: Callable[[Hop], object], count: Callable[[str], int] | None = None) -> None:
        self._host, self._take, self._count = host, take, count or _count_none
        self._opened: dict[tuple[str, str], _OpenHop] = {}
        #: Host and queue id of what was made from another message → that message, and what it was made as.
        self._made: dict[tuple[str, str], tuple[str, str]] = {}

    def feed(self, record: Record) -> None:
        """Take the next line."""
        found = _OF_A_MESSAGE.match(record.text)
        if found is None:
            return
        key, rest = (record.host.strip("-") or self._host, found["id"]), found["rest"]
        hop = self._opened.get(key)
        if hop is None:
            hop = self._opened[key] = _OpenHop(*key, started=record.time, left=self._count(key[1]))
        hop.lines.append(record.number)
        hop.ended = record.time or hop.ended
        _note(hop, record, rest, self._made)
        hop.left -= 1
        if hop.removed or hop.left == 0:
            self._take(self._opened.pop(key).close())

    def finish(self) -> None:
        """End of the log: hand on the others."""
        for hop in self._opened.values():
            self._take(hop.close())
        self._opened.clear()
        self._count = _count_none  # what counts may be large

    def tell_origin(self, hop: Hop) -> Hop:
        """Return a hop, after the end, with what it was made from where only lines of other messages say so."""
        made = self._made.get((hop.host, hop.queue_id)) if self._made else None
        return hop if made is None else replace(hop, origin=made[0], origin_kind=made[1])


def collect_hops(host: str, records: Iterable[Record]) -> tuple[Hop, ...]:
    """Return the hops of one log in the order in which they began. An id that is used again is a new hop.

    ``host`` stands for lines that name none; a loghost's file has several.
    """
    closed: list[Hop] = []
    collector = HopCollector(host, closed.append)
    for record in records:
        collector.feed(record)
    collector.finish()
    return tuple(map(collector.tell_origin, sorted(closed, key=lambda hop: hop.lines[0])))


def find_host(logged: Iterable[str]) -> str:
    """Return the host that lines name, or nothing where they name none or several.

    >>> find_host(["mx", "", "-", "mx"]), find_host(["mx1", "mx2"])
    ('mx', '')
    """
    hosts = set(logged) - {"", "-"}
    return hosts.pop() if len(hosts) == 1 else ""


def _count_none(_queue_id: str) -> int:
    return 0


def name_host(host: str, hops: Iterable[Hop]) -> tuple[Hop, ...]:
    """Return the hops under the name that the operator gave, where the log is that of one host."""
    known = tuple(hops)
    if not host or len({hop.host for hop in known} - {"", host}) > 1:
        return known
    return tuple(hop if hop.host == host else replace(hop, host=host) for hop in known)


def names_of_others(text: str) -> Iterator[str]:
    """Yield the queue ids of other messages that a line names: the next hop's, a notice's, the original's."""
    for pattern in (_NEXT, _NOTICE, _ORIGINAL):
        yield from (found["id"] for found in pattern.finditer(text) if found["id"])


def _note(hop: _OpenHop, record: Record, rest: str, made: dict[tuple[str, str], tuple[str, str]]) -> None:
    """Take one line of the message into the hop; ``made`` maps a new queue id to the one that it came from."""
    if notice := _NOTICE.match(rest):
        made[hop.host, notice["id"]] = (hop.queue_id, "bounce")
    if item := _TRY.match(rest):
        hop.tries.append(_read_try(item, record))
        return
    for pattern, take in _FIELDS:
        if found := pattern.match(rest):
            take(hop, found, rest)
            return
    hop.removed = hop.removed or rest.startswith("removed")


def _read_try(found: re.Match[str], record: Record) -> Try:
    reason = found["reason"] or ""
    following = _NEXT.search(reason)
    return Try(
        time=record.time,
        line=record.number,
        daemon=record.daemon,
        recipient=found["to"],
        relay=found["relay"],
        status=found["status"],
        dsn=found["dsn"] or "",  # Postfix before 2.3 logs none
        reason=reason,
        delays=_read_delays(found["delays"]),
        tls=found["tls"] or "",
        next_id=following["id"] if following and found["status"] == "sent" else "",
    )


def _read_delays(text: str | None) -> tuple[float, float, float, float] | None:
    parts = (text or "").split("/")
    try:
        before, queued, connecting, sending = map(float, parts)
    except ValueError:
        return None
    return before, queued, connecting, sending


def _take_client(hop: _OpenHop, found: re.Match[str], rest: str) -> None:
    hop.client, hop.user = found["client"], found["user"] or hop.user
    original = _ORIGINAL.search(rest)
    if original is not None and original["id"]:
        hop.origin, hop.origin_kind = original["id"], "filter"


def _take_pickup(hop: _OpenHop, found: re.Match[str], _rest: str) -> None:
    hop.client, hop.sender = f"uid={found['uid']}", found["from"]


def _take_message_id(hop: _OpenHop, found: re.Match[str], _rest: str) -> None:
    # cleanup logs message-id=<> of a message that has none: that is no name, and would join all such messages.
    hop.message_id = "" if found["id"] == "<>" else found["id"]


def _take_sender(hop: _OpenHop, found: re.Match[str], _rest: str) -> None:
    hop.sender = found["from"]
    hop.size = int(found["size"]) if found["size"] else hop.size


def _take_refusal(hop: _OpenHop, _found: re.Match[str], rest: str) -> None:
    hop.refused = rest


def _take_hold(hop: _OpenHop, _found: re.Match[str], _rest: str) -> None:
    hop.held = True


def _take_discard(hop: _OpenHop, _found: re.Match[str], rest: str) -> None:
    hop.dropped = rest
    hop.removed = hop.removed or rest.startswith("removed")


_FIELDS: tuple[tuple[re.Pattern[str], Callable[[_OpenHop, re.Match[str], str], None]], ...] = (
    (_CLIENT, _take_client),
    (_PICKED_UP, _take_pickup),
    (_MESSAGE_ID, _take_message_id),
    (_FROM, _take_sender),
    (_REFUSED, _take_refusal),
    (_HELD, _take_hold),
    (_DROPPED, _take_discard),
)
