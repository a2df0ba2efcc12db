"""What the operator asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pfremote.errors import Reason
from pfremote.model.peer import Peer

#: What the inventory may say of a host where neither the command line nor the playbook does: field -> variable.
HOST_VARIABLES = {
    "guard": "pfremote_guard",
    "max_log": "pfremote_max_log",
    "min_free": "pfremote_min_free",
    "drain": "pfremote_drain",
}


@dataclass(frozen=True, slots=True)
class DebugRequest:
    """What the operator asked for, the same for every host of the run.

    ``peers`` are read already; ``mistakes`` says what was typed as a peer and is none: with one of them no host is
    touched. Levels are None where they are not to be touched (``level`` always has a value). Times in seconds, sizes
    in bytes, ``min_free`` in percent.
    ``log`` says where Postfix logs (``journal``, ``file:/path``, ``none`` for elsewhere); empty: the host finds it.
    """

    peers: tuple[Peer, ...]
    seconds: int
    level: int = 2
    smtpd_tls: int | None = None
    smtp_tls: int | None = None
    lmtp_tls: int | None = None
    allow_content: bool = False
    all_peers: bool = False
    volatile_guard: bool = False
    guard: str = "auto"
    log: str = ""
    stop_after: int | None = None
    max_log: int = 256 * 1024 * 1024
    min_free: int = 10
    drain: int = 60
    owner: str = ""
    origin: str = ""
    reason: str = ""
    mistakes: tuple[Reason, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the request as a run folder keeps it; what was no peer is in the host's refusals."""
        kept = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "mistakes"}
        return {**kept, "peers": list(self.patterns)}

    @property
    def patterns(self) -> tuple[str, ...]:
        """The peers as Postfix reads them, in the order in which they were asked for."""
        return tuple(peer.text for peer in self.peers)
