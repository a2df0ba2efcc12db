"""The table of open windows on a terminal: a row for each host, in the order of the inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pfremote.fleet.interrupts import Interrupts
from pfremote.fleet.stragglers import LateNotice, Straggler
from pfremote.fleet.time_source import SYSTEM_TIME, TimeSource
from pfremote.model.result import HostResult
from pfremote.output.live_table import Row
from pfremote.output.output import Output
from pfremote.text.quantities import plural, render_duration
from pfremote.window import Window

if TYPE_CHECKING:  # loaded only where a run is followed
    from pfremote.follow import Follower

HEADINGS = ("host", "state", "left", "sessions", "lines", "warnings")

_STYLES = {
    "failed": "red",
    "unknown": "red",
    "conflict": "red",
    "refused": "yellow",
    "armed": "green",
    "clean": "green",
    "by hand": "yellow",
}
#: Where not all hosts fit: what is still moving goes before what is over, and trouble before what went well.
_ORDER = (
    "failed",
    "unknown",
    "conflict",
    "refused",
    "connecting",
    "checking",
    "arming",
    "reverting",
    "armed",
    "queued",
)


def describe_windows(windows: Mapping[str, Window], now: float) -> list[Row]:
    """Return the rows, each with the style of its state; the word says the same as the colour."""
    rows = [(name, window, describe_state(window)) for name, window in windows.items()]
    return [
        Row(
            _describe(name, window, state, now),
            _STYLES.get(state, ""),
            _ORDER.index(state) if state in _ORDER else len(_ORDER),
        )
        for name, window, state in rows
    ]


def count_sessions(window: Window) -> int:
    """Return how many matching sessions the host has seen, those that were brought home among them."""
    return max(window.result.sessions, window.sessions)


def _describe(name: str, window: Window, state: str, now: float) -> tuple[str, ...]:
    result = window.result
    left = render_duration(max(0, round(window.due - now))) if window.open and not window.over else ""
    sessions = str(count_sessions(window)) if result.armed else ""
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
    return "skipped" if result.skipped else result.state_word


#: A table that changes faster than this cannot be read.
TABLE_PAUSE = 0.25


class Progress:
    """The moving line while windows are open, and the word after an interrupt."""

    def __init__(
        self,
        windows: dict[str, Window],
        interrupts: Interrupts,
        output: Output,
        follower: Follower | None = None,
        time: TimeSource = SYSTEM_TIME,
    ) -> None:
        self._windows = windows
        self._follower = follower
        self._interrupts = interrupts
        self._output = output
        self._console = output.console
        self._time = time
        self._told = 0
        self._shown_at = 0.0
        self._tell_late = LateNotice(output.emit, time)

    def tick(self, late: Sequence[Straggler] = ()) -> None:
        """Tell what is new, and who is waited for; called at least twice a second."""
        self._tell_late(late)
        if self._output.broken and not self._interrupts.count:
            self._interrupts.request()  # as SIGHUP does: there may be no operator left to end the run
        if self._interrupts.count > self._told:
            self._told = self._interrupts.count
            if self._told == 1 and all(window.phase == "checking" for window in self._windows.values()):
                self._console.say("interrupted: waiting for the hosts that are looked at; none was armed")
            elif self._told == 1:
                self._console.say(
                    "interrupted: reverting on every host that was armed, then bringing home what there is"
                )
                self._console.hint("Once more leaves at once; the hosts then end by their own guards.")
        if self._follower is not None:
            self._follower.flush()
        self.show()

    @property
    def moving(self) -> bool:
        """Tell whether there is a terminal for a moving line."""
        return self._console.moving

    def show(self) -> None:
        """Bring the moving line up to date."""
        if self._console.moving and len(self._windows) > 1:
            now = self._time.monotonic()
            if now - self._shown_at >= TABLE_PAUSE:
                self._shown_at = now
                self._console.table(HEADINGS, describe_windows(self._windows, now), self._describe())
        elif self._console.moving:
            self._console.progress(self._describe())

    def _describe(self) -> str:
        busy = [window for window in self._windows.values() if not window.over]
        opened = [window for window in busy if window.open]
        counts = Counter(window.phase for window in busy)
        parts = [
            f"{word} {plural(counts[word], 'host')}" for word in ("checking", "arming", "reverting") if counts[word]
        ]
        if opened:
            left = max(0, round(min(window.due for window in opened) - self._time.monotonic()))
            seen = sum(map(count_sessions, self._windows.values()))
            sessions = plural(seen, "session")
            parts.append(f"{plural(len(opened), 'host')} armed, {render_duration(left)} left, {sessions} seen")
            parts.append("Ctrl-C ends it now" if self._follower is None else self._follower.describe())
        return "; ".join(parts)
