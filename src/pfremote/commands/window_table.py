"""The table of open windows on a terminal: a row for each host, what needs attention first."""

from __future__ import annotations

import time
from collections.abc import Mapping

from pfremote.live_table import Row
from pfremote.postfix.quantities import render_duration
from pfremote.results import HostResult
from pfremote.window import Window

HEADINGS = ("host", "state", "left", "sessions", "lines", "warnings")

_STYLES = {"failed": "red", "unknown": "red", "refused": "yellow", "armed": "green", "clean": "green"}
#: What is still moving goes before what is over, and trouble before what went well.
_ORDER = ("failed", "unknown", "refused", "connecting", "arming", "reverting", "armed", "queued")


def describe_windows(windows: Mapping[str, Window]) -> list[Row]:
    """Return the rows, each with the style of its state; the word says the same as the colour."""
    now = time.monotonic()
    rows = [(name, window, describe_state(window)) for name, window in windows.items()]
    rows.sort(key=lambda row: _ORDER.index(row[2]) if row[2] in _ORDER else len(_ORDER))
    return [Row(_describe(name, window, state, now), _STYLES.get(state, "")) for name, window, state in rows]


def _describe(name: str, window: Window, state: str, now: float) -> tuple[str, ...]:
    result = window.result
    left = render_duration(max(0, round(window.due - now))) if window.open and not window.over else ""
    sessions = str(max(result.sessions, window.sessions)) if result.armed else ""
    lines = str(result.lines) if result.out else ""
    return (name, state, left, sessions, lines, str(len(result.warnings) or ""))


def describe_state(window: Window) -> str:
    """Return one word for where the window stands."""
    if window.over:
        return describe_end(window.result)
    if not window.begun:
        return "queued"
    return "armed" if window.open else window.doing


def describe_end(result: HostResult) -> str:
    """Return one word for how a host's part ended."""
    if result.refusals:
        return "refused"
    if result.error and result.state != "unknown":
        return "failed"
    return "skipped" if result.skipped else result.state
