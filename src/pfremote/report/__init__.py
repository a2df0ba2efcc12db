"""Renderings of a finished run: text, Markdown, JSON and one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pfremote.report.build import build_report, read_messages
from pfremote.report.html import render_html
from pfremote.report.json import render_json
from pfremote.report.markdown import render_markdown, write_markdown
from pfremote.report.model import Report
from pfremote.report.text import WIDTH, render_text, write_text
from pfremote.store import Run, load_host

Format = Literal["html", "md", "txt", "json"]

__all__ = ["Format", "Report", "build_report", "read_messages", "read_report", "render_report", "write_report"]

_RENDERERS = {"html": render_html, "md": render_markdown, "json": render_json}


def read_report(run: Run) -> Report:
    """Return the report of a stored run, read from its folder alone."""
    return build_report(run, [load_host(run, host) for host in run.hosts])


def render_report(report: Report, fmt: Format, width: int = WIDTH) -> str:
    """Return ``report`` in one of the formats of ``pfremote report --format``; text has lines of this width."""
    return render_text(report, width) if fmt == "txt" else _RENDERERS[fmt](report)


def write_report(report: Report, fmt: Format, width: int = WIDTH) -> Iterator[str]:
    """Yield the same, a line or a few at a time where it is text or Markdown, without line feeds at its end."""
    if fmt == "txt":
        return write_text(report, width)
    if fmt == "md":
        return write_markdown(report)
    return iter((render_report(report, fmt).rstrip("\n"),))
