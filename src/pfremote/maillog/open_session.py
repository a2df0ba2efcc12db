"""A session while its lines are still being gathered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pfremote.maillog.record import Record
from pfremote.maillog.shapes import PEER


@dataclass(slots=True)
class OpenSession:
    """What is known of a session so far; becomes a frozen ``Session`` at the end."""

    records: list[Record]
    peer_name: str = ""
    peer_address: str = ""
    peer_port: int | None = None
    nexthop: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    over: bool = False
    died: bool = False
    verbose: bool = False
    cut_start: bool = False
    cut_end: bool = False
    queue_ids: dict[str, None] = field(default_factory=dict)

    def set_peer(self, text: str) -> None:
        """Take the first ``name[address]:port`` of ``text`` as the peer."""
        found = PEER.search(text)
        if found:
            self.peer_name, self.peer_address = found["name"], found["address"]
            self.peer_port = int(found["port"]) if found["port"] else None
