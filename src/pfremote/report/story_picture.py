"""Where the hops of a message lie in time: geometry in percent and rows, no drawing. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pfremote.report.model import Grade, HopView, StoryView
from pfremote.report.words import show_clock, show_time
from pfremote.text.terminal import measure, show_line
from pfremote.text.times import show_seconds

#: Columns of a hop's name over its bar: so many fit on a telephone.
MOST_COLUMNS = 42
#: Percent; what takes no time is seen all the same.
_NARROWEST = 0.6


@dataclass(frozen=True, slots=True)
class Dot:
    """A delivery attempt: ``at`` in percent."""

    at: float
    grade: Grade
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """The way from one row to another: from where to where, in percent and rows. ``kind`` is how it got there."""

    left: float
    row: int
    to: float
    to_row: int
    kind: Literal["sent", "made"]


@dataclass(frozen=True, slots=True)
class HopBar:
    """One hop: ``left`` and ``width`` in percent. ``name`` is cut to what fits."""

    hop: HopView
    name: str
    left: float
    width: float
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class StoryPicture:
    """A row for each hop, the ways between them, and what stands below: begin, duration, end."""

    bars: tuple[HopBar, ...]
    steps: tuple[Step, ...]
    labels: tuple[str, str, str]


class _Scale:
    """Times by one clock as percent of the whole way."""

    def __init__(self, story: StoryView) -> None:
        times = sorted(_times(story))
        self.first, self.last = times[0], times[-1]
        self.seconds = (self.last - self.first).total_seconds()

    def place(self, time: datetime | None, hop: HopView) -> float:
        if time is None:
            return 0.0
        at = (_by_one_clock(time, hop) - self.first).total_seconds()
        return round(min(at / self.seconds * 100, 100) if self.seconds else 0.0, 3)


def draw_story(story: StoryView) -> StoryPicture | None:
    """Return the picture of a message's way, or None where the log has no times."""
    if next(_times(story), None) is None:
        return None
    scale = _Scale(story)
    bars = tuple(_bar(hop, scale) for hop in story.hops)
    long = scale.first.date() != scale.last.date()
    begin, end = (show_time(time) if long else show_clock(time).strip() for time in (scale.first, scale.last))
    return StoryPicture(bars, tuple(_steps(story, bars, scale)), (begin, show_seconds(scale.seconds), end))


def _times(story: StoryView) -> Iterator[datetime]:
    for hop in story.hops:
        for time in (hop.started, hop.ended, *(item.time for item in hop.tries)):
            if time is not None:
                yield _by_one_clock(time, hop)


def _by_one_clock(time: datetime, hop: HopView) -> datetime:
    return time - timedelta(seconds=hop.clock)


def _bar(hop: HopView, scale: _Scale) -> HopBar:
    left, right = scale.place(hop.started, hop), scale.place(hop.ended or hop.started, hop)
    width = max(right - left, _NARROWEST)
    queue_id = show_line(hop.queue_id)
    host = _shorten(show_line(hop.host), MOST_COLUMNS - len(queue_id) - 2)
    dots = tuple(Dot(scale.place(item.time, hop), item.grade, item.text) for item in hop.tries)
    return HopBar(hop, f"{host}  {queue_id}", min(left, 100 - width), round(width, 3), dots)


def _shorten(text: str, room: int) -> str:
    """Return the beginning of a text that is too wide, with an ellipsis.

    >>> _shorten("mx1.example.jp", 8), _shorten("mx1", 8)
    ('mx1.exa…', 'mx1')
    """
    if measure(text) <= room:
        return text
    while text and measure(text) >= room:
        text = text[:-1]
    return f"{text}…"


def _steps(story: StoryView, bars: tuple[HopBar, ...], scale: _Scale) -> Iterator[Step]:
    for row, hop in enumerate(story.hops):
        for item in hop.tries:
            if item.leads_to is not None:
                yield Step(scale.place(item.time, hop), row, bars[item.leads_to].left, item.leads_to, "sent")
        if hop.came_from is not None and not any(item.leads_to == row for item in story.hops[hop.came_from].tries):
            before = bars[hop.came_from]
            yield Step(min(before.left + before.width, bars[row].left), hop.came_from, bars[row].left, row, "made")
