"""The hops of a log that is not held, packed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import IO

from pfremote.maillog.messages.collect import HopCollector
from pfremote.maillog.messages.message import Hop, Try
from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.spool import Spool
from pfremote.model.lazy import Lazy


class PackedHops(Lazy[Hop]):
    """Takes the lines of a log; its hops, in the order in which they were over, are made when they are asked for.

    ``host`` and ``count`` are those of :class:`~pfremote.maillog.messages.collect.HopCollector`.
    """

    def __init__(self, host: str, file: IO[bytes], count: Callable[[str], int]) -> None:
        self._spool: Spool[Hop] = Spool(file, (Hop, Try))
        self._collector = HopCollector(host, self._spool.add, count)
        self._host, self._is_of_one = "", False

    def feed(self, record: Record) -> None:
        """Take the next line, as it may be shown."""
        self._collector.feed(record)

    def finish(self) -> None:
        """End of the log."""
        self._collector.finish()

    def name_host(self, host: str, *, is_of_one: bool) -> None:
        """Say which host lines are of that name none, or, where the log is of one host, all of them."""
        self._host, self._is_of_one = host, is_of_one

    def __len__(self) -> int:
        return len(self._spool)

    def make(self, place: int) -> Hop:
        """Return one."""
        hop = self._collector.tell_origin(self._spool[place])
        host = self._host if self._is_of_one or not hop.host else hop.host
        return hop if host == hop.host else replace(hop, host=host)
