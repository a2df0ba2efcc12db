"""The last phase: let the host revert, see that it is clean, and bring the evidence home."""

from __future__ import annotations

from dataclasses import replace

from pfremote import tasks
from pfremote.agent.client import OpenHost, longest_visit
from pfremote.agent.verdict import DIRT, ENDED, explain_dirt, explain_loss, judge_revert, judge_state
from pfremote.errors import AgentFailed, HostError, PfremoteError, Reason, Refused, UsageError
from pfremote.model.facts import Lease
from pfremote.window.state import RETRY_FOR, RETRY_PAUSE, Phase, Step, WindowState
from pfremote.window.tail import FOLLOWING, follow_log

#: Seconds that one visit waits for verbose processes. What takes longer gets further visits, so that
#: one host with a long session does not keep a worker that the other hosts need.
DRAIN_STEP = 2


class RevertPhase:
    """Ask the host to run its own revert (promise P1), as often as it takes within a bounded time."""

    limit = longest_visit("status", "revert", *FOLLOWING, "collect", "forget", waiting=DRAIN_STEP)

    def __init__(self, state: WindowState, resume: Phase | None = None) -> None:
        """``resume`` is the phase to go back to where the host turns out to have been given more time meanwhile."""
        self._state = state
        self._resume = resume
        self._drained_by = state.time.monotonic() + state.options.request.drain
        self._give_up_at = self._drained_by + RETRY_FOR
        self._told = False
        self._visits = 0
        self._kept: Lease | None = None

    def step(self) -> Step:
        """Do all that is left over one connection; what is done stays done when a later part fails."""
        state = self._state
        self._visits += 1
        try:
            with state.reach() as host:
                return self._visit(host)
        except (HostError, UsageError) as exc:  # the second: ssh -G was too slow this time; before arming it was well
            # One silence may take all the time that there is: a host is asked twice at least.
            if self._visits < 2 or state.time.monotonic() < self._give_up_at:
                return Step(self, RETRY_PAUSE)
            state.fail(explain_loss(state.result, exc, state.until()))
        except PfremoteError as exc:  # it cannot be stored here, or is refused there: trying again will not help
            state.fail(explain_loss(state.result, exc, state.until()))
        return Step()

    def _visit(self, host: OpenHost) -> Step:
        """Go on where the visit before this one broke off."""
        try:
            if (resumed := self._find_more_time(host)) is not None:
                return Step(resumed)
            if self._state.result.reverted:
                self._look_again(host)
            elif not self._revert(host):
                follow_log(self._state, host)
                return Step(self, RETRY_PAUSE)
        except Refused as exc:
            if not is_unknown_lease(exc):
                raise
            self._note_gone(host)
            return Step()
        if self._kept is None:
            follow_log(self._state, host)
            self._kept = self._collect(host)
        self._forget(host, self._kept)
        return Step()

    def _revert(self, host: OpenHost) -> bool:
        """Revert, and return whether that is the end of it: drained, or waited for long enough."""
        state = self._state
        drain = min(state.options.request.drain, DRAIN_STEP)
        reply = tasks.revert(host, lease=state.result.lease, why=self._say_why(), drain=drain)
        lease = state.mine(reply)
        if lease is None or lease.state not in ENDED:
            raise AgentFailed("the host was asked to revert and does not say that it did", code="not-reverted")
        if lease.drained == "no" and state.time.monotonic() < self._drained_by:
            self._tell_draining(lease)
            return False
        state.result = judge_revert(state.result, reply, lease)
        state.tell.reverted(reply, lease, by_hand=state.result.by_hand)
        return True

    def _look_again(self, host: OpenHost) -> None:
        """See in a later visit what the host is now: since it was seen clean another operator may have armed it."""
        result, reply = self._state.result, tasks.status(host)
        found = judge_state(reply, result.conflicts)
        error = None if result.error is not None and result.error.code in DIRT else result.error
        self._state.result = replace(
            result,
            state=found,
            drained=result.drained or found == "clean",
            error=explain_dirt(result.host, reply) if found == "unknown" else error,
        )

    def _find_more_time(self, host: OpenHost) -> Phase | None:
        """Ask, before anything is ended, whether another operator extended the lease while it was out of sight.

        A host that was reached is asked once: one that never answers this must still be asked to revert.
        """
        state, resume = self._state, self._resume
        self._resume = None
        if resume is None or state.hurried or state.enough:
            return None
        try:
            lease = state.mine(tasks.status(host, lease=state.result.lease))
        except Refused:
            return None  # the revert that follows says what there is to say
        return resume if lease is not None and lease.state == "armed" and lease.left > 0 else None

    def _say_why(self) -> str:
        state = self._state
        if state.hurried:
            return "interrupt"
        return "deadline" if state.time.monotonic() >= state.due and not state.enough else "request"

    def _note_gone(self, host: OpenHost) -> None:
        """The host knows no such lease any more: another client took the evidence. See what state it left."""
        state = self._state
        found = judge_state(tasks.status(host))
        state.result = replace(state.result, state=found, reverted=found != "unknown")
        message = "the host does not know the lease any more: another client has collected it"
        if found == "unknown":
            state.fail(explain_loss(state.result, message, state.until()))
        else:
            hint = "Look for its run on the machine that collected it with: pfremote runs"
            state.fail(AgentFailed(message, code="not-collected", hint=hint))

    def _tell_draining(self, lease: Lease) -> None:
        if not self._told:
            names = ", ".join(lease.verbose) or "unknown"
            message = f"main.cf is reverted; waiting for processes of the window that still log: {names}"
            self._state.tell.warn((Reason("draining", message),), lease.id)
            self._told = True

    def _collect(self, host: OpenHost) -> Lease:
        """Store the evidence here, and return the lease as the host described it with the evidence."""
        state = self._state
        if state.options.follow is not None:
            state.options.follow.end(state.result.host)
        reply = tasks.collect(host, lease=state.result.lease)
        lease = state.mine(reply)
        if state.facts is None or lease is None:
            raise AgentFailed("the host brought back evidence of another lease", code="protocol")
        state.result = state.keep(state.result, reply, state.facts, lease)
        return lease

    def _forget(self, host: OpenHost, lease: Lease) -> None:
        # While a process is still verbose the host must remember why (and status must be able to say so).
        if self._state.options.keep_on_host or self._state.result.host_keeps or lease.drained != "yes":
            return
        try:
            tasks.forget(host, lease=lease.id)
        except Refused as exc:
            if not is_unknown_lease(exc):  # else an earlier try did it, and its reply was lost
                raise


def is_unknown_lease(error: PfremoteError) -> bool:
    """Tell whether the host refused because it has no such lease."""
    return isinstance(error, Refused) and any(reason.code == "unknown-lease" for reason in error.reasons)
