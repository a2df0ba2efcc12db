"""The report as values: everything that the renderings show, in the order in which they show it. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, overload

from pfremote.errors import Reason
from pfremote.model.lazy import Lazy
from pfremote.report.exposure import ExposureView
from pfremote.report.joined import Joined

Side = Literal["client", "server", "note"]
Certainty = Literal["proven", "likely", "unknown"]
#: How a message fares: it got on, it waits, it was lost or refused, or the log does not tell.
Grade = Literal["good", "late", "bad", "open"]


@dataclass(frozen=True, slots=True)
class Line:
    """One log line of the evidence. ``number`` is its 1-based place in ``evidence.log``."""

    number: int
    text: str


class Lines(Sequence[Line]):
    """Lines of ``evidence`` at 1-based ``numbers``, each made when it is asked for: of most reports few are."""

    __slots__ = ("_evidence", "_numbers")

    def __init__(self, numbers: Iterable[int], evidence: Sequence[str]) -> None:
        #: What holds no more than a number for each line is taken as it is.
        self._numbers: Sequence[int] = numbers if isinstance(numbers, array | Lazy) else array("I", numbers)
        self._evidence = evidence

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Line]:
        return (Line(number, self._evidence[number - 1]) for number in self._numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> Lines: ...
    def __getitem__(self, place: int | slice) -> Line | Lines:
        if isinstance(place, slice):
            return Lines(self._numbers[place], self._evidence)
        number = self._numbers[place]
        return Line(number, self._evidence[number - 1])


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
    lines: Sequence[Line]
    findings: tuple[FindingView, ...] = ()


@dataclass(frozen=True, slots=True)
class HostView:
    """One host: how it ended, what was seen, what is missing. ``problem`` tells of a damaged run folder.

    ``withheld`` counts the lines that could not be proven free of secrets, by reason.
    ``others`` are the sessions and lines of other peers, which are not shown; ``undecided`` the sessions
    that are shown because it could not be told whether their peer was meant; ``quiet`` counts those that are left out
    because they have no finding. ``layout`` tells which layouts a log has that was not collected. ``clock`` is how
    many seconds the host's clock is ahead, where that could be told from the measuring error.
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
    layout: str = ""
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
    quiet: int = 0
    sessions: Sequence[SessionView] = ()
    followed: Sequence[Line] = ()
    unplaced: Sequence[Line] = ()
    diff: tuple[str, ...] = ()
    clock: float = 0.0
    problem: str = ""

    def anchor_session(self, number: int) -> str:
        """Return the anchor of a session of this host, by its number."""
        return f"{self.anchor}-s{number}"


@dataclass(frozen=True, slots=True)
class TryView:
    """One delivery attempt of a hop. ``leads_to`` is the place of the hop that it made, from 0, or None."""

    time: datetime | None
    grade: Grade
    text: str
    leads_to: int | None = None


@dataclass(frozen=True, slots=True)
class HopView:
    """A message on one host, in the order of time; ``steps`` are sentences about what became of it there.

    ``came_from`` is the place of the hop that it was made from there (a filter's copy, a bounce), or None;
    ``clock`` is how many seconds the host's clock is ahead.
    """

    host: str
    queue_id: str
    started: datetime | None
    ended: datetime | None
    steps: tuple[str, ...]
    grade: Grade = "open"
    tries: tuple[TryView, ...] = ()
    came_from: int | None = None
    clock: float = 0.0


@dataclass(frozen=True, slots=True)
class StoryView:
    """The way of one message. ``title`` names it by sender, recipients and Message-ID, ``end`` says where it is."""

    title: str
    fate: str
    end: str
    hops: tuple[HopView, ...]
    grade: Grade = "open"


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run. ``findings`` are ordered: proven first, then by time of their proof.

    ``targets`` counts the hosts that were to be contacted.
    ``quiet`` counts the sessions that are left out because they have no finding.
    """

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
    stories: Collection[StoryView] = ()
    quiet: int = 0
    targets: int = 0

    @property
    def of_logs(self) -> bool:
        """Tell whether these are logs that were read, and no host was contacted."""
        return bool(self.hosts) and all(host.state == "read" for host in self.hosts)

    @property
    def sessions(self) -> Sequence[SessionView]:
        """All sessions of all hosts, host by host."""
        return Joined([host.sessions for host in self.hosts])

    @property
    def gaps(self) -> tuple[HostView, ...]:
        """The hosts of whose evidence something is missing, or of which nothing came back."""
        return tuple(host for host in self.hosts if host.missing or host.withheld or host.problem or host.error)
