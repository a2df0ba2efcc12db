"""A debug request on many hosts, from the first contact to the recap; ``debug`` and ``demo`` share it."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pfremote.commands.disguising import make_disguise
from pfremote.commands.hosts import Hosts
from pfremote.commands.keeping import Keeper, follow_sessions
from pfremote.commands.lateness import LateNotice
from pfremote.commands.reporting import keep_run
from pfremote.commands.request_options import Asked
from pfremote.commands.window_table import HEADINGS, describe_windows
from pfremote.exit_codes import ExitCode, choose_exit_code
from pfremote.fleet import run_fleet
from pfremote.interruption import Interrupts, heed_signals
from pfremote.lagging import Straggler
from pfremote.maillog.plain import Disguise
from pfremote.narrator import plural
from pfremote.output import Output
from pfremote.postfix.quantities import render_duration
from pfremote.results import HostResult
from pfremote.store import RunStore
from pfremote.window import Window, WindowOptions

if TYPE_CHECKING:  # what reads logs is loaded when there is a log, or somebody follows one
    from pfremote.follow import Follower
    from pfremote.maillog.live import Reader

#: A look costs a host some 50 ms of CPU; every five seconds is enough for a person who waits.
POLL = 5.0
#: A table that changes faster than this cannot be read.
TABLE_PAUSE = 0.25
#: Whoever follows wants to see things sooner.
FOLLOWING_POLL = 1.5
_SECRET_WORD = re.compile(r"(?i)(\S*(?:pass|secret|token)\S*=).*")


def _ignore(_folder: Path) -> None:
    """Nobody waits for the folders."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What to do where. ``out`` None keeps the run under the state folder; a check or detach keeps none.

    ``on_stored`` is called with the folder of each host whose evidence is stored, before the recap.
    """

    hosts: Hosts
    asked: Asked
    out: Path | None = None
    check: bool = False
    diff: bool = False
    detach: bool = False
    pseudonymise: bool = False
    follow: bool = False
    poll: float = POLL
    on_stored: Callable[[Path], None] = _ignore


def run_campaign(campaign: Campaign, output: Output) -> ExitCode:
    """Debug on every host and return the exit code; the recap has been told by then.

    Raises:
        UsageError: ``out`` is no folder to write to; no host was contacted.
    """
    for target in campaign.hosts.targets:
        campaign.asked.fit(target)  # complains before anything is made or contacted
    if campaign.pseudonymise:
        output.disguise = make_disguise(campaign.hosts.targets, campaign.asked.request.peers)
    store = None if campaign.check or campaign.detach else _create_store(campaign, output.disguise)
    if campaign.check:
        output.show_plans()
    reader = partial(follow_sessions, disguise=output.disguise)
    follower = _make_follower(output, reader) if campaign.follow else None
    windows = _make_windows(campaign, store, output, follower)
    interrupts = Interrupts()
    teller = Teller(windows, interrupts, output, follower)
    with heed_signals(interrupts), _take_keys(follower, windows, teller):
        results = run_fleet(windows, forks=campaign.hosts.forks, interrupts=interrupts, tick=teller.tick)
        return _finish(campaign, store, tuple(results.values()), interrupts, output)


def _make_follower(output: Output, reader: Callable[..., Reader]) -> Follower:
    from pfremote.follow import Follower

    return Follower(output.console, output.stream_only, reader)


def _create_store(campaign: Campaign, disguise: Disguise) -> RunStore:
    return RunStore.create(
        campaign.out,
        command=typed_command(),
        started=datetime.now(UTC),
        request=campaign.asked.request,
        disguise=disguise,
    )


def typed_command() -> list[str]:
    """Return what the operator typed, without what looks like a secret."""
    return ["pfremote", *(_SECRET_WORD.sub(r"\1****", word) for word in sys.argv[1:])]


@contextmanager
def _take_keys(follower: Follower | None, windows: dict[str, Window], teller: Teller) -> Iterator[None]:
    """Let the keys of a terminal steer what is followed."""
    if follower is None or not teller.moving:
        yield
        return

    def end() -> None:
        for window in windows.values():
            window.end()

    def press(key: str) -> None:
        follower.press(key)
        teller.show()

    from pfremote.follow import read_keys

    follower.controls.end = end
    with read_keys(press):
        yield


def _make_windows(
    campaign: Campaign, store: RunStore | None, output: Output, follower: Follower | None
) -> dict[str, Window]:
    hosts = campaign.hosts
    # With many hosts a shorter pause would only make the looks wait for each other, and for the reverts.
    poll = min(campaign.poll, FOLLOWING_POLL) if campaign.follow else campaign.poll
    poll = max(poll, 0.5 * len(hosts.targets) / hosts.forks)
    keeper = Keeper(store, output.emit)
    windows = {}
    for target in hosts.targets:
        options = WindowOptions(
            campaign.asked.fit(target),
            check=campaign.check,
            detach=campaign.detach,
            diff=campaign.diff,
            poll=poll,
            follow=follower,
        )
        reach = partial(hosts.reach, target)
        windows[target.name] = Window(target.name, options, reach=reach, emit=output.emit, keep=keeper)
    return windows


class Teller:
    """The moving line while windows are open, and the word after an interrupt."""

    def __init__(
        self,
        windows: dict[str, Window],
        interrupts: Interrupts,
        output: Output,
        follower: Follower | None = None,
    ) -> None:
        self._windows = windows
        self._follower = follower
        self._interrupts = interrupts
        self._output = output
        self._console = output.console
        self._told = 0
        self._shown_at = 0.0
        self._tell_late = LateNotice(output.emit)

    def tick(self, late: Sequence[Straggler] = ()) -> None:
        """Tell what is new, and who is waited for; called at least twice a second."""
        self._tell_late(late)
        if self._output.broken and not self._interrupts.count:
            self._interrupts.request()  # as with SIGHUP: who does not listen any more will not end it either
        if self._interrupts.count > self._told:
            self._told = self._interrupts.count
            if self._told == 1:
                self._console.say(
                    "interrupted: reverting on every host that was armed, then bringing home what there is"
                )
                self._console.hint("once more leaves at once; the hosts then end by their own guards")
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
            now = time.monotonic()
            if now - self._shown_at >= TABLE_PAUSE:
                self._shown_at = now
                self._console.table(HEADINGS, describe_windows(self._windows), self._describe())
        elif self._console.moving:
            self._console.progress(self._describe())

    def _describe(self) -> str:
        busy = [window for window in self._windows.values() if not window.over]
        opened = [window for window in busy if window.open]
        counts = Counter(window.phase for window in busy)
        parts = [f"{word} {plural(counts[word], 'host')}" for word in ("arming", "reverting") if counts[word]]
        if opened:
            left = max(0, round(min(window.due for window in opened) - time.monotonic()))
            seen = sum(window.sessions for window in self._windows.values())
            sessions = plural(seen, "session")
            parts.append(f"{plural(len(opened), 'host')} armed, {render_duration(left)} left, {sessions} seen")
            parts.append("Ctrl-C ends it now" if self._follower is None else self._follower.describe())
        return "; ".join(parts)


def _finish(
    campaign: Campaign,
    store: RunStore | None,
    results: tuple[HostResult, ...],
    interrupts: Interrupts,
    output: Output,
) -> ExitCode:
    code = choose_exit_code(results, interrupted=interrupts.count > 0, may_stay_armed=campaign.detach)
    output.console.progress("")
    if store is not None:
        code = keep_run(store, results, code, output)
        for result in results:
            if result.out:
                campaign.on_stored(Path(result.out))
    if campaign.detach:
        _tell_how_to_go_on(results, output)
    return output.recap(results, code)


def _tell_how_to_go_on(results: tuple[HostResult, ...], output: Output) -> None:
    for result in results:
        if result.armed:
            output.console.hint(
                f"end it early with: pfremote revert {result.host} --lease {result.lease}\n"
                f"fetch the evidence with: pfremote collect {result.host} --lease {result.lease}",
                host=result.host,
            )
