"""What a host did with messages, as ``sessions.json`` holds it, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pfremote.maillog.messages.collect import name_host
from pfremote.maillog.messages.message import Hop, Try
from pfremote.store.encode import decode_time


def decode_hops(data: Iterable[Mapping[str, Any]], host: str) -> tuple[Hop, ...]:
    """Read the hops of a stored host; ``host`` is how the operator calls it.

    Raises:
        KeyError, TypeError, ValueError: they are damaged.
    """
    return name_host(host, map(_decode_hop, data))


def _decode_hop(data: Mapping[str, Any]) -> Hop:
    return Hop(
        **{
            **data,
            "started": decode_time(data["started"]),
            "ended": decode_time(data["ended"]),
            "tries": tuple(map(_decode_try, data["tries"])),
            "lines": tuple(data["lines"]),
        }
    )


def _decode_try(data: Mapping[str, Any]) -> Try:
    delays = data["delays"]
    before, queued, connecting, sending = map(float, delays or (0, 0, 0, 0))
    return Try(
        **{
            **data,
            "time": decode_time(data["time"]),
            "delays": (before, queued, connecting, sending) if delays else None,
        }
    )
