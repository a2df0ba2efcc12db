"""``pfremote runs``: what is kept on this machine."""

from __future__ import annotations

import json

import click

from pfremote.commands import COMMANDS
from pfremote.narrator import plural
from pfremote.output import Output


@click.command("runs", help=COMMANDS["runs"])
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def command(output: Output, *, as_json: bool) -> int:
    """Run it."""
    from pfremote.store import default_root, list_runs
    from pfremote.store.encode import to_json

    runs = list_runs()
    if as_json:
        for run in runs:
            click.echo(json.dumps(to_json(run)))
        return 0
    for run in runs:
        code = "" if run.exit_code is None else f"exit {run.exit_code}"
        what = run.why or f"{plural(run.hosts, 'host')}, {plural(run.sessions, 'session')}"
        output.console.show(f"{run.id}  {run.state:<10}  {code:<8}  {what}".rstrip())
    if not runs:
        output.console.say(f"no run is kept in {default_root()}")
    return 0
