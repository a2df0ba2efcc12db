"""Run prepared plays: in their order, batch by batch, until done, interrupted, or stopped by failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pfremote.agent.client import new_leases
from pfremote.errors import ExitCode, Reason
from pfremote.fleet.interrupts import Interrupts, heed_signals
from pfremote.fleet.scheduler import run_fleet
from pfremote.model.event import EventSink, Kind
from pfremote.model.result import HostResult, choose_exit_code, reason_as_json
from pfremote.output.output import Output
from pfremote.playbook.batches import has_failed, judge_batch, merge_results, split_batches
from pfremote.playbook.check import speak_playbook
from pfremote.run.begun import BegunPlays
from pfremote.run.confirm import ask
from pfremote.run.debug import POLL, stretch_poll
from pfremote.run.evidence import EvidenceStore
from pfremote.run.finish import tell_end
from pfremote.run.hosts import Hosts, tell_failure, tell_warnings
from pfremote.run.notify import describe_results, send_notice
from pfremote.run.playbook_folder import create_store, finish_store
from pfremote.run.prepare import PreparedHost, PreparedPlay, decline
from pfremote.run.progress import Progress
from pfremote.run.total import ENOUGH, TotalStop
from pfremote.store import RunStore
from pfremote.text.quantities import plural
from pfremote.window import Window, WindowOptions

_INTERRUPTED = Reason("interrupted", "not contacted, the run was interrupted before")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run a playbook. ``yes`` answers every ``confirm``; ``out`` None takes the state folder."""

    playbook: str
    check: bool = False
    diff: bool = False
    yes: bool = False
    out: Path | None = None
    stop_after_total: int | None = None


def run_plays(plays: Sequence[PreparedPlay], hosts: Hosts, options: RunOptions, output: Output) -> ExitCode:
    """Run them and return the exit code; the recap has been told by then.

    Raises:
        UsageError: ``out`` is no folder to write to; no host was contacted.
    """
    tell_warnings(hosts, output)
    store = None if options.check else create_store(plays, options.playbook, options.out, output.disguise)
    if options.check:
        output.show_plans()
    interrupts = Interrupts()
    with heed_signals(interrupts):
        playbook_run = PlaybookRun(hosts, options, output, store, interrupts)
        for play in plays:
            playbook_run.run_play(play)
        return _finish(plays, playbook_run, output)


