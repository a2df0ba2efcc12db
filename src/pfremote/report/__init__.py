"""Renderings of a finished run: text, Markdown, JSON and one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pfremote.report.build import build_report, read_messages
from pfremote.report.html import write_html
from pfremote.report.json import write_json
from pfremote.report.markdown import write_markdown
from pfremote.report.model import Report
from pfremote.report.text import WIDTH, write_text
from pfremote.store import Run, load_host
from pfremote.text.pieces import gather

Format = Literal["html", "md", "txt", "json"]

__all__ = ["Format", "Report", "build_report", "read_messages", "read_report", "write_report"]

_WRITERS = {"html": write_html, "md": write_markdown, "json": write_json}


def read_report(run: Run) -> Report:
    """Return the report of a stored run, read from its folder alone."""
    return build_report(run, [load_host(run, host) for host in run.hosts])


def write_report(report: Report, fmt: Format, width: int = WIDTH) -> Iterator[str]:
    """Yield ``report`` in one of the formats of ``pfremote report --format``; text has lines of this width.

    Each piece but the last ends with a line.
    """
    return gather(write_text(report, width) if fmt == "txt" else _WRITERS[fmt](report))
