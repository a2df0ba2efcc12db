"""The last phase: let the host revert, see that it is clean, and bring the evidence home."""

from __future__ import annotations

import time

from pfremote import tasks
from pfremote.agent.protocol import Reply
from pfremote.errors import AgentFailed, HostError, PfremoteError
from pfremote.tasks import VERB_SECONDS, OpenHost
from pfremote.verdict import ENDED, explain_loss, judge_revert
from pfremote.window.course import PATIENCE, RETRY_PAUSE, Course, Turn


class Closing:
    """Ask the host to run its own revert (promise P1), as often as it takes within a bounded time."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._give_up_at = time.monotonic() + PATIENCE + course.options.request.drain

    @property
    def limit(self) -> float:
        """Seconds that a step may take: it waits for the drain, and a whole log may come back."""
        return self._course.options.request.drain + VERB_SECONDS["revert"] + VERB_SECONDS["collect"]

    def step(self) -> Turn:
        """Do all that is left over one connection; what is done stays done when a later part fails."""
        course = self._course
        try:
            with course.reach() as host:
                if not course.result.reverted:
                    self._revert(host)
                self._bring_home(host)
        except HostError as exc:
            if time.monotonic() < self._give_up_at:
                return Turn(self, RETRY_PAUSE)
            course.fail(explain_loss(course.result, exc, course.until()))
        except (
            PfremoteError
        ) as exc:  # it cannot be stored here, or is refused there: trying again will not help
            course.fail(explain_loss(course.result, exc, course.until()))
        return Turn()

    def _revert(self, host: OpenHost) -> None:
        course = self._course
        why = "interrupt" if course.hurried else "deadline"
        drain = course.options.request.drain
        self._note_reverted(tasks.revert(host, lease=course.result.lease, why=why, drain=drain))

    def _note_reverted(self, reply: Reply) -> None:
        course = self._course
        lease = course.mine(reply)
        if lease is None or lease.state not in ENDED:
            raise AgentFailed(
                "the host was asked to revert and does not say that it did", code="not-reverted"
            )
        course.result = judge_revert(course.result, reply, lease)
        course.tell.reverted(reply, lease)

    def _bring_home(self, host: OpenHost) -> None:
        course = self._course
        reply = tasks.collect(host, lease=course.result.lease)
        lease = course.mine(reply)
        if course.facts is None or lease is None:
            raise AgentFailed("the host brought back evidence of another lease", code="protocol")
        if course.options.follow is not None:
            course.options.follow(course.result.host, reply, course.facts, lease)
        course.result = course.keep(course.result, reply, course.facts, lease)
        tasks.forget(host, lease=lease.id)
