"""``pfremote doctor``: is this machine ready? Looks at the operator's own machine and contacts no host."""

from __future__ import annotations

import dataclasses
import json

import click

from pfremote.commands import COMMANDS
from pfremote.errors import ExitCode
from pfremote.options.complete import complete_files
from pfremote.output.output import Output
from pfremote.run.doctor import Check, examine

_WORDS = {"ok": "ok", "note": "note", "wrong": "WRONG"}


@click.command("doctor", help=COMMANDS["doctor"])
@click.option(
    "-i",
    "--inventory",
    multiple=True,
    metavar="SOURCE",
    shell_complete=complete_files,
    help="Read this inventory as well; repeats.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def command(output: Output, inventory: tuple[str, ...], *, as_json: bool) -> int:
    """Run it."""
    checks = []
    for check in examine(inventory):
        checks.append(check)
        if as_json:
            click.echo(json.dumps(dataclasses.asdict(check)))
        else:
            show(check, output)
    return ExitCode.USAGE if any(check.verdict == "wrong" for check in checks) else ExitCode.OK


def show(check: Check, output: Output) -> None:
    """Print one line for a check, and what to type below it where it is not as it should be."""
    rows = [[(f"{_WORDS[check.verdict]:<6} {check.name}: {check.seen}", "")]]
    if check.hint and check.verdict != "ok":
        rows.append([(f"       {check.hint}", "")])
    output.console.show_rows(rows, rest="           ")
