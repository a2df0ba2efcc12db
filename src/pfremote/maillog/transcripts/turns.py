"""The values a transcript is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pfremote.maillog.sessions.build import Session

Who = Literal["C", "S", "*"]
Topic = Literal[
    "smtp", "connection", "tls", "sasl", "check", "policy", "reject", "queue", "delivery", "warning", "note"
]
Outcome = Literal["accepted", "refused", "aborted", "unfinished"]
Decision = Literal["permit", "reject", "undecided"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of a transcript. ``who``: the SMTP client, the SMTP server, or ``*`` for what Postfix says
    about them.

    ``gap`` is the time in seconds since the turn before, ``line`` the number of the record that it shows,
    ``count`` how often rsyslog says that it was repeated.
    """

    time: datetime | None
    gap: float
    who: Who
    topic: Topic
    text: str
    line: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Tls:
    """One TLS connection; ``trust`` is Postfix's word (Anonymous, Untrusted, Trusted, Verified)."""

    protocol: str
    cipher: str
    trust: str
    line: int


@dataclass(frozen=True, slots=True)
class Sasl:
    """One AUTH exchange. ``user`` is empty where the log does not say it."""

    mechanism: str
    user: str
    outcome: Outcome
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Check:
    """One run over a restriction list (``Client host``, ``Recipient address``, …) and the restriction that
    decided.

    ``tried`` are the restrictions before it; ``table``, ``key`` and ``result`` the last table or policy
    service consulted.
    """

    stage: str
    decision: Decision
    restriction: str
    tried: tuple[str, ...]
    table: str
    key: str
    result: str
    line: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one recipient: the status line of smtp, lmtp, local, virtual, pipe, error, discard."""

    queue_id: str
    recipient: str
    relay: str
    dsn: str
    status: str
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """The readable form of one session. ``folded`` counts the debug lines that are not shown."""

    session: Session
    turns: tuple[Turn, ...]
    tls: tuple[Tls, ...]
    sasl: tuple[Sasl, ...]
    checks: tuple[Check, ...]
    rejects: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    folded: int

    @property
    def slowest(self) -> Turn | None:
        """The turn that took longest to come, if that was a second or more."""
        late = max(self.turns, key=lambda turn: turn.gap, default=None)
        return late if late is not None and late.gap >= 1 else None
