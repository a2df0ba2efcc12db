"""One peer that was asked for, as it was read. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pfremote.errors import Reason

PeerKind = Literal["address", "network", "hostname", "domain", "nexthop", "file", "table"]


@dataclass(frozen=True, slots=True)
class Peer:
    """One pattern of ``debug_peer_list``.

    ``text`` is what goes into main.cf (with ``!`` where negated), ``body`` the same without ``!``, ``typed`` what it
    was read from. ``table`` is the lookup table type of a table. ``broad`` says why the pattern needs ``--all-peers``
    (else empty). ``note`` is set where the pattern is not what was typed in a way that the operator should know.
    """

    kind: PeerKind
    text: str
    body: str
    negated: bool = False
    table: str = ""
    broad: str = ""
    note: Reason | None = None
    typed: str = field(default="", compare=False)
