"""While the window is open: look now and then; close when it is over or the operator wants out."""

from __future__ import annotations

from dataclasses import replace

from pfremote import tasks
from pfremote.agent.client import OpenHost, longest_visit
from pfremote.agent.protocol import Reply
from pfremote.errors import HostError, PfremoteError, Reason, Refused, UsageError
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult, name_host
from pfremote.model.typed import TYPED
from pfremote.window.no_match import explain_no_match, is_due
from pfremote.window.revert import RevertPhase, is_unknown_lease
from pfremote.window.state import Step, WindowState
from pfremote.window.tail import FOLLOWING, follow_log

#: A run that follows comes often, and asks for the status at each visit of so many.
STATUS_EVERY = 3


class WatchPhase:
    """The phase between armed and over. A connection that fails here ends nothing."""

    limit = longest_visit("status", *FOLLOWING)

    def __init__(self, state: WindowState) -> None:
        self._state = state
        self._in_sight = True
        self._visits = 0
        self._no_match_told = False

    def first_step(self) -> Step:
        """Return what comes after arming: with ``--detach`` the end, unless the operator wants out."""
        return Step() if self._state.options.detach and not self._state.hurried else self._pause()

    def step(self) -> Step:
        """Look once."""
        state = self._state
        if state.hurried or state.enough:
            return Step(RevertPhase(state))
        # Another operator may have extended the lease since the last look: the end that counts is the host's.
        overdue = state.time.monotonic() >= state.due
        try:
            with state.reach() as host:
                follow_log(state, host)
                reply = self._ask(host, surely=overdue)
        except (Refused, HostError, UsageError) as exc:  # the last: ssh -G was too slow this time
            if is_unknown_lease(exc):  # another client collected it; the next phase says so
                return Step(RevertPhase(state))
            self._lose(exc)
            return Step(RevertPhase(state, resume=self)) if overdue else self._pause()
        self._regain()
        if reply is None:
            return self._pause()
        lease = state.mine(reply)
        if lease is None or lease.state != "armed" or (overdue and lease.left <= 0):
            return Step(RevertPhase(state))
        self._note_progress(lease, reply)
        return self._pause()

    def _ask(self, host: OpenHost, *, surely: bool) -> Reply | None:
        """Ask for the status; while the run follows, not at each visit unless ``surely``."""
        self._visits += 1
        if not surely and self._is_followed and self._visits % STATUS_EVERY != 0:
            return None
        return tasks.status(host, lease=self._state.result.lease)

    @property
    def _is_followed(self) -> bool:
        return self._state.options.follow is not None and self._state.followable

    def _lose(self, exc: PfremoteError) -> None:
        state = self._state
        if self._in_sight:
            state.tell.lost_sight(exc, state.result.lease, state.until())
            if state.options.follow is not None:
                state.options.follow.lose(state.result.host)
        self._in_sight = False

    def _regain(self) -> None:
        if not self._in_sight and self._is_followed:
            self._state.tell.regained_sight(self._state.result.lease)
        self._in_sight = True

    def _pause(self) -> Step:
        state = self._state
        return Step(self, max(min(state.options.poll, state.due - state.time.monotonic()), 0.05))

    def _note_progress(self, lease: Lease, reply: Reply) -> None:
        state = self._state
        state.note_time_left(lease)
        found = (*_read_warnings(reply, state.result), *self._explain_no_match(lease))
        fresh = tuple(reason for reason in found if reason not in state.result.warnings)
        state.result = replace(state.result, warnings=(*state.result.warnings, *fresh))
        state.tell.warn(fresh, lease.id)
        state.note_sessions(lease)

    def _explain_no_match(self, lease: Lease) -> tuple[Reason, ...]:
        """Say once why no client matched so far (promise P8), while there is time to do something about it."""
        state = self._state
        request = state.options.request
        if self._no_match_told or not is_due(state.time.monotonic() - state.armed_at, request.seconds):
            return ()
        reason = explain_no_match(lease, request.patterns)
        self._no_match_told = reason is not None or lease.sessions > 0
        return (name_host(reason, state.result.host),) if reason is not None else ()


def _read_warnings(reply: Reply, result: HostResult) -> tuple[Reason, ...]:
    """Return what a look at an armed host found, a watcher that is gone included."""
    if reply.one("lease.guard_alive") != "no":
        return reply.warnings
    what = "the process that watches the lease on the host is gone; the deadline holds as long as this run goes on"
    if result.guard in ("systemd", "cron", "at"):
        what = f"the process that watches the lease on the host is gone; {result.guard} ends the lease, perhaps late"
    hint = f"End the lease now with: {TYPED.command('revert', result.host, '--lease', result.lease)}"
    return (*reply.warnings, Reason("guard-lost", what, hint))
