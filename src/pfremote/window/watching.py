"""While the window is open: look now and then; close when it is over or the operator wants out."""

from __future__ import annotations

import time
from dataclasses import replace

from pfremote import tasks
from pfremote.agent.protocol import Reply
from pfremote.asking import VERB_SECONDS, OpenHost
from pfremote.errors import HostError, Reason, Refused
from pfremote.facts import Lease
from pfremote.window.closing import Closing
from pfremote.window.course import Course, Turn
from pfremote.window.silence import explain_silence, is_due
from pfremote.window.tailing import follow_log

#: Whoever follows comes often, and asks for the status at each visit of so many.
VISITS_BETWEEN = 3


class Watching:
    """The phase between armed and over. A connection that fails here ends nothing."""

    limit = float(VERB_SECONDS["status"] + 10 * VERB_SECONDS["tail"])

    def __init__(self, course: Course) -> None:
        self._course = course
        self._in_sight = True
        self._visits = 0
        self._wondered = False

    def first_turn(self) -> Turn:
        """Return what comes after arming: with ``--detach`` the end."""
        return Turn() if self._course.options.detach else self._pause()

    def step(self) -> Turn:
        """Look once."""
        course = self._course
        if course.hurried or course.enough:
            return Turn(Closing(course))
        # Somebody may have extended the lease since the last look: the end that counts is the host's.
        overdue = time.monotonic() >= course.due
        try:
            with course.reach() as host:
                follow_log(course, host)
                reply = self._ask(host, surely=overdue)
        except Refused:  # somebody made the host forget it; closing will say so
            return Turn(Closing(course))
        except HostError as exc:
            self._lose(exc)
            return Turn(Closing(course)) if overdue else self._pause()
        self._regain()
        if reply is None:
            return self._pause()
        lease = course.mine(reply)
        if lease is None or lease.state != "armed" or (overdue and lease.left <= 0):
            return Turn(Closing(course))
        self._note_progress(lease, reply)
        return self._pause()

    def _ask(self, host: OpenHost, *, surely: bool) -> Reply | None:
        """Ask for the status; while somebody follows, not at each visit unless ``surely``."""
        self._visits += 1
        if not surely and self._is_followed and self._visits % VISITS_BETWEEN != 0:
            return None
        return tasks.status(host, lease=self._course.result.lease)

    @property
    def _is_followed(self) -> bool:
        return self._course.options.follow is not None and self._course.followable

    def _lose(self, exc: HostError) -> None:
        course = self._course
        if self._in_sight:
            course.tell.lost_sight(exc, course.result.lease, course.until())
            if course.options.follow is not None:
                course.options.follow.lose(course.result.host)
        self._in_sight = False

    def _regain(self) -> None:
        if not self._in_sight and self._is_followed:
            self._course.tell.regained_sight(self._course.result.lease)
        self._in_sight = True

    def _pause(self) -> Turn:
        course = self._course
        return Turn(self, max(min(course.options.poll, course.due - time.monotonic()), 0.05))

    def _note_progress(self, lease: Lease, reply: Reply) -> None:
        course = self._course
        course.note_time_left(lease)
        found = (*_read_warnings(reply), *self._wonder(lease))
        fresh = tuple(reason for reason in found if reason not in course.result.warnings)
        course.result = replace(course.result, warnings=(*course.result.warnings, *fresh))
        course.tell.warn(fresh, lease.id)
        course.note_sessions(lease)

    def _wonder(self, lease: Lease) -> tuple[Reason, ...]:
        """Say once why nobody matched so far (promise P8), while there is time to do something about it."""
        course = self._course
        request = course.options.request
        if self._wondered or not is_due(time.monotonic() - course.armed_at, request.seconds):
            return ()
        reason = explain_silence(lease, request.peers)
        self._wondered = reason is not None or lease.sessions > 0
        return (reason,) if reason is not None else ()


def _read_warnings(reply: Reply) -> tuple[Reason, ...]:
    """Return what a look at an armed host found, a dead guard included."""
    if reply.one("lease.guard_alive") != "no":
        return reply.warnings
    hint = "pfremote revert ends the lease now; the deadline holds as long as this run goes on"
    return (*reply.warnings, Reason("guard-lost", "the guard that ends the lease on the host is gone", hint))
