"""A debug request on many hosts, from the first contact to the recap; ``debug`` and ``demo`` share it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pfremote.agent.client import new_leases
from pfremote.errors import ExitCode, PfremoteError
from pfremote.fleet.interrupts import Interrupts, heed_signals
from pfremote.fleet.scheduler import run_fleet
from pfremote.fleet.time_source import TimeSource
from pfremote.model.result import HostResult, choose_exit_code
from pfremote.options.pseudonymise import make_disguise
from pfremote.options.recorded_command import typed_command
from pfremote.options.request import RequestOptions
from pfremote.output.output import Output
from pfremote.pseudonyms.plain import Disguise
from pfremote.run.begun import describe_begun, name_commands
from pfremote.run.evidence import EvidenceStore, follow_sessions
from pfremote.run.finish import keep_run, tell_end
from pfremote.run.hosts import Hosts, tell_warnings
from pfremote.run.progress import Progress
from pfremote.run.total import TotalStop
from pfremote.store import RunStore
from pfremote.store.recent_leases import remember_leases
from pfremote.window import Window, WindowOptions

if TYPE_CHECKING:  # what reads logs is loaded when there is a log, or the run follows one
    from pfremote.follow import Follower
    from pfremote.maillog.live import Reader

#: Seconds between two looks: each costs a host some 50 ms of CPU, and this is enough for a person who waits.
POLL = 5.0
#: The same where an operator follows, who wants to see things sooner.
FOLLOWING_POLL = 1.5


def _ignore(_folder: Path) -> None:
    """Do nothing with the folder: the default of ``on_stored``."""


@dataclass(frozen=True, slots=True)
class DebugRun:
    """What to do where. ``out`` None keeps the run under the state folder; a check or detach keeps none.

    ``root`` is another folder for it than that one.
    ``on_stored`` is called with the folder of each host whose evidence is stored, before the recap.
    """

    hosts: Hosts
    asked: RequestOptions
    out: Path | None = None
    root: Path | None = None
    check: bool = False
    diff: bool = False
    detach: bool = False
    pseudonymise: bool = False
    follow: bool = False
    stop_after_total: int | None = None
    poll: float = POLL
    on_stored: Callable[[Path], None] = _ignore


def run_debug(debug_run: DebugRun, output: Output) -> ExitCode:
    """Debug on every host and return the exit code; the recap has been told by then.

    Raises:
        UsageError: ``out`` is no folder to write to; no host was contacted.
    """
    for target in debug_run.hosts.targets:
        debug_run.asked.fit(target)  # complains before anything is made or contacted
    tell_warnings(debug_run.hosts, output)
    if debug_run.pseudonymise:
        output.disguise = make_disguise(debug_run.hosts.targets, debug_run.asked.request.peers)
    leases = new_leases([target.name for target in debug_run.hosts.targets])
    store = None if debug_run.check or debug_run.detach else _create_store(debug_run, leases, output.disguise)
    if debug_run.check:
        output.show_plans()
    reader = partial(follow_sessions, disguise=output.disguise)
    follower = _make_follower(output, reader, debug_run.hosts.time) if debug_run.follow else None
    if debug_run.follow:
        output.messages.sessions_are_shown = True
        output.console.say("each session is shown while it happens; times are in UTC")
    total = TotalStop(debug_run.stop_after_total, output.console.say)
    windows = _make_windows(debug_run, leases, store, output, follower, total)
    interrupts = Interrupts()
    progress = Progress(windows, interrupts, output, follower, debug_run.hosts.time)
    with heed_signals(interrupts), _take_keys(follower, windows, progress):
        results = run_fleet(
            windows,
            forks=debug_run.hosts.forks,
            interrupts=interrupts,
            tick=total.before(progress.tick, windows),
            time=debug_run.hosts.time,
        )
        return _finish(debug_run, store, tuple(results.values()), interrupts, output)


def _make_follower(output: Output, reader: Callable[..., Reader], time: TimeSource) -> Follower:
    # Loaded only where a run is followed: it reads logs.
    from pfremote.follow import Follower

    return Follower(output.console, output.stream_only, reader, now=time.monotonic)


def _create_store(debug_run: DebugRun, leases: Mapping[str, str], disguise: Disguise) -> RunStore:
    return RunStore.create(
        debug_run.out,
        command=typed_command(),
        started=datetime.now(UTC),
        request=debug_run.asked.request.as_json(),
        targets=list(leases),
        begun=describe_begun(leases, debug_run.asked.request),
        root=debug_run.root,
        disguise=disguise,
    )


@contextmanager
def _take_keys(follower: Follower | None, windows: dict[str, Window], progress: Progress) -> Iterator[None]:
    """Let the keys of a terminal steer what is followed."""
    if follower is None or not progress.moving:
        yield
        return

    def end() -> None:
        for window in windows.values():
            window.end()

    def press(key: str) -> None:
        follower.press(key)
        progress.show()

    # Loaded only where a run is followed: it reads logs.
    from pfremote.follow import read_keys

    follower.controls.end = end
    with read_keys(press, sys.stdin):
        yield


def _make_windows(
    debug_run: DebugRun,
    leases: Mapping[str, str],
    store: RunStore | None,
    output: Output,
    follower: Follower | None,
    total: TotalStop,
) -> dict[str, Window]:
    hosts = debug_run.hosts
    poll = min(debug_run.poll, FOLLOWING_POLL) if debug_run.follow else debug_run.poll
    evidence = EvidenceStore(store, output.emit)
    windows = {}
    for target in hosts.targets:
        options = WindowOptions(
            total.cap(debug_run.asked.fit(target)),
            check=debug_run.check,
            detach=debug_run.detach,
            diff=debug_run.diff,
            poll=stretch_poll(poll, len(hosts.targets), hosts.forks),
            follow=follower,
            lease=leases[target.name],
        )
        reach = partial(hosts.reach, target)
        windows[target.name] = Window(
            target.name, options, reach=reach, emit=output.emit, keep=evidence, time=hosts.time
        )
    return windows


def stretch_poll(poll: float, hosts: int, forks: int) -> float:
    """Return the seconds between two looks at a host, where ``hosts`` are looked at ``forks`` at a time.

    With many hosts a shorter pause would only make the looks wait for each other, and for the reverts.
    """
    return max(poll, 0.5 * hosts / forks)


def _finish(
    debug_run: DebugRun,
    store: RunStore | None,
    results: tuple[HostResult, ...],
    interrupts: Interrupts,
    output: Output,
) -> ExitCode:
    interrupted = interrupts.count > 0
    # "Interrupted" promises that all is reverted, and what was detached before the interrupt is not.
    code = choose_exit_code(results, interrupted=interrupted, may_stay_armed=debug_run.detach and not interrupted)
    output.console.progress("")
    if store is not None:
        code = keep_run(store, results, code, output)
        for result in results:
            if result.out:
                debug_run.on_stored(Path(result.out))
    if debug_run.check:
        return output.verdicts(results, code)
    if debug_run.detach:
        _tell_how_to_go_on(results, output)
    return tell_end(store, results, code, output)


def _tell_how_to_go_on(results: tuple[HostResult, ...], output: Output) -> None:
    """Name one command for all hosts that are armed: their leases begin alike (:func:`new_leases`)."""
    armed = {result.host: result.lease for result in results if result.armed}
    if armed:
        revert, collect = name_commands(armed, "revert", "collect")
        output.console.hint(f"End it early with: {revert}\nFetch the evidence with: {collect}")
        try:
            remember_leases(armed)
        except PfremoteError as exc:  # the host knows the lease; only completion does without
            output.console.detail(f"the leases are not kept for completion: {exc}")
