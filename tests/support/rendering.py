"""A report as one text, as it is written in pieces."""

from __future__ import annotations

from pfremote.report import Format, Report, write_report
from pfremote.report.text import WIDTH


def render_report(report: Report, fmt: Format, width: int = WIDTH) -> str:
    """Return all of a report in one of its formats."""
    return "".join(write_report(report, fmt, width))
