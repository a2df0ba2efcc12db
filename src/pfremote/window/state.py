"""What the phases of one window share: the request, the way to the host, and what is known so far."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from pfremote.agent.client import OpenHost
from pfremote.agent.protocol import Reply, ReplyCutError
from pfremote.agent.read_facts import find_lease
from pfremote.errors import PfremoteError, Reason
from pfremote.fleet.time_source import TimeSource
from pfremote.model.clock import Clock, warn_clock
from pfremote.model.facts import Facts, Lease
from pfremote.model.request import DebugRequest
from pfremote.model.result import GUARD_SLACK, HostResult, fail
from pfremote.text.times import show_moment
from pfremote.window.events import HostEvents

#: Seconds between two tries, and how long to keep trying before the state is called unknown.
RETRY_PAUSE = 3.0
RETRY_FOR = 60.0

Reach = Callable[[], AbstractContextManager[OpenHost]]


class Keep(Protocol):
    """Store what came from one host, redacted and synced; return the result with what is in it."""

    def __call__(self, result: HostResult, reply: Reply, facts: Facts, lease: Lease) -> HostResult:
        """Raise PfremoteError where it cannot be stored; the host then keeps its copy."""


class Follow(Protocol):
    """Show what the log of a window says, as it is written."""

    def take(self, host: str, reply: Reply, facts: Facts, lease: Lease, clock: Clock) -> None:
        """Take a reply to ``tail``."""

    def lose(self, host: str) -> None:
        """Take note that the host cannot be asked just now, or that it is over: do not wait for it."""

    def end(self, host: str) -> None:
        """Show the lines that were held back for later ones: no more lines come."""


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """What is asked of a host; ``poll`` is the pause between two looks in seconds.

    ``decline`` may say, by the host's facts, why nothing is wanted of it; it raises PfremoteError where it
    cannot tell. ``keep_on_host`` leaves the evidence there as well. ``lease`` is the id to arm with; empty
    takes a fresh one.
    """

    request: DebugRequest
    check: bool = False
    detach: bool = False
    diff: bool = False
    poll: float = 5.0
    follow: Follow | None = None
    decline: Callable[[Facts], str] | None = None
    keep_on_host: bool = False
    lease: str = ""


@dataclass(slots=True)
class WindowState:
    """How one window goes. ``due`` is its end by the monotonic clock, ``sessions`` what was seen so far."""

    options: WindowOptions
    reach: Reach
    tell: HostEvents
    keep: Keep
    result: HostResult
    time: TimeSource
    facts: Facts | None = None
    due: float = 0.0
    sessions: int = 0
    hurried: bool = False
    #: The operator said, without any hurry, that it is enough.
    enough: bool = False
    armed_at: float = 0.0
    followable: bool = True
    #: How often in a row the log could not be fetched although the host was reached.
    follow_failures: int = 0
    position: str = ""

    def fail(self, error: PfremoteError) -> None:
        """Note and tell why the host was not served."""
        self.result = fail(self.result, error)
        self.tell.failed(self.result, error)

    def note_clock(self, clock: Clock) -> None:
        """Note how far the host's clock is off, and tell where that is much."""
        warnings = warn_clock(clock)
        self.result = replace(self.result, clock=clock, warnings=(*self.result.warnings, *warnings))
        self.tell.warn(warnings)

    def skip(self, why: str) -> None:
        """Note and tell that nothing is wanted of this host."""
        self.result = replace(self.result, skipped=why)
        self.tell.warn((Reason("skipped", f"left alone: {why}"),))

    def mine(self, reply: Reply) -> Lease | None:
        """Return this window's lease out of a reply."""
        return find_lease(reply, self.result.lease)

    def note_armed(self, reply: Reply) -> None:
        """Note and tell that the host is seen armed.

        Raises:
            ReplyCutError: the reply does not speak of our lease.
        """
        lease = self.mine(reply)
        if lease is None:
            raise ReplyCutError("the host's answer does not speak of the lease that it was asked for")
        self.note_time_left(lease)
        self.armed_at = self.time.monotonic()
        self.result = replace(
            self.result,
            state="armed",
            armed=True,
            guard=lease.guard,
            predating=lease.predating,
            warnings=(*self.result.warnings, *warn_predating(lease), *reply.warnings),
        )
        self.tell.armed(lease, reply, self.result.deadline or lease.deadline)

    def note_sessions(self, lease: Lease) -> None:
        """Note and tell that more matching sessions began."""
        if lease.sessions > self.sessions:
            self.sessions = lease.sessions
            self.tell.seen(lease)

    def note_time_left(self, lease: Lease) -> None:
        """Take the end of the window from the host: seconds left, since two clocks rarely agree."""
        self.due = self.time.monotonic() + lease.left
        self.result = replace(self.result, deadline=int(self.time.epoch()) + lease.left)

    def until(self) -> str:
        """Say when the host's own guard has acted, at the latest."""
        return f"by {show_moment(datetime.fromtimestamp(self.latest() + GUARD_SLACK, UTC))}"

    def latest(self) -> int:
        """Return the deadline, or when it is at the latest where the host did not tell: epoch seconds."""
        return self.result.deadline or int(self.time.epoch()) + self.options.request.seconds


def warn_predating(lease: Lease) -> tuple[Reason, ...]:
    """Return what to say of sessions that had begun when the window opened."""
    if not lease.predating:
        return ()
    number = "1 mail process was" if lease.predating == 1 else f"{lease.predating} mail processes were"
    message = f"{number} in a session when the window opened; those sessions are not in the evidence"
    return (Reason("predating", message),)


class Phase(Protocol):
    """A part of a window's state."""

    @property
    def limit(self) -> float:
        """Seconds that the next step may take."""

    def step(self) -> Step:
        """Do one step."""


@dataclass(frozen=True, slots=True)
class Step:
    """What comes after a step: a pause in seconds and the next phase, or the end where that is None."""

    next: Phase | None = None
    pause: float = 0.0
