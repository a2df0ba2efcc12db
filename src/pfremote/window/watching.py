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


class Watching:
    """The phase between armed and over. A connection that fails here ends nothing."""

    limit = float(VERB_SECONDS["status"] + VERB_SECONDS["collect"])

    def __init__(self, course: Course) -> None:
        self._course = course
        self._in_sight = True
        self._bytes = 0

    def first_turn(self) -> Turn:
        """Return what comes after arming: with ``--detach`` the end."""
        return Turn() if self._course.options.detach else self._pause()

    def step(self) -> Turn:
        """Look once."""
        course = self._course
        if course.hurried or time.monotonic() >= course.due:
            return Turn(Closing(course))
        try:
            with course.reach() as host:
                reply = tasks.status(host, lease=course.result.lease)
                lease = course.mine(reply)
                if lease is not None:
                    self._follow(host, lease)
        except Refused:  # somebody made the host forget it; closing will say so
            return Turn(Closing(course))
        except HostError as exc:
            if self._in_sight:
                course.tell.lost_sight(exc, course.result.lease, course.until())
            self._in_sight = False
            return self._pause()
        self._in_sight = True
        if lease is None or lease.state != "armed":
            return Turn(Closing(course))
        self._note_progress(lease, reply)
        return self._pause()

    def _follow(self, host: OpenHost, lease: Lease) -> None:
        """Fetch the evidence so far, where somebody follows and the log has grown since the last time."""
        course = self._course
        if course.options.follow is None or course.facts is None or lease.state != "armed":
            return
        if lease.sessions and lease.bytes != self._bytes:
            self._bytes = lease.bytes
            reply = tasks.collect(host, lease=lease.id)
            course.options.follow(course.result.host, reply, course.facts, lease)

    def _pause(self) -> Turn:
        course = self._course
        return Turn(self, max(min(course.options.poll, course.due - time.monotonic()), 0.05))

    def _note_progress(self, lease: Lease, reply: Reply) -> None:
        course = self._course
        course.note_time_left(lease)
        fresh = tuple(reason for reason in _read_warnings(reply) if reason not in course.result.warnings)
        course.result = replace(course.result, warnings=(*course.result.warnings, *fresh))
        course.tell.warn(fresh, lease.id)
        if lease.sessions > course.sessions:
            course.sessions = lease.sessions
            course.tell.seen(lease)


def _read_warnings(reply: Reply) -> tuple[Reason, ...]:
    """Return what a look at an armed host found, a dead guard included."""
    if reply.one("lease.guard_alive") != "no":
        return reply.warnings
    hint = "pfremote revert ends the lease now; the deadline holds as long as this run goes on"
    return (*reply.warnings, Reason("guard-lost", "the guard that ends the lease on the host is gone", hint))
