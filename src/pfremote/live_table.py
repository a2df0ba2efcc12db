"""A table that is brought up to date in place, for a terminal: as many rows as fit, and a last line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfremote.inert import show_line

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Lines that the headings, the last line and the prompt below take.
_OTHER_LINES = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``style`` colours its second cell, whose word says the same."""

    cells: tuple[str, ...]
    style: str = ""


def make_table(headings: Sequence[str], rows: Sequence[Row], last: str, height: int) -> RenderableType:
    """Return the table for a screen of ``height`` lines; rows that do not fit are counted, not shown."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < 2 else "right", no_wrap=True)
    room = max(1, height - _OTHER_LINES)
    shown = rows if len(rows) <= room else rows[: room - 1]
    for row in shown:
        texts = [Text(show_line(cell), style=row.style if at == 1 else "") for at, cell in enumerate(row.cells)]
        table.add_row(*texts)
    below = [Text(f"and {len(rows) - len(shown)} more hosts", style="dim")] if len(shown) < len(rows) else []
    return Group(table, *below, Text(show_line(last), style="dim", no_wrap=True, overflow="ellipsis"))
