"""The hosts of one run: chosen from the inventory, with the way in and up that the command line asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from pfremote.asking import OpenHost, open_host
from pfremote.commands.extra_vars import read_extra_vars
from pfremote.commands.host_options import HostOptions, make_connect_options, read_become_password
from pfremote.commands.lateness import LateNotice
from pfremote.errors import AgentFailed, PfremoteError, Refused, UsageError
from pfremote.events import EventSink
from pfremote.exit_codes import INTERRUPTED, ExitCode
from pfremote.fleet import LeftError, run_fleet
from pfremote.interruption import Interrupts, heed_signals
from pfremote.inventory import load_inventory
from pfremote.lagging import Straggler
from pfremote.output import Output
from pfremote.results import HostResult, State, fail, reason_as_json
from pfremote.secret import Secret
from pfremote.target import Target
from pfremote.transport import ConnectOptions

Work = Callable[[Target, OpenHost], HostResult]


@dataclass(frozen=True, slots=True)
class Hosts:
    """Whom to contact, and how."""

    targets: tuple[Target, ...]
    connect: ConnectOptions
    password: Secret | None = None
    forks: int = 5

    def reach(self, target: Target) -> AbstractContextManager[OpenHost]:
        """Return a connection to one of the hosts, for a ``with`` block."""
        return open_host(target, self.connect, self.password)


def prepare_hosts(options: HostOptions, patterns: tuple[str, ...]) -> Hosts:
    """Choose the hosts and ask for the passwords that were announced; contacts nobody.

    Raises:
        ConfigError: the inventory is wrong.
        UsageError: nothing matches, or an option is wrong.
    """
    targets = select_targets(options, patterns)
    return Hosts(targets, make_connect_options(options), read_become_password(options), options.forks)


def select_targets(options: HostOptions, patterns: tuple[str, ...]) -> tuple[Target, ...]:
    """Return the hosts that the patterns name, with the command line's wishes applied.

    Raises:
        ConfigError: the inventory is wrong.
        UsageError: nothing matches.
    """
    if not patterns and not options.inventory:
        raise UsageError("no host is named, and no inventory is given", hint="name hosts, or give -i INVENTORY")
    for pattern in patterns:
        if "://" in pattern:
            plain = pattern.partition("://")[2].rstrip("/")
            raise UsageError(f"{pattern} is a URL, and hosts are named as for ssh", hint=f"type {plain}")
    inventory = load_inventory(options.inventory)
    try:
        targets = inventory.select(",".join(patterns) or "all", options.limit)
    except UsageError as exc:
        if options.inventory:
            raise
        hint = "type a host as ssh knows it: NAME, USER@NAME or NAME:PORT, or give -i INVENTORY"
        raise UsageError(exc.message, hint=hint) from exc
    if not targets:
        raise UsageError(
            f"no host matches {' '.join(patterns) or 'all'}"
            + (f" with --limit {options.limit}" if options.limit else ""),
            hint="see what there is: pfremote inventory --graph",
        )
    extra = read_extra_vars(options.extra_vars).values
    return tuple(apply_options(options, target, extra) for target in targets)


def apply_options(options: HostOptions, target: Target, extra: Mapping[str, object]) -> Target:
    """Return the target with what the command line says laid over the inventory."""
    return dataclasses.replace(
        target,
        user=options.user or target.user,
        private_key=options.private_key or target.private_key,
        become=True if options.become else target.become,
        become_user=options.become_user or target.become_user,
        instance=options.instance or target.instance,
        vars={**target.vars, **extra},
    )


def list_hosts(targets: tuple[Target, ...], output: Output) -> int:
    """Show the hosts as ``--list-hosts`` does and return the exit code."""
    output.files = None  # nothing becomes of a host that is only listed
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
            self._result = self.abandon(AgentFailed("not contacted, the run was interrupted before", code=INTERRUPTED))
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
            hint = f"look with: pfremote status {self._target.name}" if self._result.state == "unknown" else ""
            error = AgentFailed("you left before it had answered", code=INTERRUPTED, hint=hint)
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
) -> tuple[HostResult, ...]:
    """Do ``work`` on every host, ``forks`` at a time, and tell of what failed.

    ``if_lost`` is the state that a host is in as far as we know when it cannot be asked. The first
    interrupt leaves alone whose turn it is not, the second leaves at once; the first does where the
    work ``looks_only``.
    """
    interrupts = Interrupts()
    tell_late = LateNotice(output.emit)
    told = False

    def tick(late: Sequence[Straggler]) -> None:
        nonlocal told
        tell_late(late)
        if interrupts.count == 1 and not told and not looks_only:
            told = True
            output.console.say("interrupted: waiting for the hosts that are at work already")
            output.console.hint("once more leaves at once")

    results = gather_results(hosts, work, tick, limit=limit, if_lost=if_lost, looks_only=looks_only, stop=interrupts)
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
    """Do ``work`` on every host as :func:`visit_hosts` does, and tell nobody of what failed."""
    jobs = {target.name: _Visit(hosts, target, work, limit=limit, if_lost=if_lost) for target in hosts.targets}
    interrupts = stop or Interrupts()
    with heed_signals(interrupts):
        done = run_fleet(jobs, forks=hosts.forks, interrupts=interrupts, tick=tick, patience=0 if looks_only else 1)
    return tuple(done.values())


def tell_failure(result: HostResult, emit: EventSink) -> None:
    """Emit ``failed`` for whatever a host was not served for."""
    reasons = result.refusals or ((result.error,) if result.error else ())
    for reason in reasons:
        refused = bool(result.refusals)
        emit("failed", result.host, result.lease, state=result.state, refused=refused, **reason_as_json(reason))
