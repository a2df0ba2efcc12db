"""A stored run in a line: how it ended, whom it was about, what came of it; and how to go on without an end. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pfremote.store.summary import RunSummary
from pfremote.text.grouping import join_hosts
from pfremote.text.quantities import plural
from pfremote.text.terminal import Piece

#: So many hosts of a run are named.
MOST_HOSTS = 5


def describe_run(run: RunSummary) -> Iterator[list[Piece]]:
    """Yield the run's line, and what to type where it was broken off."""
    style = "" if run.exit_code == 0 else "yellow" if run.state == "unfinished" else "red"
    rest = "  ".join(filter(None, _list_parts(run)))
    yield [(f"{run.id}  ", "bold"), (_name_end(run), style), (f"  {rest}" if rest else "", "")]
    yield from ([("    type: ", "cyan"), (line, "")] for line in run.go_on)


def _name_end(run: RunSummary) -> str:
    return run.state if run.exit_code is None else f"exit {run.exit_code}"


def _list_parts(run: RunSummary) -> Iterator[str]:
    yield run.why
    yield join_hosts(run.targets, MOST_HOSTS)
    yield f"peer {', '.join(run.peers)}" if run.peers else ""
    yield f'"{run.reason}"' if run.reason else ""
    if run.state != "damaged":
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in run.outcomes)
        yield plural(run.sessions, "session") + (f" ({outcomes})" if outcomes else "")
    yield run.finding
