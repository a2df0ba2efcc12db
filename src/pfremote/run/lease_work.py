"""What ``extend``, ``revert`` and ``collect`` do with a lease on one host."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace

from pfremote import tasks
from pfremote.agent.client import ALIKE, OpenHost
from pfremote.agent.read_facts import find_lease, read_facts, read_leases
from pfremote.agent.verdict import ENDED, describe_revert, diff_copies, explain_dirt, judge_revert, judge_state
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult
from pfremote.model.typed import TYPED
from pfremote.options.lease import ALL
from pfremote.options.request import name_operator
from pfremote.output.output import Output
from pfremote.run.evidence import EvidenceStore
from pfremote.run.leases import choose_lease, has_evidence, lease_as_json, make_result
from pfremote.text.quantities import render_duration

#: The digits of a whole id.
WHOLE = 12


def complete_id(name: str, host: OpenHost, wanted: str) -> str:
    """Return the whole id of the lease that is meant; the host is asked only where ``wanted`` is not one already.

    Raises:
        Refused: no lease of the host begins like that, or more than one.
    """
    if len(wanted) == WHOLE:
        return wanted
    return choose_lease(name, read_leases(tasks.status(host)), wanted).id


def extend_lease(name: str, host: OpenHost, lease: str, seconds: int, output: Output) -> HostResult:
    """Extend one lease on one host.

    Raises:
        Refused: there is no such armed lease, or more than one to choose from.
    """
    chosen = choose_lease(name, read_leases(tasks.status(host)), lease, is_armed, "armed lease")
    who, origin = name_operator(), socket.gethostname()
    reply = tasks.extend(host, lease=chosen.id, seconds=seconds, owner=who, origin=origin)
    extended = find_lease(reply, chosen.id) or chosen
    left = render_duration(extended.left)
    output.console.say(f"lease {extended.id} ends in {left}, extended by {who}", host=name, style="green")
    output.stream_only("armed", name, extended.id, **lease_as_json(extended))
    return HostResult(name, state="armed", lease=extended.id, armed=True, guard=extended.guard)


def is_armed(lease: Lease) -> bool:
    """Tell whether a lease can still be extended."""
    return lease.state == "armed"


def force_values(result: HostResult, host: OpenHost, output: Output) -> HostResult:
    """Show what would be overwritten of another's edit, then overwrite it."""
    planned = tasks.restore(host, lease=result.lease, check=True)
    for line in diff_copies(planned, "main.cf.after", "main.cf with the values of before the window"):
        output.console.show(f"{result.host}: {line}")
    reply = tasks.restore(host, lease=result.lease, owner=name_operator())
    output.console.say("the values of before the window are back, over another's edit", host=result.host)
    return replace(result, state=judge_state(reply), conflicts=(), error=None)


def revert_lease(
    name: str, host: OpenHost, lease: str, drain: int, output: Output, kept: list[tuple[str, str]]
) -> HostResult:
    """End one lease, or all, on one host, and say what was seen afterwards.

    ``kept`` gets the host and the id of each lease whose evidence waits there.

    Raises:
        Refused: there is no such lease, or more than one begins like that.
    """
    wanted = ALL if lease == ALL else complete_id(name, host, lease)
    reply = tasks.revert(host, lease=wanted, why="request", drain=drain)
    ended = [item for item in read_leases(reply) if item.state in ENDED and wanted in (ALL, item.id)]
    result = HostResult(name, state=judge_state(reply))
    for item in ended:
        result = judge_revert(replace(result, lease=item.id, armed=True), reply, item)
        output.emit("reverted", name, item.id, **describe_revert(reply, item))
        if item.evidence:
            kept.append((name, item.id))
    if not ended:
        output.console.say("no lease to revert", host=name)
    if result.state == "unknown" and result.error is None:
        result = replace(result, error=explain_dirt(name, reply))
    return result


def tell_how_to_fetch(kept: Sequence[tuple[str, str]], output: Output) -> None:
    """Name the commands that bring the evidence of leases (host, id) home: one for all those of the same run."""
    runs: dict[str, list[tuple[str, str]]] = {}
    for name, lease in kept:
        runs.setdefault(lease[:ALIKE], []).append((name, lease))
    for beginning, leases in runs.items():
        if len(leases) > 1:
            fetch = TYPED.command_for_all("collect", "--lease", beginning)
            output.console.hint(f"Fetch their evidence with: {fetch}")
        else:
            ((name, lease),) = leases
            output.console.hint(
                f"Fetch its evidence with: {TYPED.command('collect', name, '--lease', lease)}", host=name
            )


def collect_lease(name: str, host: OpenHost, lease: str, evidence: EvidenceStore, *, forget: bool) -> HostResult:
    """Collect one lease's evidence; the host forgets a lease that has ended, once all is stored.

    Raises:
        Refused: there is no such lease, or more than one to choose from.
        PfremoteError: it cannot be stored; the host keeps it.
    """
    facts = read_facts(tasks.probe(host))
    reply = tasks.status(host)
    chosen = choose_lease(name, read_leases(reply), lease, has_evidence, "lease with evidence")
    result = make_result(name, reply, chosen)
    kept = evidence(result, tasks.collect(host, lease=chosen.id), facts, chosen)
    if result.reverted and forget and not kept.host_keeps:
        tasks.forget(host, lease=chosen.id)
    return kept
