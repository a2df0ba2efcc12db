"""Run prepared plays: in their order, batch by batch, until done, interrupted, or stopped by failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pfremote.commands.campaign import POLL, Teller
from pfremote.commands.hosts import Hosts, tell_failure
from pfremote.commands.keeping import Keeper
from pfremote.commands.notices import describe_results, send_notice
from pfremote.commands.play_store import create_store, finish_store
from pfremote.commands.plays import PreparedHost, PreparedPlay, decline
from pfremote.commands.questions import ask
from pfremote.errors import Reason
from pfremote.events import EventSink, Kind
from pfremote.exit_codes import ExitCode, choose_exit_code
from pfremote.fleet import run_fleet
from pfremote.interruption import Interrupts, heed_signals
from pfremote.narrator import plural
from pfremote.output import Output
from pfremote.playbook.batches import has_failed, judge_batch, merge_results, split_batches
from pfremote.results import HostResult
from pfremote.store import RunStore
from pfremote.window import Window, WindowOptions

_INTERRUPTED = Reason("interrupted", "not contacted, the run was interrupted before")


@dataclass(frozen=True, slots=True)
class Manner:
    """How to run a playbook. ``yes`` answers every ``confirm``; ``out`` None takes the state folder."""

    playbook: str
    check: bool = False
    diff: bool = False
    yes: bool = False
    out: Path | None = None


def run_plays(plays: Sequence[PreparedPlay], hosts: Hosts, manner: Manner, output: Output) -> ExitCode:
    """Run them and return the exit code; the recap has been told by then.

    Raises:
        UsageError: ``out`` is no folder to write to; no host was contacted.
    """
    store = None if manner.check else create_store(plays, manner.playbook, manner.out, output.disguise)
    if manner.check:
        output.show_plans()
    interrupts = Interrupts()
    with heed_signals(interrupts):
        show = _Show(hosts, manner, output, store, interrupts)
        for play in plays:
            show.perform(play)
        return _finish(plays, show, output)


class _Show:
    """What has become of every host of every play so far, and why the rest is left alone, if it is."""

    def __init__(
        self, hosts: Hosts, manner: Manner, output: Output, store: RunStore | None, interrupts: Interrupts
    ) -> None:
        self.results: dict[str, dict[str, HostResult]] = {}
        self.store = store
        self.interrupts = interrupts
        self._hosts = hosts
        self._manner = manner
        self._output = output
        self._failed: dict[str, str] = {}
        self._stopped: Reason | None = None

    def perform(self, play: PreparedPlay) -> None:
        """Run one play, or note why it is not run; every one of its hosts has a result afterwards."""
        results = self.results.setdefault(play.title, {})
        emit = self._emit_for(play)
        self._output.console.say(f"PLAY [{play.title}] {plural(len(play.hosts), 'host')}", style="bold")
        if not play.hosts:
            self._output.console.say("no host of this play is left by --limit")
            return
        if self._stopped is None and self._may_begin(play):
            self._begin(play, results, emit)
        for host in play.hosts:
            if host.target.name not in results:
                self._leave_alone(host.target.name, results, emit)

    def _may_begin(self, play: PreparedPlay) -> bool:
        question = play.play.confirm
        if self.interrupts.count or question is None or self._manner.yes or self._manner.check:
            return not self.interrupts.count
        if ask(question, self._output.console, self.interrupts):
            return True
        if not self.interrupts.count:
            self._stopped = Reason("declined", f"the answer before the play {play.title} was not yes")
        return False

    def _begin(self, play: PreparedPlay, results: dict[str, HostResult], emit: EventSink) -> None:
        here = []
        for host in play.hosts:
            if (before := self._failed.get(host.target.name)) is None:
                here.append(host)
            else:
                results[host.target.name] = self._refuse(
                    host.target.name,
                    Reason("not-begun", f"left out, since it failed in the play {before}"),
                    emit,
                )
        self._notify(play, "start", results, emit)
        batches = split_batches(here, [] if self._manner.check else play.play.serial)
        for number, batch in enumerate(batches, 1):
            if self._stopped is not None or self.interrupts.count:
                break
            if len(batches) > 1:
                names = ", ".join(host.target.name for host in batch)
                self._output.console.say(f"batch {number} of {len(batches)}: {names}")
            self._run_batch(play, batch, results, emit)
        self._notify(play, "finish", results, emit)
        if any(has_failed(result) for result in results.values()):
            self._notify(play, "failure", results, emit)

    def _run_batch(
        self,
        play: PreparedPlay,
        batch: Sequence[PreparedHost],
        results: dict[str, HostResult],
        emit: EventSink,
    ) -> None:
        keeper = Keeper(
            self.store,
            emit,
            play=play.title,
            main_cf=play.play.collect.main_cf,
            transcripts=play.play.collect.transcripts,
        )
        windows = {host.target.name: self._make_window(play, host, len(batch), emit, keeper) for host in batch}
        teller = Teller(windows, self.interrupts, self._output)
        found = run_fleet(windows, forks=self._hosts.forks, interrupts=self.interrupts, tick=teller.tick)
        self._output.console.progress("")
        results.update(found)
        # What failed, not what refused: that is about one request, and the next play has another.
        failed = [result for result in found.values() if has_failed(result) and not result.refusals]
        self._failed.update({result.host: play.title for result in failed})
        why = judge_batch(
            tuple(found.values()),
            max_fail_percentage=play.play.max_fail_percentage,
            any_errors_fatal=play.play.any_errors_fatal,
        )
        if why and not self._manner.check:
            self._stopped = Reason("not-begun", f"not contacted: {why}")

    def _make_window(
        self, play: PreparedPlay, host: PreparedHost, number: int, emit: EventSink, keeper: Keeper
    ) -> Window:
        options = WindowOptions(
            host.request,
            check=self._manner.check,
            diff=self._manner.diff,
            poll=max(POLL, 0.5 * number / self._hosts.forks),
            decline=partial(decline, play.play.when, host),
            keep_on_host=play.play.collect.keep_on_host,
        )
        reach = partial(self._hosts.reach, host.target)
        return Window(host.target.name, options, reach=reach, emit=emit, keep=keeper)

    def _leave_alone(self, name: str, results: dict[str, HostResult], emit: EventSink) -> None:
        results[name] = self._refuse(name, self._stopped or _INTERRUPTED, emit)

    def _refuse(self, name: str, reason: Reason, emit: EventSink) -> HostResult:
        declined = reason.code == "declined"
        result = HostResult(name, refusals=(reason,)) if declined else HostResult(name, error=reason)
        tell_failure(result, emit)
        return result

    def _emit_for(self, play: PreparedPlay) -> EventSink:
        def emit(kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
            self._output.emit(kind, host, lease, play=play.title, **details)

        return emit

    def _notify(self, play: PreparedPlay, event: str, results: dict[str, HostResult], emit: EventSink) -> None:
        hooks = getattr(play.play.notify, event)
        if self._manner.check or not hooks:
            return
        details: dict[str, object] = {
            "playbook": Path(self._manner.playbook).name,
            "play": play.title,
            "run": self.store.id if self.store else None,
            "hosts": [self._output.disguise.host(host.target.name) for host in play.hosts],
        }
        if event != "start":
            # Told before the end of the run: who is left alone is among the hosts, and not among the results.
            described = describe_results(results.values())
            details["results"] = {self._output.disguise.host(name): item for name, item in described.items()}
            details["exit_code"] = int(choose_exit_code(results.values(), interrupted=self.interrupts.count > 0))

        def warn(reason: Reason) -> None:
            emit("warning", code=reason.code, message=reason.message)

        send_notice(hooks, event, details, warn)


def _finish(plays: Sequence[PreparedPlay], show: _Show, output: Output) -> ExitCode:
    every = [result for results in show.results.values() for result in results.values()]
    code = choose_exit_code(every, interrupted=show.interrupts.count > 0)
    if show.store is not None:
        code = finish_store(show.store, plays, show.results, code, output)
    by_host: dict[str, list[HostResult]] = {}
    for result in every:
        by_host.setdefault(result.host, []).append(result)
    return output.recap(tuple(merge_results(results) for results in by_host.values()), code)
