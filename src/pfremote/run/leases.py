"""Choose one of a host's leases, where the operator named one or where there is only one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.agent.protocol import Reply
from pfremote.agent.read_facts import read_leases
from pfremote.agent.verdict import ENDED, judge_state
from pfremote.errors import Reason, Refused
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult
from pfremote.model.typed import TYPED
from pfremote.text.quantities import render_duration
from pfremote.text.times import format_epoch


def choose_lease(
    host: str,
    leases: Sequence[Lease],
    wanted: str,
    fits: Callable[[Lease], bool] = lambda _lease: True,
    noun: str = "lease",
) -> Lease:
    """Return the lease that is meant; ``wanted`` may be the beginning of an id, or empty.

    Raises:
        Refused: none fits, or more than one.
    """
    fitting = [lease for lease in leases if fits(lease) and lease.id.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    called = f" {wanted}" if wanted else ""
    if not fitting:
        hint = f"See the leases with: {TYPED.command('status', host)}"
        raise Refused((Reason("no-lease", f"there is no {noun}{called}", hint),))
    ids = ", ".join(lease.id for lease in fitting)
    begins = f" that begins with {wanted}" if wanted else ""
    hint = f"Name one with --lease ID; see whose they are with: {TYPED.command('status', host)}"
    raise Refused((Reason("which-lease", f"there is more than one {noun}{begins}: {ids}", hint),))


def forgive_done(results: Sequence[HostResult], lease: str) -> tuple[HostResult, ...]:
    """Return the results with a host that has no such lease as no failure: another client was faster, say.

    A ``lease`` that was named and that no host knows stays a mistake.
    """
    if lease and all(map(_has_no_lease, results)):
        return tuple(results)
    return tuple(_skip(result) if _has_no_lease(result) else result for result in results)


def _has_no_lease(result: HostResult) -> bool:
    return any(reason.code in ("no-lease", "unknown-lease") for reason in result.refusals)


def _skip(result: HostResult) -> HostResult:
    return replace(result, refusals=(), skipped=f"nothing to do, {result.refusals[0].message}")


def refuse_armed(name: str, host: OpenHost) -> None:
    """Make sure that no lease is armed on a host.

    Raises:
        Refused: one is.
    """
    armed = [lease.id for lease in read_leases(tasks.status(host)) if lease.state == "armed"]
    if armed:
        hint = f"End it first with: {TYPED.command('revert', name, '--lease', armed[0])}"
        raise Refused((Reason("lease-active", f"lease {armed[0]} is armed on this host", hint),))


def make_result(host: str, reply: Reply, lease: Lease) -> HostResult:
    """Return what a reply with lease blocks and ``clean=`` says of the host and of one lease that was armed there."""
    return HostResult(
        host,
        state=judge_state(reply, lease.conflicts),
        lease=lease.id,
        armed=True,
        reverted=lease.state in ENDED,
        drained=lease.drained == "yes",
        guard=lease.guard,
        why=lease.why,
        conflicts=lease.conflicts,
    )


def has_evidence(lease: Lease) -> bool:
    """Tell whether there is something to collect: a snapshot, or a window, whose lines are still in the log."""
    return bool(lease.evidence) or lease.state in ("armed", "reverted")


def describe_lease(lease: Lease) -> list[str]:
    """Return what people want to know of a lease, one line each."""
    when = f"{render_duration(lease.left)} left" if lease.state == "armed" else f"ended ({lease.why or 'unknown'})"
    who = f"by {lease.owner or 'unknown'}" + (f" from {lease.origin}" if lease.origin else "")
    who += f", extended by {lease.extended}" if lease.extended else ""
    lines = [f"lease {lease.id}  {lease.state}, {when}, {who}" + (f": {lease.reason}" if lease.reason else "")]
    lines.append(f"  peers {' '.join(lease.peers)}, level {lease.level}, sessions {lease.sessions}")
    if lease.state != "armed":
        kept = "none kept" if not lease.evidence else f"{lease.evidence} bytes kept on the host"
        lines.append(f"  evidence {kept}")
    lines += [f"  conflict {text}" for text in lease.conflicts]
    return lines


def lease_as_json(lease: Lease) -> dict[str, object]:
    """Return a lease as the ``armed`` and ``reverted`` events carry it."""
    return {
        "state": lease.state,
        "owner": lease.owner,
        "from": lease.origin,
        "reason": lease.reason,
        "extended_by": lease.extended or None,
        "peers": list(lease.peers),
        "level": lease.level,
        "guard": lease.guard,
        "since": format_epoch(lease.since),
        "deadline": format_epoch(lease.deadline),
        "seconds": lease.left,
        "seen": lease.sessions,
        "why": lease.why or None,
        "drained": lease.drained == "yes",
        "conflicts": list(lease.conflicts),
        "evidence": lease.evidence,
    }
