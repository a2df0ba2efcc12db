"""``pfremote report``: one run, in the form that is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.errors import PfremoteError, UsageError
from pfremote.output import Output

if TYPE_CHECKING:
    from pfremote.report import Format


@click.command("report", help=COMMANDS["report"])
@click.argument("run", default="last", metavar="[RUN]")
@click.option("--format", "fmt", type=click.Choice(["txt", "md", "html", "json"]), default="txt", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there instead.")
@click.pass_obj
def command(output: Output, run: str, fmt: Format, *, out: Path | None) -> int:
    """Run it. RUN is a folder, an id as in pfremote runs, the beginning of one, or last."""
    from pfremote.report import read_report, render_report
    from pfremote.store import load_run
    from pfremote.store.files import write_private

    try:
        text = render_report(read_report(load_run(run)), fmt)
    except PfremoteError as exc:  # a wrong word, or a damaged file: no fault of ours, and nothing was contacted
        raise UsageError(exc.message, hint=exc.hint) from exc
    if out is None:
        click.echo(text.encode("utf-8", "backslashreplace"), nl=False)
        return 0
    if not out.parent.is_dir():
        raise UsageError(
            f"there is no folder {out.parent}", hint="make it first, or give another place with --out FILE"
        )
    write_private(out, text.encode("utf-8", "backslashreplace"))
    output.console.say(f"written: {out}")
    return 0
