"""The values of a message's way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

#: ``unknown``: the log does not tell, for example because it ends before the message does.
Fate = Literal["delivered", "deferred", "bounced", "expired", "held", "discarded", "refused", "relayed", "unknown"]


@dataclass(frozen=True, slots=True)
class Try:
    """One delivery attempt for one recipient, as the delivery agent logs it (postfix-logwatch shape ``to=<…>``).

    ``delays`` are the four parts of ``delays=a/b/c/d`` in seconds: before the queue manager, in it, connecting,
    transmitting (smtp(8)); None where the line has none. ``next_id`` is the queue id that the next server gave.
    """

    time: datetime | None
    line: int
    daemon: str
    recipient: str
    relay: str
    status: str
    dsn: str
    reason: str
    delays: tuple[float, float, float, float] | None = None
    tls: str = ""
    next_id: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """A message on one host under one queue id. ``origin`` is the queue id that it was made from, if any.

    ``sender`` is empty for a bounce (``from=<>``), None where the log does not tell.
    ``client`` is who brought it (``name[address]``), or ``uid=N`` for one from this host. ``origin_kind`` tells
    what it was made as: ``filter`` (came back from a content filter), ``bounce``, ``requeue``.
    """

    host: str
    queue_id: str
    started: datetime | None = None
    ended: datetime | None = None
    client: str = ""
    user: str = ""
    sender: str | None = None
    message_id: str = ""
    size: int | None = None
    tries: tuple[Try, ...] = ()
    held: bool = False
    dropped: str = ""
    refused: str = ""
    removed: bool = False
    origin: str = ""
    origin_kind: str = ""
    lines: tuple[int, ...] = ()

    @property
    def fate(self) -> Fate:
        """What became of the message here; of several recipients the worst counts."""
        if self.dropped:
            return "discarded"
        if self.refused:
            return "refused"
        statuses = {item.status for item in last_tries(self.tries)}
        for status, fate in _FATES:
            if status in statuses:
                return fate
        if self.held:
            return "held"
        if not statuses:
            return "unknown"
        return "relayed" if any(item.next_id for item in self.tries) else "delivered"


_FATES: tuple[tuple[str, Fate], ...] = (("bounced", "bounced"), ("expired", "expired"), ("deferred", "deferred"))


@dataclass(frozen=True, slots=True)
class Message:
    """The hops of one message over daemons and hosts, in the order of time."""

    id: int
    hops: tuple[Hop, ...]

    @property
    def message_id(self) -> str:
        """Return the Message-ID, where a line has it."""
        return next((hop.message_id for hop in self.hops if hop.message_id), "")

    @property
    def sender(self) -> str | None:
        """Return the envelope sender of the first hop that tells it; None where none does."""
        known = [hop.sender for hop in self._own if hop.sender is not None]
        return next((sender for sender in known if sender), "" if known else None)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Return the recipients that were tried, each once."""
        return tuple(dict.fromkeys(item.recipient for hop in self._own for item in hop.tries))

    @property
    def _own(self) -> Sequence[Hop]:
        """The hops of the message itself; its bounces only where nothing else is known."""
        return [hop for hop in self.hops if hop.origin_kind != "bounce"] or self.hops

    @property
    def ends(self) -> dict[str, str]:
        """Return the last status of each recipient, where no log shows what came of it on a next host."""
        known = {hop.queue_id for hop in self.hops}
        own = (hop for hop in self.hops if hop.origin_kind != "bounce")
        tries = (item for hop in own for item in last_tries(hop.tries))
        return {item.recipient: item.status for item in tries if item.next_id not in known}

    @property
    def fate(self) -> Fate:
        """What became of the message: the worst fate of the hops that are its last, as far as the logs show."""
        known = {(hop.queue_id) for hop in self.hops}
        open_ends = [hop for hop in self.hops if not any(item.next_id in known for item in hop.tries)]
        fates = {hop.fate for hop in (*open_ends, *(hop for hop in self.hops if hop.fate in _BAD))}
        return next((fate for fate in _ORDER if fate in fates), "unknown")


_BAD: tuple[Fate, ...] = ("bounced", "expired", "discarded", "refused", "held", "deferred")
_ORDER: tuple[Fate, ...] = (*_BAD, "relayed", "delivered", "unknown")


def last_tries(tries: tuple[Try, ...]) -> tuple[Try, ...]:
    """Return the last attempt for each recipient: an earlier one was put off and tried again."""
    return tuple({item.recipient: item for item in tries}.values())
