"""``pfremote runs``: what is kept on this machine."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import click

from pfremote.commands import COMMANDS
from pfremote.errors import UsageError
from pfremote.output.output import Output
from pfremote.store import default_root, list_runs
from pfremote.store.encode import to_json
from pfremote.text.quantities import plural

_AGE = re.compile(r"([0-9]{1,5})([hdw])\Z")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
#: What ``prune`` deletes where nothing else is said.
USUAL_AGE = "30d"


class _Action(click.Choice[str]):
    """What is done with the runs; who wants to see one is told how."""

    def __init__(self) -> None:
        super().__init__(["list", "prune"])

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            raise UsageError(
                f"runs does not know {value!r}: it lists runs, or prunes them",
                hint="To see the newest run, type: pfremote report last",
            )
        return super().convert(value, param, ctx)


@click.command("runs", help=COMMANDS["runs"])
@click.argument("action", type=_Action(), default="list", metavar="[prune]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--older-than", metavar="AGE", help=f"prune: what is older, as in 12h or 8w. [{USUAL_AGE}]")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="prune: keep the newest N, however old.")
@click.option("-C", "--check", is_flag=True, help="prune: only say what would be deleted.")
@click.pass_obj
def command(
    output: Output, *, action: str, as_json: bool, older_than: str | None, keep: int | None, check: bool
) -> int:
    """Run it."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.options.settings import current_settings

    current_settings()  # may say where runs are kept
    if action == "prune":
        return prune_runs(output, parse_age(older_than or USUAL_AGE), keep or 0, check=check)
    if older_than is not None or keep is not None or check:
        raise UsageError("--older-than, --keep and --check are for deleting runs", hint="Type: pfremote runs prune")
    return show_runs(output, as_json=as_json)


def show_runs(output: Output, *, as_json: bool) -> int:
    """Show them, the newest first."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.output.run_lines import describe_run

    runs, now = list_runs(), datetime.now(UTC)
    for run in runs:
        if as_json:
            click.echo(json.dumps(to_json(run)))
        else:
            output.console.show_rows(describe_run(run, now))
    if not runs and not as_json:
        output.console.say(f"no run is kept in {default_root()}")
    return 0


def prune_runs(output: Output, older_than: timedelta, keep: int, *, check: bool) -> int:
    """Delete what is older, but for the newest ``keep`` and what a host may still need; say each."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.store.prune import choose_old, remove_run

    root = default_root()
    chosen = choose_old(root, datetime.now(UTC), older_than, keep)
    for path in chosen.live:
        output.console.say(f"kept: {path.name}, a host may still have a lease or evidence of it")
    for path in chosen.old:
        if not check:
            remove_run(path)
        output.console.tell(f"{'would delete' if check else 'deleted'}: {path.name}")
    deleted = plural(0 if check else len(chosen.old), "run")
    output.console.say(f"{deleted} deleted in {root}")
    return 0


def parse_age(text: str) -> timedelta:
    """Return an age in hours, days or weeks.

    Raises:
        UsageError: it is none.

    >>> parse_age("2w")
    datetime.timedelta(days=14)
    """
    found = _AGE.match(text.strip().lower())
    if found is None:
        raise UsageError(f"{text!r} is no age", hint="Type hours, days or weeks, as in 12h, 30d or 8w.")
    return int(found[1]) * _UNITS[found[2]]
