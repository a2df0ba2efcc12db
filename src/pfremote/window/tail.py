"""Fetch what the log of an open window says that is new, for an operator who follows it."""

from __future__ import annotations

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.agent.protocol import ReplyCutError
from pfremote.errors import AgentFailed, HostError, PfremoteError, Reason, Refused
from pfremote.window.state import WindowState

#: One visit fetches so many pieces at most; what is left comes at the next.
MOST_PIECES = 10
#: The calls that :func:`follow_log` makes at the most.
FOLLOWING = ("tail",) * MOST_PIECES

#: So many failures in a row are no broken connection any more: the window goes on without being followed.
MOST_FAILURES = 3


def follow_log(state: WindowState, host: OpenHost) -> None:
    """Hand on what is new. A host that cannot be followed is told of once, and left at that.

    Raises:
        HostError: the connection broke; the position stays where it was, so that nothing is missed.
    """
    try:
        _fetch(state, host)
    except HostError as exc:
        state.follow_failures += 1
        if state.follow_failures >= MOST_FAILURES:
            _leave_off(state, exc)
        raise
    state.follow_failures = 0


def _leave_off(state: WindowState, exc: PfremoteError) -> None:
    state.followable = False
    hint = "The evidence comes home whole at the end of the window all the same."
    state.tell.warn((Reason("not-followed", f"cannot be followed: {exc.message}", hint),))


def _fetch(state: WindowState, host: OpenHost) -> None:
    follow, facts = state.options.follow, state.facts
    if follow is None or facts is None or not state.followable:
        return
    for _ in range(MOST_PIECES):
        try:
            reply = tasks.tail(host, lease=state.result.lease, position=state.position)
        except ReplyCutError:
            raise
        except (Refused, AgentFailed) as exc:
            _leave_off(state, exc)
            return
        lease = state.mine(reply)
        if lease is None:
            return
        state.note_sessions(lease)
        state.position = reply.one("position")
        if reply.one("gap") == "yes":
            message = "too much was logged to follow all of it; the evidence at the end has it"
            state.tell.warn((Reason("follow-gap", message),), lease.id)
        follow.take(state.result.host, reply, facts, lease, state.result.clock)
        if reply.one("more") != "yes":
            return
