"""A stored run in few values: what ``pfremote runs`` says of it. Pure."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from pfremote.model.cause import rank_certainty
from pfremote.store.run import Run, RunState

#: A host keeps evidence that was not collected for 7 days (docs/reference/files-on-the-host.md), after a window.
UNCOLLECTED = timedelta(days=8)
#: No visit that arms a host takes longer (each step of it has its own, shorter limit).
VISIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What ``pfremote runs`` says of a run. ``why`` says what is wrong with a damaged one, or what went wrong in it.

    ``targets`` are its hosts by name, ``outcomes`` how many sessions came out how, ``finding`` is the first of the best
    proven. ``go_on`` is what to type for a run that wrote no end.

    ``leases`` are the leases whose evidence is stored here, each with its host. Of a run that wrote no end: ``over`` is
    when its windows had ended by themselves at the latest, unless someone extended them (None: not known),
    ``collected`` names the runs of the same state folder that hold evidence of its leases, ``missing`` the hosts that
    none has.
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
    leases: tuple[tuple[str, str], ...] = ()
    over: datetime | None = None
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
        go_on=run.go_on if run.state == "unfinished" else (),
        leases=tuple(
            (host.result.host, host.result.lease) for host in run.hosts if host.result.lease and host.result.out
        ),
        over=_find_end(run) if run.state == "unfinished" else None,
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


def _find_end(run: Run) -> datetime | None:
    """Return when the windows of a run without an end were over at the latest; None where it does not say their length.

    What is known is when the run began. A host was armed later, when its turn came, and no visit to a host takes longer
    than :data:`VISIT`.
    """
    seconds = run.request.get("seconds")
    if not isinstance(seconds, int):
        return None
    return run.started + timedelta(seconds=seconds) + VISIT * max(len(run.targets), 1)


def relate(runs: Sequence[RunSummary]) -> tuple[RunSummary, ...]:
    """Return the runs, those without an end with where the evidence of their leases is: in which other runs."""
    stored = [(host, lease, run.id) for run in runs for host, lease in run.leases]
    return tuple(_relate(run, stored) if run.state == "unfinished" else run for run in runs)


def _relate(run: RunSummary, stored: Sequence[tuple[str, str, str]]) -> RunSummary:
    wanted = _list_leases(run.go_on)
    found = {
        host: holder
        for host, lease, holder in stored
        if wanted and lease.startswith(wanted) and host in run.targets and holder != run.id
    }
    here = {host for host, _ in run.leases}
    missing = tuple(host for host in run.targets if host not in found and host not in here)
    return replace(run, collected=tuple(dict.fromkeys(found.values())), missing=missing)


def _list_leases(commands: Iterable[str]) -> tuple[str, ...]:
    """Return the leases, or how they begin, that command lines name with ``--lease``."""
    words = [word for line in commands for word in shlex.split(line)]
    return tuple(dict.fromkeys(after for word, after in pairwise(words) if word == "--lease" and after))
