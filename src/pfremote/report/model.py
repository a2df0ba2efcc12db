"""The report as values: everything that the renderings show, in the order in which they show it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pfremote.errors import Reason

Side = Literal["client", "server", "note"]
Certainty = Literal["proven", "likely", "unknown"]


@dataclass(frozen=True, slots=True)
class Line:
    """One log line of the evidence. ``number`` is its 1-based place in ``evidence.log``."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class TurnView:
    """One line of a transcript. ``gap`` is the seconds since the turn before, 0 where that is not known.

    ``topic`` is the transcript's word for what it is about (``smtp``, ``tls``, ``check``, …); ``count`` how
    often it was repeated. ``awaited`` is the side that the gap was spent waiting for, ``note`` where that
    is not clear.
    """

    side: Side
    topic: str
    text: str
    time: datetime | None = None
    gap: float = 0.0
    line: int = 0
    count: int = 1
    awaited: Side = "note"


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding with the log line that proves it. ``session`` is the session's anchor, maybe empty.

    ``count`` says how many lines of that session show the same.
    """

    code: str
    title: str
    certainty: Certainty
    host: str
    session: str
    proof: Line | None
    count: int
    meaning: str
    next_step: str


@dataclass(frozen=True, slots=True)
class ExposureView:
    """A credential that stands in clear in the host's own log.

    ``where`` is that log, ``shape`` the kind of line in it, ``kind`` what it is (password, bearer token, …).
    """

    host: str
    account: str
    time: datetime | None
    mechanism: str
    kind: str
    shape: str
    where: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session. ``number`` is its 1-based place on its host, which also names ``transcripts/NNN.txt``.

    ``facts`` are (label, text): TLS, SASL, deliveries. ``folded`` counts the debug lines without a turn.
    """

    anchor: str
    number: int
    host: str
    kind: str
    process: str
    peer: str
    started: datetime | None
    ended: datetime | None
    whole: bool
    cut: str
    verbose: bool
    queue_ids: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    turns: tuple[TurnView, ...]
    folded: int
    lines: tuple[Line, ...]
    findings: tuple[FindingView, ...] = ()

    @property
    def seconds(self) -> float | None:
        """How long it took, None where an end is not known."""
        if self.started is None or self.ended is None:
            return None
        return (self.ended - self.started).total_seconds()


@dataclass(frozen=True, slots=True)
class HostView:
    """One host: how it ended, what was seen, what is missing. ``problem`` tells of a damaged run folder.

    ``withheld`` counts the lines that could not be proven free of secrets, by reason.
    ``others`` are the sessions and lines of other peers, which are not shown; ``undecided`` the sessions
    that are shown because nobody could say whether their peer was meant. ``clock`` is how many seconds the
    host's clock is ahead, where that could be told from the measuring error.
    """

    anchor: str
    name: str
    state: str
    armed: bool
    reverted: bool
    drained: bool
    complete: bool
    lines: int
    folder: str = ""
    source: str = ""
    guard: str = ""
    why: str = ""
    error: Reason | None = None
    refusals: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    conflicts: tuple[str, ...] = ()
    missing: tuple[Reason, ...] = ()
    withheld: Mapping[str, int] = field(default_factory=dict)
    others: tuple[int, int] = (0, 0)
    undecided: int = 0
    sessions: tuple[SessionView, ...] = ()
    followed: tuple[Line, ...] = ()
    unplaced: tuple[Line, ...] = ()
    diff: tuple[str, ...] = ()
    clock: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run. ``findings`` are ordered: proven first, then by time of their proof."""

    run: str
    command: tuple[str, ...]
    version: str
    started: datetime
    ended: datetime | None
    exit_code: int | None
    peers: tuple[str, ...] = ()
    reason: str = ""
    hosts: tuple[HostView, ...] = ()
    findings: tuple[FindingView, ...] = ()
    exposures: tuple[ExposureView, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def sessions(self) -> tuple[SessionView, ...]:
        """All sessions of all hosts, host by host."""
        return tuple(session for host in self.hosts for session in host.sessions)

    @property
    def gaps(self) -> tuple[HostView, ...]:
        """The hosts of whose evidence something is missing, or of which nothing came back."""
        return tuple(host for host in self.hosts if host.missing or host.withheld or host.problem or host.error)
