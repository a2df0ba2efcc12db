"""The hosts of one run: chosen from the inventory, with the way in and up that the command line asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

from click.exceptions import Exit

from pfremote.agent.client import OpenHost, open_host
from pfremote.errors import AgentFailed, ExitCode, NameUnknown, PfremoteError, Refused
from pfremote.fleet.interrupts import Interrupts, heed_signals
from pfremote.fleet.scheduler import LeftError, run_fleet
from pfremote.fleet.stragglers import LateNotice, Straggler
from pfremote.fleet.time_source import SYSTEM_TIME, TimeSource
from pfremote.model.event import EventSink
from pfremote.model.result import HostResult, State, fail, reason_as_json
from pfremote.model.secret import Secret
from pfremote.model.target import Target
from pfremote.model.typed import TYPED
from pfremote.options.connect import make_connect_options, read_become_password
from pfremote.options.hosts import HostOptions
from pfremote.output.output import Output
from pfremote.run.choose import choose_hosts
from pfremote.run.forgotten import suggest_name
from pfremote.transport import ConnectOptions, Transport
from pfremote.transport import connect as open_connection

Work = Callable[[Target, OpenHost], HostResult]
Review = Callable[[Sequence[HostResult]], tuple[HostResult, ...]]


def _suggest_nothing(_name: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Whom to contact, and how.

    ``transport`` and ``time`` are the run's only ways to the outside: a test gives its own hosts and its own clock.
    """

    targets: tuple[Target, ...]
    connect: ConnectOptions
    password: Secret | None = None
    forks: int = 5
    transport: Transport = open_connection
    time: TimeSource = SYSTEM_TIME
    #: What the operator should know before they are contacted, one sentence each.
    warnings: tuple[str, ...] = ()
    #: What to add to the hint where a name does not resolve.
    suggest: Callable[[str], str] = _suggest_nothing

    def reach(self, target: Target) -> AbstractContextManager[OpenHost]:
        """Return a connection to one of the hosts, for a ``with`` block.

        Raises:
            Refused: the inventory says of this host what cannot be followed.
        """
        if target.refusal is not None:
            raise Refused((target.refusal,))
        return self._open(target)

    @contextmanager
    def _open(self, target: Target) -> Iterator[OpenHost]:
        try:
            with open_host(target, self.connect, self.password, self.transport) as host:
                yield host
        except NameUnknown as exc:
            raise NameUnknown(exc.message, hint=self.suggest(target.name) + exc.hint) from exc


def prepare_hosts(options: HostOptions, patterns: tuple[str, ...], output: Output) -> Hosts:
    """Choose the hosts and ask for the passwords that were announced; no host is contacted.

    Raises:
        ConfigError: the inventory is wrong.
        UsageError: nothing matches, or an option is wrong.
        Exit: they were only to be listed, and are.
    """
    chosen = choose_hosts(options, patterns)
    end_after_listing(options, chosen.targets, output)
    password = read_become_password(options)
    connect = make_connect_options(options)
    suggest = partial(suggest_name, options)
    return Hosts(chosen.targets, connect, password, options.forks, warnings=chosen.warnings, suggest=suggest)


def tell_warnings(hosts: Hosts, output: Output) -> None:
    """Say on stderr what the operator should know before the first host is contacted."""
    for sentence in hosts.warnings:
        output.console.say(f"warning: {sentence}", style="yellow")


def end_after_listing(options: HostOptions, targets: tuple[Target, ...], output: Output) -> None:
    """With ``--list-hosts`` show the hosts and end the command there.

    Raises:
        Exit: they are shown; click ends the command with this exit code.
    """
    if options.list_hosts:
        raise Exit(list_hosts(targets, output))


def list_hosts(targets: tuple[Target, ...], output: Output) -> int:
    """Show the hosts as ``--list-hosts`` does and return the exit code."""
    output.files = None  # --tree keeps what became of hosts: those that are only listed have no such result
    output.console.show("\n".join(target.name for target in targets))
    return output.recap_for_programs((HostResult(target.name) for target in targets), ExitCode.OK)


