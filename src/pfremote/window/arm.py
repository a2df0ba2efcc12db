"""The first phases: look at the host, plan, arm; and find out what happened where the answer is lost."""

from __future__ import annotations

from dataclasses import replace

from pfremote import tasks
from pfremote.agent.client import OpenHost, longest_visit, new_lease
from pfremote.agent.protocol import ProtocolError, Reply, ReplyCutError
from pfremote.agent.read_facts import read_facts
from pfremote.agent.verdict import explain_loss, judge_revert, judge_state
from pfremote.errors import AgentFailed, PfremoteError, Refused
from pfremote.model.clock import measure_clock
from pfremote.model.facts import Lease
from pfremote.postfix.plan import make_plan, refuse_request
from pfremote.window.revert import RevertPhase, is_unknown_lease
from pfremote.window.state import RETRY_FOR, RETRY_PAUSE, Step, WindowState
from pfremote.window.watch import WatchPhase


class ArmPhase:
    """Probe, plan, and arm; or, with ``--check``, let the host try it on a private copy."""

    limit = longest_visit("probe", "arm")

    def __init__(self, state: WindowState) -> None:
        self._state = state
        self._sent = False

    def step(self) -> Step:
        """Do all of it over one connection."""
        state = self._state
        if state.hurried:
            state.fail(AgentFailed("not contacted, the run was interrupted before", code="interrupted"))
            return Step()
        if state.enough:
            state.skip("it is enough already")
            return Step()
        if reasons := refuse_request(state.options.request):
            state.fail(Refused(reasons))
            return Step()
        try:
            with state.reach() as host:
                return self._visit(host)
        except PfremoteError as exc:
            if self._sent:  # the request went out: nothing is said before the host was asked again
                return Step(RecoverPhase(state, exc), pause=1.0)
            state.fail(exc)
            return Step()

    def _visit(self, host: OpenHost) -> Step:
        state, asked_at = self._state, self._state.time.epoch()
        try:
            reply = tasks.visit_request(host, state.options.request, lambda facts: self._decide(facts, asked_at))
        except Refused:
            self._sent = False
            state.result = replace(state.result, lease="", state="untouched")
            raise
        if reply is None:
            return Step()
        if state.options.check:
            state.tell.checked(reply)
            return Step()
        state.note_armed(reply)
        return WatchPhase(state).first_step()

    def _decide(self, reply: Reply, asked_at: float) -> tasks.ArmCall | None:
        """Judge the host by its facts; None where nothing is wanted of it.

        Raises:
            Refused: the request cannot be served there.
        """
        state = self._state
        state.facts = read_facts(reply)
        state.note_clock(measure_clock(state.facts.time, asked_at, state.time.epoch()))
        if state.options.decline is not None and (why := state.options.decline(state.facts)):
            state.skip(why)
            return None
        plan = make_plan(state.options.request, state.facts)
        state.tell.plan(plan)
        state.result = replace(state.result, by_hand=bool(state.facts.unexplained))
        if plan.refusals:
            raise Refused(plan.refusals)
        lease = state.options.lease or new_lease()
        if not state.options.check:
            self._sent = True
            state.result = replace(state.result, lease=lease, state="unknown")
        return tasks.ArmCall(plan.peers, lease, state.options.check)


#: Seconds for which a host must know nothing of a lease before it counts as never armed: an ``arm`` whose connection
#: broke runs on there (the agent ignores SIGHUP), and takes a second or two until the lease is written down.
BELATED = 10.0


class RecoverPhase:
    """The answer to ``arm`` is lost, or told of a failure: ask the host, over new connections, what it did."""

    limit = longest_visit("status")

    def __init__(self, state: WindowState, trouble: PfremoteError) -> None:
        self._state = state
        self._trouble = trouble
        now = state.time.monotonic()
        self._give_up_at = now + RETRY_FOR
        self._is_over_at = now if _has_answered(trouble) else now + BELATED

    def step(self) -> Step:
        """Ask once."""
        state = self._state
        try:
            with state.reach() as host:
                reply = tasks.status(host, lease=state.result.lease)
        except PfremoteError as exc:
            return self._note_unknown() if is_unknown_lease(exc) else self._again(exc)
        lease = state.mine(reply)
        if lease is None:
            return self._note_unknown()
        if lease.state == "arming":
            return self._again(AgentFailed("the host is still arming", code="arming"))
        if lease.state == "aborted":
            state.result = replace(state.result, why=lease.why, state=judge_state(reply))
            state.fail(self._trouble)
            return Step()
        state.note_armed(reply)
        return WatchPhase(state).first_step() if lease.state == "armed" else self._go_on_after(reply, lease)

    def _go_on_after(self, reply: Reply, lease: Lease) -> Step:
        """The window is over before we knew that it was open: go on with what comes after one."""
        state = self._state
        if not state.options.detach:
            return Step(RevertPhase(state))
        state.result = judge_revert(state.result, reply, lease)
        state.tell.reverted(reply, lease, by_hand=state.result.by_hand)
        return Step()

    def _note_unknown(self) -> Step:
        """The host does not know the lease: the request never arrived, or has not come as far yet."""
        state = self._state
        if state.time.monotonic() < self._is_over_at:
            return Step(self, RETRY_PAUSE)
        state.result = replace(state.result, state="untouched", lease="")
        state.fail(self._trouble)
        return Step()

    def _again(self, exc: PfremoteError) -> Step:
        if self._state.time.monotonic() < self._give_up_at:
            return Step(self, RETRY_PAUSE)
        self._state.fail(explain_loss(self._state.result, exc, self._state.until()))
        return Step()


def _has_answered(trouble: PfremoteError) -> bool:
    """Tell whether the agent itself said that it failed, so that nothing of the request is under way any more."""
    return isinstance(trouble, AgentFailed) and not isinstance(trouble, ReplyCutError | ProtocolError)