class PlaybookRun:
    """What has become of every host of every play so far, and why the rest is left alone, if it is."""

    def __init__(
        self, hosts: Hosts, options: RunOptions, output: Output, store: RunStore | None, interrupts: Interrupts
    ) -> None:
        self.results: dict[str, dict[str, HostResult]] = {}
        self.store = store
        self.interrupts = interrupts
        self._hosts = hosts
        self.is_check = options.check
        self._options = options
        self._output = output
        self._failed: dict[str, str] = {}
        self._stopped: Reason | None = None
        self._begun = BegunPlays()
        self._total = TotalStop(options.stop_after_total, output.console.say)

    def run_play(self, play: PreparedPlay) -> None:
        """Run one play, or note why it is not run; every one of its hosts has a result afterwards."""
        results = self.results.setdefault(play.title, {})
        emit = self._emit_for(play)
        self._output.console.say(f"PLAY [{play.title}] {plural(len(play.hosts), 'host')}", style="bold")
        if not play.hosts:
            self._output.console.say("no host of this play is left by --limit")
            return
        if self._stopped is None and not self._total.reached and self._may_begin(play):
            self._begin(play, results, emit)
        for host in play.hosts:
            if host.target.name not in results:
                self._leave_alone(host.target.name, results, emit)

    def _may_begin(self, play: PreparedPlay) -> bool:
        question = play.play.confirm
        if self.interrupts.count or question is None or self._options.yes or self._options.check:
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
        leases = new_leases([host.target.name for host in here])
        self._notify(play, "start", results, emit)
        batches = split_batches(here, [] if self._options.check else play.play.serial)
        for number, batch in enumerate(batches, 1):
            if self._stopped is not None or self.interrupts.count or self._total.reached:
                break
            if len(batches) > 1:
                names = ", ".join(host.target.name for host in batch)
                self._output.console.say(f"batch {number} of {len(batches)}: {names}")
            self._run_batch(play, batch, leases, results, emit)
        self._notify(play, "finish", results, emit)
        if any(has_failed(result) for result in results.values()):
            self._notify(play, "failure", results, emit)

    def _run_batch(
        self,
        play: PreparedPlay,
        batch: Sequence[PreparedHost],
        leases: Mapping[str, str],
        results: dict[str, HostResult],
        emit: EventSink,
    ) -> None:
        evidence = EvidenceStore(
            self.store,
            emit,
            play=play.title,
            main_cf=play.play.collect.main_cf,
            transcripts=play.play.collect.transcripts,
        )
        windows = {
            host.target.name: self._make_window(play, host, leases[host.target.name], len(batch), emit, evidence)
            for host in batch
        }
        self._note_begun(play, batch, leases, emit)
        progress = Progress(windows, self.interrupts, self._output, time=self._hosts.time)
        found = run_fleet(
            windows,
            forks=self._hosts.forks,
            interrupts=self.interrupts,
            tick=self._total.before(progress.tick, windows),
            time=self._hosts.time,
        )
        self._begun.end(play.title, found.values())
        self._total.close(windows.values())
        self._output.console.progress("")
        results.update(found)
        # A host that refused is asked again: it refused one request, and the next play makes another.
        failed = [result for result in found.values() if has_failed(result) and not result.refusals]
        self._failed.update({result.host: play.title for result in failed})
        why = judge_batch(
            tuple(found.values()),
            max_fail_percentage=play.play.max_fail_percentage,
            any_errors_fatal=play.play.any_errors_fatal,
        )
        if why and not self._options.check:
            self._stopped = Reason("not-begun", f"not contacted: {why}")

    def _note_begun(
        self, play: PreparedPlay, batch: Sequence[PreparedHost], leases: Mapping[str, str], emit: EventSink
    ) -> None:
        """Write down what is on hosts if this run is killed from now on; the hosts are served where that fails."""
        self._begun.begin(play.title, (host.target for host in batch), leases)
        if self.store is not None and (reason := self._begun.write(self.store, [host.request for host in batch])):
            emit("warning", **reason_as_json(reason))

    def _make_window(
        self,
        play: PreparedPlay,
        host: PreparedHost,
        lease: str,
        number: int,
        emit: EventSink,
        evidence: EvidenceStore,
    ) -> Window:
        options = WindowOptions(
            self._total.cap(host.request),
            check=self._options.check,
            diff=self._options.diff,
            poll=stretch_poll(POLL, number, self._hosts.forks),
            decline=partial(decline, play.play.when, host),
            keep_on_host=play.play.collect.keep_on_host,
            lease=lease,
        )
        reach = partial(self._hosts.reach, host.target)
        return Window(host.target.name, options, reach=reach, emit=emit, keep=evidence, time=self._hosts.time)

    def _leave_alone(self, name: str, results: dict[str, HostResult], emit: EventSink) -> None:
        if self._total.reached and self._stopped is None and not self.interrupts.count:
            results[name] = HostResult(name, skipped=ENOUGH)
        else:
            results[name] = self._refuse(name, self._stopped or _INTERRUPTED, emit)

    def _refuse(self, name: str, reason: Reason, emit: EventSink) -> HostResult:
        declined = reason.code == "declined"
        result = HostResult(name, refusals=(reason,)) if declined else HostResult(name, error=reason)
        tell_failure(result, emit)
        return result

    def _emit_for(self, play: PreparedPlay) -> EventSink:
        def emit(kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
            if isinstance(hint := details.get("hint"), str):
                details["hint"] = speak_playbook(hint)
            self._output.emit(kind, host, lease, play=play.title, **details)

        return emit

    def _notify(self, play: PreparedPlay, event: str, results: dict[str, HostResult], emit: EventSink) -> None:
        hooks = getattr(play.play.notify, event)
        if self._options.check or not hooks:
            return
        details: dict[str, object] = {
            "playbook": Path(self._options.playbook).name,
            "play": play.title,
            "run": self.store.id if self.store else None,
            "hosts": [self._output.disguise.host(host.target.name) for host in play.hosts],
        }
        if event != "start":
            # A hook is told before the hosts that are left alone have results: these are among the hosts only.
            described = describe_results(results.values())
            details["results"] = {self._output.disguise.host(name): item for name, item in described.items()}
            details["exit_code"] = int(choose_exit_code(results.values(), interrupted=self.interrupts.count > 0))

        def warn(reason: Reason) -> None:
            emit("warning", code=reason.code, message=reason.message)

        send_notice(hooks, event, details, warn)


def _finish(plays: Sequence[PreparedPlay], playbook_run: PlaybookRun, output: Output) -> ExitCode:
    every = [result for results in playbook_run.results.values() for result in results.values()]
    code = choose_exit_code(every, interrupted=playbook_run.interrupts.count > 0)
    if playbook_run.store is not None:
        code = finish_store(playbook_run.store, plays, playbook_run.results, code, output)
    by_host: dict[str, list[HostResult]] = {}
    for result in every:
        by_host.setdefault(result.host, []).append(result)
    merged = tuple(merge_results(results) for results in by_host.values())
    if playbook_run.is_check:
        return output.verdicts(merged, code)
    return tell_end(playbook_run.store, merged, code, output)
