"""A stored run in a line: how it ended, whom it was about, what came of it; and how to go on without an end. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pfremote.store.summary import UNCOLLECTED, RunSummary
from pfremote.text.grouping import join_hosts
from pfremote.text.quantities import plural
from pfremote.text.terminal import Piece
from pfremote.text.times import show_moment

#: So many hosts of a run are named.
MOST_HOSTS = 5


def describe_run(run: RunSummary, now: datetime) -> Iterator[list[Piece]]:
    """Yield the run's line; below one without an end what is known of its leases, and what to type."""
    style = "" if run.exit_code == 0 or _is_fetched(run) else "yellow" if run.state == "unfinished" else "red"
    rest = "  ".join(filter(None, _list_parts(run)))
    yield [(f"{run.id}  ", "bold"), (_name_end(run), style), (f"  {rest}" if rest else "", "")]
    if run.state == "unfinished":
        yield from ([("    ", ""), (line, "")] for line in _explain_end(run, now))
        yield from ([("    type: ", "cyan"), (line, "")] for line in _choose_commands(run, now))


def _name_end(run: RunSummary) -> str:
    return run.state if run.exit_code is None else f"exit {run.exit_code}"


def _is_fetched(run: RunSummary) -> bool:
    """Tell whether the evidence of all hosts of a run without an end is here."""
    return run.state == "unfinished" and bool(run.collected) and not run.missing


def _is_over(run: RunSummary, now: datetime) -> bool:
    return run.begun.over is not None and now >= run.begun.over


def _is_gone(run: RunSummary, now: datetime) -> bool:
    """Tell whether no host has evidence of it any more."""
    return run.begun.over is not None and now >= run.begun.over + UNCOLLECTED


def _explain_end(run: RunSummary, now: datetime) -> Iterator[str]:
    if run.collected:
        yield f"collected in {', '.join(run.collected)}"
    if _is_fetched(run):
        return
    rest = f"{join_hosts(run.missing, MOST_HOSTS)}: " if run.collected else ""
    if _is_gone(run, now):
        yield f"{rest}a host keeps evidence for 7 days only"
    elif run.begun.over is not None and _is_over(run, now):
        yield (
            f"{rest}its windows ended by themselves by {show_moment(run.begun.over)}, unless they were extended"
            " (evidence that was collected from another machine is gone from the hosts)"
        )
    elif run.begun.over is not None:
        ended = f"its windows end by themselves by {show_moment(run.begun.over)}, unless they are extended"
        yield f"{rest}still running, or broken off; {ended}"


def _choose_commands(run: RunSummary, now: datetime) -> tuple[str, ...]:
    """Return what is still of use: nothing once all is here or gone, no revert once the windows are over."""
    if _is_fetched(run) or _is_gone(run, now):
        return ()
    collect = tuple(line for line in run.begun.go_on if line.startswith("pfremote collect "))
    return collect if _is_over(run, now) else run.begun.go_on


def _list_parts(run: RunSummary) -> Iterator[str]:
    yield run.why
    yield join_hosts(run.targets, MOST_HOSTS)
    yield f"peer {', '.join(run.peers)}" if run.peers else ""
    yield f'"{run.reason}"' if run.reason else ""
    if run.state != "damaged":
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in run.outcomes)
        yield plural(run.sessions, "session") + (f" ({outcomes})" if outcomes else "")
    yield run.finding
