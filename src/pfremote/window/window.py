"""The window as a job of the fleet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pfremote.agent.client import OpenHost
from pfremote.agent.verdict import explain_loss
from pfremote.fleet.scheduler import LeftError
from pfremote.fleet.time_source import SYSTEM_TIME, TimeSource
from pfremote.model.event import EventSink
from pfremote.model.result import HostResult
from pfremote.window.arm import ArmPhase
from pfremote.window.events import HostEvents
from pfremote.window.revert import RevertPhase
from pfremote.window.state import Keep, Phase, Reach, WindowOptions, WindowState
from pfremote.window.watch import WatchPhase


class Window:
    """One host's window; see :class:`pfremote.fleet.scheduler.Job`."""

    def __init__(
        self,
        name: str,
        options: WindowOptions,
        *,
        reach: Reach,
        emit: EventSink,
        keep: Keep,
        time: TimeSource = SYSTEM_TIME,
    ) -> None:
        tell = HostEvents(name, emit, diff=options.diff)
        self._connecting = False
        self._reach = reach
        self._state = WindowState(options, self._connect, tell, keep, HostResult(name), time)
        self._phase: Phase = ArmPhase(self._state)
        self.begun = False
        self.over = False

    @property
    def limit(self) -> float:
        """Seconds that the next step may take."""
        return self._phase.limit

    @contextmanager
    def _connect(self) -> Iterator[OpenHost]:
        self._connecting = True
        try:
            with self._reach() as host:
                self._connecting = False
                yield host
        finally:
            self._connecting = False

    @property
    def kind(self) -> str:
        """The kind of the next step."""
        return type(self._phase).__name__

    @property
    def doing(self) -> str:
        """What the host is at just now, in one word: also ``connecting``."""
        return "connecting" if self._connecting else self.phase

    @property
    def phase(self) -> str:
        """What the window is at, in one word: ``arming``, ``waiting`` or ``reverting``; ``checking`` arms nothing."""
        if self._state.options.check:
            return "checking"
        if isinstance(self._phase, WatchPhase):
            return "waiting"
        return "reverting" if isinstance(self._phase, RevertPhase) else "arming"

    @property
    def open(self) -> bool:
        """Tell whether the host is seen armed and the window is not over."""
        return self.phase == "waiting"

    @property
    def due(self) -> float:
        """When the window ends, by the monotonic clock."""
        return self._state.due

    @property
    def sessions(self) -> int:
        """How many matching sessions the host has seen so far."""
        return self._state.sessions

    @property
    def result(self) -> HostResult:
        """What is known of the host so far."""
        return self._state.result

    def advance(self) -> float | None:
        """Do the next step."""
        self.begun = True
        step = self._phase.step()
        self.over = step.next is None
        if step.next is None:
            return None
        self._phase = step.next
        return step.pause

    def hurry(self) -> None:
        """End the window at the next step."""
        self._state.hurried = True

    def end(self) -> None:
        """End the window at the next step because it is enough, not because the operator wants out."""
        self._state.enough = True

    def outcome(self) -> HostResult:
        """Return what became of the host."""
        return self._state.result

    def abandon(self, error: BaseException) -> HostResult:
        """Return what is known when the job ends before its time."""
        self.over = True
        if self._state.options.follow is not None:
            self._state.options.follow.lose(self._state.result.host)
        why = "you left before it was done" if isinstance(error, LeftError) else error
        state = self._state
        state.fail(explain_loss(state.result, why, state.until()))
        if state.result.state in ("armed", "unknown"):
            state.result = replace(state.result, deadline=state.latest())
        return state.result
