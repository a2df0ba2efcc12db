"""A table that is brought up to date in place, for a terminal: as many rows as fit, and a last line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfremote.text.quantities import plural
from pfremote.text.terminal import show_line

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Lines that the headings, the last line and the prompt below take.
_OTHER_LINES = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``style`` colours its second cell, whose word says the same.

    Where not all rows fit, those with the lowest ``rank`` are shown.
    """

    cells: tuple[str, ...]
    style: str = ""
    rank: int = 0


def choose_rows(rows: Sequence[Row], room: int) -> Sequence[Row]:
    """Return the rows that are shown, in their order: all, or those that need attention first."""
    if len(rows) <= room:
        return rows
    ranked = sorted(range(len(rows)), key=lambda place: rows[place].rank)
    return [rows[place] for place in sorted(ranked[: room - 1])]


def make_table(headings: Sequence[str], rows: Sequence[Row], last: str, height: int) -> RenderableType:
    """Return the table for a screen of ``height`` lines; rows that do not fit are counted, not shown."""
    # Loaded on a terminal only: rich takes longer to load than all of a small command.
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < 2 else "right", no_wrap=True)
    room = max(1, height - _OTHER_LINES)
    shown = choose_rows(rows, room)
    for row in shown:
        texts = [Text(show_line(cell), style=row.style if at == 1 else "") for at, cell in enumerate(row.cells)]
        table.add_row(*texts)
    more = plural(len(rows) - len(shown), "more host")
    below = [Text(f"and {more}", style="dim")] if len(shown) < len(rows) else []
    return Group(table, *below, Text(show_line(last), style="dim", no_wrap=True, overflow="ellipsis"))
