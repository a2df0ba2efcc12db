"""The window as a job of the fleet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pfremote.asking import OpenHost
from pfremote.events import EventSink
from pfremote.fleet import LeftError
from pfremote.results import HostResult
from pfremote.verdict import explain_loss
from pfremote.window.closing import Closing
from pfremote.window.course import Course, Keep, Phase, Reach, WindowOptions
from pfremote.window.events import HostEvents
from pfremote.window.opening import Opening
from pfremote.window.watching import Watching


class Window:
    """One host's window; see :class:`pfremote.fleet.Job`."""

    def __init__(self, name: str, options: WindowOptions, *, reach: Reach, emit: EventSink, keep: Keep) -> None:
        tell = HostEvents(name, emit, diff=options.diff)
        self._connecting = False
        self._reach = reach
        self._course = Course(options, self._connect, tell, keep, HostResult(name))
        self._phase: Phase = Opening(self._course)
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
        """What the window is at, in one word: ``arming``, ``waiting`` or ``reverting``."""
        if isinstance(self._phase, Watching):
            return "waiting"
        return "reverting" if isinstance(self._phase, Closing) else "arming"

    @property
    def open(self) -> bool:
        """Tell whether the host is seen armed and the window is not over."""
        return self.phase == "waiting"

    @property
    def due(self) -> float:
        """When the window ends, by the monotonic clock."""
        return self._course.due

    @property
    def sessions(self) -> int:
        """How many matching sessions the host has seen so far."""
        return self._course.sessions

    @property
    def result(self) -> HostResult:
        """What is known of the host so far."""
        return self._course.result

    def advance(self) -> float | None:
        """Do the next step."""
        self.begun = True
        turn = self._phase.step()
        self.over = turn.next is None
        if turn.next is None:
            return None
        self._phase = turn.next
        return turn.pause

    def hurry(self) -> None:
        """End the window at the next step."""
        self._course.hurried = True

    def end(self) -> None:
        """End the window at the next step because it is enough, not because somebody wants out."""
        self._course.enough = True

    def outcome(self) -> HostResult:
        """Return what became of the host."""
        return self._course.result

    def abandon(self, error: BaseException) -> HostResult:
        """Return what is known when the job ends before its time."""
        self.over = True
        if self._course.options.follow is not None:
            self._course.options.follow.lose(self._course.result.host)
        why = "you left before it was done" if isinstance(error, LeftError) else error
        course = self._course
        course.fail(explain_loss(course.result, why, course.until()))
        if course.result.state in ("armed", "unknown"):
            course.result = replace(course.result, deadline=course.latest())
        return course.result
