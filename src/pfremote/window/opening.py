"""The first phases: look at the host, plan, arm; and find out what happened where the answer is lost."""

from __future__ import annotations

import time
from dataclasses import replace

from pfremote import tasks
from pfremote.agent.protocol import Reply
from pfremote.agent.replies import read_facts
from pfremote.asking import VERB_SECONDS, OpenHost, new_lease
from pfremote.clock import measure_clock
from pfremote.errors import AgentFailed, HostError, PfremoteError, Refused
from pfremote.plan import Plan, make_plan, refuse_request
from pfremote.verdict import explain_loss, judge_state
from pfremote.window.course import PATIENCE, RETRY_PAUSE, Course, Turn
from pfremote.window.watching import Watching


class Opening:
    """Probe, plan, and arm; or, with ``--check``, let the host try it on a private copy."""

    limit = float(VERB_SECONDS["probe"] + VERB_SECONDS["arm"])

    def __init__(self, course: Course) -> None:
        self._course = course
        self._sent = False

    def step(self) -> Turn:
        """Do all of it over one connection."""
        course = self._course
        if course.hurried:
            course.fail(AgentFailed("not contacted, the run was interrupted before", code="interrupted"))
            return Turn()
        if reasons := refuse_request(course.options.request):
            course.fail(Refused(reasons))
            return Turn()
        try:
            with course.reach() as host:
                return self._visit(host)
        except PfremoteError as exc:
            if self._sent:  # the request went out: nothing is said before the host was asked again
                return Turn(Finding(course, exc), pause=1.0)
            course.fail(exc)
            return Turn()

    def _visit(self, host: OpenHost) -> Turn:
        course = self._course
        asked = time.time()
        reply = tasks.probe(host, peer=course.options.request.peers)
        course.facts = read_facts(reply)
        course.note_clock(measure_clock(course.facts.time, asked, time.time()))
        if course.options.decline is not None and (why := course.options.decline(course.facts)):
            course.skip(why)
            return Turn()
        plan = make_plan(course.options.request, course.facts)
        course.tell.plan(plan)
        if plan.refusals:
            raise Refused(plan.refusals)
        lease = new_lease()
        if course.options.check:
            course.tell.checked(_arm(host, course, plan, lease))
            return Turn()
        self._sent = True
        course.result = replace(course.result, lease=lease, state="unknown")
        try:
            course.note_armed(_arm(host, course, plan, lease))
        except Refused:
            self._sent = False
            course.result = replace(course.result, lease="", state="untouched")
            raise
        return Watching(course).first_turn()


class Finding:
    """The answer to ``arm`` is lost, or was bad news: ask the host, over new connections, what it did."""

    limit = float(VERB_SECONDS["status"])

    def __init__(self, course: Course, trouble: PfremoteError) -> None:
        self._course = course
        self._trouble = trouble
        self._give_up_at = time.monotonic() + PATIENCE

    def step(self) -> Turn:
        """Ask once."""
        course = self._course
        try:
            with course.reach() as host:
                reply = tasks.status(host, lease=course.result.lease)
            lease = course.mine(reply)
            if lease is not None and lease.state == "armed":
                course.note_armed(reply)
                return Watching(course).first_turn()
        except Refused:
            lease = None
        except HostError as exc:
            return self._again(exc)
        if lease is None:  # the request never arrived
            course.result = replace(course.result, state="untouched", lease="")
        elif lease.state == "arming":
            return self._again(AgentFailed("the host is still arming", code="arming"))
        else:
            course.result = replace(course.result, why=lease.why, state=judge_state(reply))
        course.fail(self._trouble)
        return Turn()

    def _again(self, exc: HostError) -> Turn:
        if time.monotonic() < self._give_up_at:
            return Turn(self, RETRY_PAUSE)
        self._course.fail(explain_loss(self._course.result, exc, self._course.until()))
        return Turn()


def _arm(host: OpenHost, course: Course, plan: Plan, lease: str) -> Reply:
    request = course.options.request
    return tasks.arm(
        host,
        lease=lease,
        peer=plan.peers,
        seconds=request.seconds,
        level=request.level,
        smtpd_tls=request.smtpd_tls,
        smtp_tls=request.smtp_tls,
        lmtp_tls=request.lmtp_tls,
        owner=request.owner,
        origin=request.origin,
        reason=request.reason,
        stop_after=request.stop_after,
        max_log=request.max_log,
        min_free=request.min_free,
        drain=request.drain,
        guard=request.guard,
        volatile=request.volatile_guard,
        allow_content=request.allow_content,
        all_peers=request.all_peers,
        check=course.options.check,
    )
