"""End leases now."""

from __future__ import annotations

from dataclasses import dataclass

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.agent.protocol import Reply
from pfremote.agent.verdict import explain_dirt, judge_revert, judge_state
from pfremote.engine.debug_info import Look, read_look
from pfremote.errors import Reason
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult

#: Stands for every lease of the instance.
ALL = "all"
_ACTIVE = ("armed", "arming")


@dataclass(frozen=True, slots=True)
class Reverted:
    """How the host was seen after the revert. ``ended`` are the leases that this visit ended.

    ``before`` are the chosen leases as they were. ``error`` says why the host is not known to be clean.
    """

    changed: bool
    look: Look
    before: tuple[Lease, ...] = ()
    ended: tuple[Lease, ...] = ()
    conflicts: tuple[str, ...] = ()
    error: Reason | None = None


def revert_leases(host: OpenHost, lease: str = ALL, *, drain: int = 60, check: bool = False) -> Reverted:
    """End ``lease``, or all, by the code that the host's guard runs at the deadline; see that it is clean.

    Where there is none to end, nothing is sent. With ``check`` nothing is sent either.
    """
    reply = tasks.status(host)
    seen = read_look(reply)
    chosen = tuple(item for item in seen.leases if lease in (ALL, item.id))
    active = [item for item in chosen if item.state in _ACTIVE]
    if check or not active:
        conflicts = tuple(text for item in chosen for text in item.conflicts)
        return Reverted(bool(active), seen, chosen, conflicts=conflicts, error=_explain(host, reply, chosen))
    reply = tasks.revert(host, lease=lease, why="request", drain=drain)
    look = read_look(reply)
    wanted = {item.id for item in active}
    ended = tuple(item for item in look.leases if item.id in wanted)
    conflicts = tuple(text for item in ended for text in item.conflicts)
    errors = [judge_revert(HostResult(host.name), reply, item).error for item in ended]
    error = next((item for item in errors if item is not None), None) or _explain(host, reply, ended)
    return Reverted(True, look, chosen, ended, conflicts, error)


def _explain(host: OpenHost, reply: Reply, leases: tuple[Lease, ...]) -> Reason | None:
    """Say why the host is not clean, where no lease keeps it armed on purpose."""
    if judge_state(reply) != "unknown":
        return None
    undrained = next((item for item in leases if item.drained == "no"), None)
    return explain_dirt(host.name, reply, undrained)
