"""The ways of messages as ``message`` events."""

from __future__ import annotations

from typing import Any

from pfremote.maillog.messages.message import Hop, Message, Try
from pfremote.output.output import Output
from pfremote.report import read_messages
from pfremote.store import Run, load_host
from pfremote.store.encode import encode_time, to_json


def tell_messages(run: Run, output: Output) -> None:
    """Tell programs the way of each message of a run over its hosts, after the last host was collected."""
    if output.stream is None:
        return
    for message in read_messages(run, (load_host(run, record) for record in run.hosts)):
        output.stream_only("message", **encode_message(message))


def encode_message(message: Message) -> dict[str, Any]:
    """Return a message's way as its event carries it."""
    return {
        "id": message.id,
        "message_id": message.message_id or None,
        "sender": message.sender,
        "recipients": list(message.recipients),
        "fate": message.fate,
        "hops": [_encode_hop(hop) for hop in message.hops],
    }


def _encode_hop(hop: Hop) -> dict[str, Any]:
    return {
        "host": hop.host,
        "queue_id": hop.queue_id,
        "started": encode_time(hop.started),
        "ended": encode_time(hop.ended),
        "client": hop.client or None,
        "user": hop.user or None,
        "fate": hop.fate,
        "origin": hop.origin or None,
        "origin_kind": hop.origin_kind or None,
        "tries": [_encode_try(item) for item in hop.tries],
    }


def _encode_try(item: Try) -> dict[str, Any]:
    content = to_json(item)
    assert isinstance(content, dict)  # noqa: S101 - a data class becomes an object
    return content