class _Visit:
    """A job of one step."""

    kind = "visit"

    def __init__(self, hosts: Hosts, target: Target, work: Work, *, limit: float, if_lost: State) -> None:
        self.limit = limit
        self.doing = "waiting"
        self._hosts = hosts
        self._target = target
        self._work = work
        self._result = HostResult(target.name, state=if_lost)
        self._hurried = False

    def advance(self) -> float | None:
        if self._hurried:
            self._result = self.abandon(
                AgentFailed("not contacted, the run was interrupted before", code="interrupted")
            )
            return None
        self.doing = "connecting"
        try:
            with self._hosts.reach(self._target) as host:
                self.doing = "asking"
                self._result = self._work(self._target, host)
        except Refused as exc:  # the host answered, and nothing was done to it
            self._result = fail(HostResult(self._target.name), exc)
        except PfremoteError as exc:
            self._result = fail(self._result, exc)
        return None

    def hurry(self) -> None:
        """Leave this host alone if it is not its turn yet."""
        self._hurried = True

    def outcome(self) -> HostResult:
        return self._result

    def abandon(self, error: BaseException) -> HostResult:
        if isinstance(error, LeftError):
            hint = f"Look with: {TYPED.command('status', self._target.name)}" if self._result.state == "unknown" else ""
            error = AgentFailed("you left before it had answered", code="interrupted", hint=hint)
        known = error if isinstance(error, PfremoteError) else PfremoteError(f"unexpected: {error!r}")
        return fail(self._result, known)


def visit_hosts(
    hosts: Hosts,
    work: Work,
    output: Output,
    *,
    limit: float = 180,
    if_lost: State = "untouched",
    looks_only: bool = False,
    review: Review = tuple,
) -> tuple[HostResult, ...]:
    """Do ``work`` on every host, ``forks`` at a time, and tell of what failed.

    ``review`` may judge a host by what became of the others. ``if_lost`` is the state that a host is
    in as far as we know when it cannot be asked. The first interrupt leaves alone whose turn it is not,
    the second leaves at once; the first does where the work ``looks_only``.
    """
    tell_warnings(hosts, output)
    interrupts = Interrupts()
    tell_late = LateNotice(output.emit, hosts.time)
    told = False

    def tick(late: Sequence[Straggler]) -> None:
        nonlocal told
        tell_late(late)
        if interrupts.count == 1 and not told and not looks_only:
            told = True
            output.console.say("interrupted: waiting for the hosts that are at work already")
            output.console.hint("Once more leaves at once.")

    results = gather_results(hosts, work, tick, limit=limit, if_lost=if_lost, looks_only=looks_only, stop=interrupts)
    results = review(results)
    for result in results:
        tell_failure(result, output.emit)
    return results


def gather_results(
    hosts: Hosts,
    work: Work,
    tick: Callable[[Sequence[Straggler]], None],
    *,
    limit: float,
    if_lost: State = "untouched",
    looks_only: bool = True,
    stop: Interrupts | None = None,
) -> tuple[HostResult, ...]:
    """Do ``work`` on every host as :func:`visit_hosts` does, and tell nothing of what failed."""
    jobs = {target.name: _Visit(hosts, target, work, limit=limit, if_lost=if_lost) for target in hosts.targets}
    interrupts = stop or Interrupts()
    with heed_signals(interrupts):
        done = run_fleet(
            jobs,
            forks=hosts.forks,
            interrupts=interrupts,
            tick=tick,
            hurries=0 if looks_only else 1,
            time=hosts.time,
        )
    return tuple(done.values())


def tell_failure(result: HostResult, emit: EventSink) -> None:
    """Emit ``failed`` for whatever a host was not served for."""
    reasons = result.refusals or ((result.error,) if result.error else ())
    for reason in reasons:
        refused = bool(result.refusals)
        emit("failed", result.host, result.lease, state=result.state, refused=refused, **reason_as_json(reason))
