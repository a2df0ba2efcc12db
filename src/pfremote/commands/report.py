"""``pfremote report``: one run, in the form that is wanted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.errors import PfremoteError, UsageError
from pfremote.options.complete import complete_runs
from pfremote.output.columns import page_width
from pfremote.output.output import Output
from pfremote.paths import is_folder
from pfremote.private_files import write_private
from pfremote.store import load_run
from pfremote.text.pieces import gather

if TYPE_CHECKING:
    from pfremote.report import Format


@click.command("report", help=COMMANDS["report"])
@click.argument("run", default="last", metavar="[RUN]", shell_complete=complete_runs)
@click.option("--format", "fmt", type=click.Choice(["txt", "md", "html", "json"]), default="txt", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there instead.")
@click.option("--share", is_flag=True, help="Print the log itself, safe to paste: names replaced, secrets left out.")
@click.pass_obj
def command(output: Output, run: str, fmt: Format, *, out: Path | None, share: bool) -> int:
    """Run it. RUN is a folder, an id as in pfremote runs, the beginning of one, or last."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.options.settings import current_settings
    from pfremote.report import read_report, write_report

    current_settings()  # may say where runs are kept
    try:
        pieces = _share(run) if share else write_report(read_report(load_run(run)), fmt, page_width(sys.stdout))
        first = next(pieces, "")
    except PfremoteError as exc:  # a wrong word, or a damaged file: no fault of ours, and nothing was contacted
        raise UsageError(exc.message, hint=exc.hint) from exc
    parts = (piece.encode("utf-8", "backslashreplace") for piece in chain((first,), pieces))
    if out is None:
        for part in parts:
            click.echo(part, nl=False)
        return 0
    if not is_folder(out.parent):
        raise UsageError(
            f"there is no folder {out.parent}", hint="Make it first, or give another place with --out FILE."
        )
    write_private(out, parts)
    output.console.say(f"written: {out}")
    return 0


def _share(run: str) -> Iterator[str]:
    # Reading a log takes the half of pfremote; a report is made of what was read before.
    from pfremote.options.pseudonymise import make_disguise
    from pfremote.run.share import share_run

    return gather(f"{line}\n" for line in share_run(load_run(run), make_disguise(())))
