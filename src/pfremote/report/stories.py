"""The way of a message in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pfremote.maillog.messages.message import Fate, Hop, Message, Try
from pfremote.report.model import Grade, HopView, StoryView, TryView
from pfremote.report.words import show_clock
from pfremote.text.times import show_seconds

#: A part of ``delays=a/b/c/d`` that is longer than this is worth a word, in seconds.
WORTH = 1.0
#: So many recipients are named.
MOST_NAMES = 3
_PARTS = ("before the queue manager", "waiting in the queue", "connecting", "transmitting")
_ENDS: dict[Fate, str] = {
    "delivered": "delivered",
    "relayed": "handed on to a server whose log is not here",
    "deferred": "put off; it is tried again",
    "bounced": "returned to its sender",
    "expired": "given up after too long in the queue, and returned to its sender",
    "held": "on hold; it waits until an administrator releases it (postsuper -H)",
    "discarded": "discarded; no one got it and no one was told",
    "refused": "refused before it was queued",
    "unknown": "what became of it is not in these logs",
}
_GRADES: dict[Fate, Grade] = {
    "delivered": "good",
    "relayed": "good",
    "deferred": "late",
    "held": "late",
    "bounced": "bad",
    "expired": "bad",
    "discarded": "bad",
    "refused": "bad",
    "unknown": "open",
}
_TRY_GRADES: dict[str, Grade] = {"sent": "good", "deferred": "late", "bounced": "bad", "expired": "bad"}
_LATEST = datetime.max.replace(tzinfo=UTC)


def tell_story(message: Message, clocks: Mapping[str, float] | None = None) -> StoryView:
    """Return the way of one message as the report shows it.

    ``clocks`` are the seconds that the hosts' clocks are ahead: hops are put in the order in which they were.
    """
    ahead = clocks or {}
    hops = sorted(message.hops, key=lambda hop: _by_one_clock(hop.started, ahead.get(hop.host, 0.0)))
    names = [] if message.sender is None else [f"from {message.sender or '<>'}"]
    names += [f"to {_join_some(message.recipients) or 'recipients not logged'}"]
    if message.message_id:
        names.append(message.message_id)
    views = tuple(_tell_hop(hop, hops, ahead.get(hop.host, 0.0)) for hop in hops)
    end = f"{_tell_end(message)} (last seen on {hops[-1].host}, {hops[-1].queue_id})"
    return StoryView(" ".join(names), message.fate, end, views, _GRADES[message.fate])


def _by_one_clock(time: datetime | None, ahead: float) -> datetime:
    return time - timedelta(seconds=ahead) if time else _LATEST


def _tell_end(message: Message) -> str:
    """Return what became of a message: the worst, and where some recipients fared better, who did which."""
    ends = message.ends
    sent = [recipient for recipient, status in ends.items() if status == "sent"]
    others = [recipient for recipient in ends if recipient not in sent]
    if not sent or not others or message.fate not in ("bounced", "expired", "deferred"):
        return _ENDS[message.fate]
    return f"{_ENDS[message.fate]}: {_join_some(others)}; sent: {_join_some(sent)}"


def _join_some(names: Sequence[str]) -> str:
    left = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {left} more" if left > 0 else "")


def _tell_hop(hop: Hop, hops: Sequence[Hop], ahead: float) -> HopView:
    return HopView(
        hop.host,
        hop.queue_id,
        hop.started,
        hop.ended,
        tuple(_tell_steps(hop)),
        grade=_GRADES[hop.fate],
        tries=tuple(
            TryView(item.time, _TRY_GRADES.get(item.status, "open"), _tell_try(item), _place(item.next_id, hop, hops))
            for item in hop.tries
        ),
        came_from=_place(hop.origin, hop, hops),
        clock=ahead,
    )


def _place(queue_id: str, own: Hop, hops: Sequence[Hop]) -> int | None:
    """Return which of the hops has this queue id, itself excepted."""
    return next((at for at, hop in enumerate(hops) if hop.queue_id == queue_id and hop is not own), None)


def _tell_steps(hop: Hop) -> Iterator[str]:
    if hop.origin_kind:
        made = {"filter": "came back from a content filter", "bounce": "is the bounce", "requeue": "was requeued"}
        yield f"{made[hop.origin_kind]} of {hop.origin}"
    if hop.client:
        yield f"came from {hop.client}" + (f", logged in as {hop.user}" if hop.user else "")
    if hop.refused:
        yield hop.refused
    if hop.held:
        yield "put on hold"
    for item in hop.tries:
        yield f"{show_clock(item.time).strip()} {_tell_try(item)}"
    if hop.dropped:
        yield f"discarded: {hop.dropped}"


def _tell_try(item: Try) -> str:
    told = f"{item.recipient}: {item.status} by {item.daemon} to {item.relay}"
    if item.tls:
        told += f", TLS {item.tls}"
    if late := tell_delays(item.delays):
        told += f", {late}"
    return f"{told} ({item.reason})" if item.reason else told


def tell_delays(delays: tuple[float, float, float, float] | None) -> str:
    """Return where the time went, the parts that took a second or more.

    >>> tell_delays((0.1, 0.0, 30.2, 1.5))
    '30.2 s connecting, 1.5 s transmitting'
    """
    parts = zip(delays or (), _PARTS, strict=False)
    return ", ".join(f"{show_seconds(seconds)} {name}" for seconds, name in parts if seconds >= WORTH)
