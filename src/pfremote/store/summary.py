"""A stored run in few values: what ``pfremote runs`` says of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pfremote.model.cause import rank_certainty
from pfremote.store.begun import NOTHING_BEGUN, Begun
from pfremote.store.run import Run, RunState

#: A host keeps evidence that was not collected for 7 days (docs/reference/files-on-the-host.md), after a window.
UNCOLLECTED = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What ``pfremote runs`` says of a run. ``why`` says what is wrong with a damaged one, or what went wrong in it.

    ``targets`` are its hosts by name, ``outcomes`` how many sessions came out how, ``finding`` is the first of the best
    proven.

    ``leases`` are the leases whose evidence is stored here, each with its host. Of a run that wrote no end: ``begun``
    is what it may have left on hosts, ``collected`` names the runs of the same state folder that hold evidence of
    that, ``missing`` the hosts of which no run has it.
    """

    id: str
    path: Path
    state: RunState
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    command: tuple[str, ...] = ()
    hosts: int = 0
    sessions: int = 0
    why: str = ""
    targets: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    reason: str = ""
    outcomes: tuple[tuple[str, int], ...] = ()
    finding: str = ""
    leases: tuple[tuple[str, str], ...] = ()
    begun: Begun = NOTHING_BEGUN
    collected: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def summarise(run: Run, name: str) -> RunSummary:
    """Return what there is to say of a run whose folder has this name."""
    causes = [cause for host in run.hosts for cause in host.result.findings]
    first = min(causes, key=lambda cause: rank_certainty(cause.certainty), default=None)
    outcomes: Counter[str] = Counter()
    for host in run.hosts:
        outcomes.update(dict(host.result.outcomes))
    return RunSummary(
        id=name,
        path=run.path,
        state=run.state,
        started=run.started,
        ended=run.ended,
        exit_code=run.exit_code,
        command=run.command,
        hosts=len({host.result.host for host in run.hosts}),
        sessions=sum(host.result.sessions for host in run.hosts),
        targets=tuple(dict.fromkeys((*run.targets, *(host.result.host for host in run.hosts)))),
        why=_explain_failure(run),
        peers=run.peers,
        reason=run.reason,
        outcomes=tuple(outcomes.most_common()),
        finding=f"[{first.certainty}] {first.code}: {first.title}" if first else "",
        leases=tuple(
            (host.result.host, host.result.lease) for host in run.hosts if host.result.lease and host.result.out
        ),
        begun=run.begun if run.state == "unfinished" else NOTHING_BEGUN,
    )


def _explain_failure(run: Run) -> str:
    """Return the codes of what went wrong, each once, and on which host where the run has several."""
    results = [host.result for host in run.hosts]
    codes = {
        (reason.code if result.error else f"refused: {reason.code}"): result.host
        for result in reversed(results)
        for reason in ((result.error,) if result.error else result.refusals)
    }
    several = len({result.host for result in results}) > 1
    return ", ".join(f"{code} ({host})" if several else code for code, host in reversed(codes.items()))


def relate(runs: Sequence[RunSummary]) -> tuple[RunSummary, ...]:
    """Return the runs, those without an end with where the evidence of their leases is: in which other runs."""
    stored = {lease: run.id for run in runs for _, lease in run.leases}
    return tuple(_relate(run, stored) if run.state == "unfinished" else run for run in runs)


def _relate(run: RunSummary, stored: Mapping[str, str]) -> RunSummary:
    leases = run.begun.leases
    holders = dict.fromkeys(stored[lease] for _, lease in leases if stored.get(lease, run.id) != run.id)
    missing = dict.fromkeys(host for host, lease in leases if lease not in stored)
    return replace(run, collected=tuple(holders), missing=tuple(missing))
