"""The last phase: let the host revert, see that it is clean, and bring the evidence home."""

from __future__ import annotations

import time

from pfremote import tasks
from pfremote.asking import VERB_SECONDS, OpenHost
from pfremote.errors import AgentFailed, HostError, PfremoteError, Reason
from pfremote.facts import Lease
from pfremote.verdict import ENDED, explain_loss, judge_revert
from pfremote.window.course import PATIENCE, RETRY_PAUSE, Course, Turn
from pfremote.window.tailing import follow_log

#: Seconds that one visit waits for verbose processes. What takes longer gets further visits, so that
#: one host with a long session does not keep a worker that the other hosts need.
DRAIN_STEP = 2


class Closing:
    """Ask the host to run its own revert (promise P1), as often as it takes within a bounded time."""

    limit = float(VERB_SECONDS["revert"] + VERB_SECONDS["collect"])

    def __init__(self, course: Course) -> None:
        self._course = course
        self._drained_by = time.monotonic() + course.options.request.drain
        self._give_up_at = self._drained_by + PATIENCE
        self._told = False

    def step(self) -> Turn:
        """Do all that is left over one connection; what is done stays done when a later part fails."""
        course = self._course
        try:
            with course.reach() as host:
                if not course.result.reverted and not self._revert(host):
                    return Turn(self, RETRY_PAUSE)
                self._bring_home(host)
        except HostError as exc:
            if time.monotonic() < self._give_up_at:
                return Turn(self, RETRY_PAUSE)
            course.fail(explain_loss(course.result, exc, course.until()))
        except PfremoteError as exc:  # it cannot be stored here, or is refused there: trying again will not help
            course.fail(explain_loss(course.result, exc, course.until()))
        return Turn()

    def _revert(self, host: OpenHost) -> bool:
        """Revert, and return whether that is the end of it: drained, or waited for long enough."""
        course = self._course
        why = "interrupt" if course.hurried else "request" if course.enough else "deadline"
        drain = min(course.options.request.drain, DRAIN_STEP)
        reply = tasks.revert(host, lease=course.result.lease, why=why, drain=drain)
        lease = course.mine(reply)
        if lease is None or lease.state not in ENDED:
            raise AgentFailed("the host was asked to revert and does not say that it did", code="not-reverted")
        follow_log(course, host)
        if lease.drained == "no" and time.monotonic() < self._drained_by:
            self._tell_draining(lease)
            return False
        course.result = judge_revert(course.result, reply, lease)
        course.tell.reverted(reply, lease)
        return True

    def _tell_draining(self, lease: Lease) -> None:
        if not self._told:
            names = ", ".join(lease.verbose) or "unknown"
            message = f"main.cf is reverted; waiting for processes of the window that still log: {names}"
            self._course.tell.warn((Reason("draining", message),), lease.id)
            self._told = True

    def _bring_home(self, host: OpenHost) -> None:
        course = self._course
        if course.options.follow is not None:
            course.options.follow.end(course.result.host)
        reply = tasks.collect(host, lease=course.result.lease)
        lease = course.mine(reply)
        if course.facts is None or lease is None:
            raise AgentFailed("the host brought back evidence of another lease", code="protocol")
        course.result = course.keep(course.result, reply, course.facts, lease)
        # While a process is still verbose the host must remember why (and status must be able to say so).
        if not course.options.keep_on_host and lease.drained == "yes":
            tasks.forget(host, lease=lease.id)
