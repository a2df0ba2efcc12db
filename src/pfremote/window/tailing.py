"""Fetch what the log of an open window says that is new, for whoever follows it."""

from __future__ import annotations

from pfremote import tasks
from pfremote.agent.protocol import ReplyCutError
from pfremote.asking import OpenHost
from pfremote.errors import AgentFailed, Reason, Refused
from pfremote.window.course import Course

#: One visit fetches so many pieces at most; what is left comes at the next.
MOST_PIECES = 10


def follow_log(course: Course, host: OpenHost) -> None:
    """Hand on what is new. A host that cannot be followed is told of once, and left at that.

    Raises:
        HostError: the connection broke; the position stays where it was, so that nothing is missed.
    """
    follow, facts = course.options.follow, course.facts
    if follow is None or facts is None or not course.followable:
        return
    for _ in range(MOST_PIECES):
        try:
            reply = tasks.tail(host, lease=course.result.lease, position=course.position)
        except ReplyCutError:
            raise
        except (Refused, AgentFailed) as exc:
            course.followable = False
            hint = "the evidence comes home whole at the end of the window all the same"
            course.tell.warn((Reason("not-followed", f"cannot be followed: {exc.message}", hint),))
            return
        lease = course.mine(reply)
        if lease is None:
            return
        course.note_sessions(lease)
        course.position = reply.one("position")
        if reply.one("gap") == "yes":
            message = "too much was logged to follow all of it; the evidence at the end has it"
            course.tell.warn((Reason("follow-gap", message),), lease.id)
        follow.take(course.result.host, reply, facts, lease, course.result.clock)
        if reply.one("more") != "yes":
            return
