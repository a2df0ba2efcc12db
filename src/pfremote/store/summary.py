"""A stored run in few values: what ``pfremote runs`` says of it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pfremote.model.cause import rank_certainty
from pfremote.store.run import Run, RunState


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What ``pfremote runs`` says of a run. ``why`` says what is wrong with a damaged one.

    ``targets`` are its hosts by name, ``outcomes`` how many sessions came out how, ``finding`` is the first of the best
    proven. ``go_on`` is what to type for a run that wrote no end.
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
    go_on: tuple[str, ...] = ()


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
        peers=run.peers,
        reason=run.reason,
        outcomes=tuple(outcomes.most_common()),
        finding=f"[{first.certainty}] {first.code}: {first.title}" if first else "",
        go_on=run.go_on if run.state == "unfinished" else (),
    )
