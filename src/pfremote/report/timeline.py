"""Where the sessions lie on a common time line: geometry in percent and rows, no drawing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pfremote.report.model import HostView, SessionView
from pfremote.report.words import show_clock

#: More rows than this on one host are folded into the last one: the overview stays an overview.
MOST_ROWS = 12
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_TICKS = 8
#: Percent; SVG does not draw a rectangle without a width.
_NARROWEST = 0.25
#: A bar takes at least this part of the line, so that sessions of the same moment do not hide each other.
_THINNEST = 0.008


@dataclass(frozen=True, slots=True)
class Bar:
    """One session: ``left`` and ``width`` in percent, ``row`` from 0, ``grade`` its worst finding."""

    session: SessionView
    left: float
    width: float
    row: int
    grade: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One host with its bars; ``rows`` is at least 1."""

    host: HostView
    rows: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All lanes and the ticks (percent, label) that they share."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]


def lay_out(shown: Sequence[tuple[HostView, Sequence[SessionView]]]) -> Timeline | None:
    """Return the time line over these sessions of each host as far as times are known, or None when there is none."""
    spans = [span for host, sessions in shown for item in sessions if (span := _span(item, host))]
    if not spans:
        return None
    first = min(start for start, _ in spans)
    length = max((max(end for _, end in spans) - first).total_seconds(), 1.0)
    lanes = tuple(_lane(host, sessions, first, length) for host, sessions in shown if host.sessions)
    return Timeline(lanes, _ticks(first, length))


def _span(session: SessionView, host: HostView) -> tuple[datetime, datetime] | None:
    """Return when a session was, by the clock of the machine that asked: that one all hosts share."""
    start = session.started or session.ended
    if start is None:
        return None
    ahead = timedelta(seconds=host.clock)
    return start - ahead, max(session.ended or start, start) - ahead


def _lane(host: HostView, sessions: Sequence[SessionView], first: datetime, length: float) -> Lane:
    free: list[datetime] = []
    bars: list[Bar] = []
    spans = [(span, session) for session in sessions if (span := _span(session, host))]
    for (start, end), session in sorted(spans, key=lambda pair: pair[0]):
        row = _take_row(free, start, max(end, start + timedelta(seconds=length * _THINNEST)))
        width = max((end - start).total_seconds() / length * 100, _NARROWEST)
        left = min((start - first).total_seconds() / length * 100, 100 - width)
        bars.append(Bar(session, round(left, 3), round(width, 3), row, worst_grade(session)))
    return Lane(host, max(len(free), 1), tuple(bars))


def _take_row(free: list[datetime], start: datetime, end: datetime) -> int:
    """Return the first row that is free at ``start`` and occupy it until ``end``."""
    for row, until in enumerate(free):
        if until <= start:
            free[row] = end
            return row
    if len(free) < MOST_ROWS:
        free.append(end)
        return len(free) - 1
    return MOST_ROWS - 1


def worst_grade(session: SessionView) -> str:
    """Return the strongest certainty among the session's findings, or ``plain``."""
    present = {finding.certainty for finding in session.findings}
    return next((grade for grade in ("proven", "likely", "unknown") if grade in present), "plain")


def _ticks(first: datetime, length: float) -> tuple[tuple[float, str], ...]:
    step = next((step for step in _STEPS if length / step <= _TICKS), _STEPS[-1] * (1 + int(length // 50000)))
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    offset = (first - midnight).total_seconds()
    seconds = -(-offset // step) * step
    ticks: list[tuple[float, str]] = []
    while seconds - offset <= length:
        label = show_clock(midnight + timedelta(seconds=seconds))[:8]
        ticks.append((round((seconds - offset) / length * 100, 3), label))
        seconds += step
    return tuple(ticks)
