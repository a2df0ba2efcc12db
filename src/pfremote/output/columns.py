"""What a stream can show: colours, and how many columns."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

#: What a terminal has that does not say how wide it is.
USUAL_COLUMNS = 80


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether colour and moving lines are welcome (https://no-color.org, TERM=dumb)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"


def shorten_home(text: str, home: Path | None = None) -> str:
    """Return a line with ``~`` for the operator's home, as a shell reads it: paths below it fit a terminal then.

    >>> shorten_home("report: /home/ops/runs/1", Path("/home/ops"))
    'report: ~/runs/1'
    """
    folder = str(home or Path.home()).rstrip("/")
    return re.sub(rf"(?<!\S){re.escape(folder)}/", "~/", text) if folder else text


def page_width(stream: TextIO) -> int:
    """Return how wide a page of text is: as usual, or as a narrower terminal."""
    return min(columns_of(stream) or USUAL_COLUMNS, USUAL_COLUMNS)


def columns_of(stream: TextIO, environ: Mapping[str, str] = os.environ) -> int:
    """Return how many columns a line may have: those of the terminal; 0 for anything else, where no line is broken."""
    if not stream.isatty():
        return 0
    if environ.get("COLUMNS", "").isdecimal():
        return int(environ["COLUMNS"])
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_COLUMNS
    except (OSError, io.UnsupportedOperation):
        return USUAL_COLUMNS
