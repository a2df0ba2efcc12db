"""``--out``: the folder of a run; ``--diff``: how main.cf changes."""

from __future__ import annotations

from pathlib import Path

import click

from pfremote.options.sections import RESULTS, choice

OUT = choice(
    RESULTS,
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the run in this folder, which must be new or empty.",
)
DIFF = choice(RESULTS, "-D", "--diff", is_flag=True, help="Show how main.cf would change, or has changed.")
