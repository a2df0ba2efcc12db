"""A playbook's plays with their hosts chosen and their requests made, before anybody is contacted."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pfremote.commands.host_options import HostOptions
from pfremote.commands.hosts import apply_options
from pfremote.commands.request_options import Asked, name_operator
from pfremote.errors import AgentFailed, ConfigError, ConfigErrors, UsageError
from pfremote.facts import Facts
from pfremote.inventory import Inventory
from pfremote.inventory.graph import Variables
from pfremote.inventory.values import Origin
from pfremote.plan import DebugRequest
from pfremote.playbook import Play, PlaySource, Values
from pfremote.playbook.condition import describe_facts, find_false
from pfremote.playbook.problems import raise_all
from pfremote.playbook.request import given_keys, make_request
from pfremote.playbook.scalars import BatchSize
from pfremote.playbook.templates import layer
from pfremote.target import Target


@dataclass(frozen=True, slots=True)
class PreparedHost:
    """One host of a play, what is asked of it, and the variables that its conditions may use."""

    target: Target
    request: DebugRequest
    values: Values = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreparedPlay:
    """One play, ready to go. ``title`` is its name, made different from those of the other plays."""

    title: str
    play: Play
    hosts: tuple[PreparedHost, ...]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says in place of the playbook; None and empty leave it to the playbook."""

    serial: Sequence[BatchSize] = ()
    max_fail_percentage: float | None = None
    volatile_guard: bool = False

    def apply(self, play: Play) -> Play:
        """Return the play with the wishes laid over it."""
        changes: dict[str, object] = {"serial": list(self.serial)} if self.serial else {}
        if self.max_fail_percentage is not None:
            changes["max_fail_percentage"] = self.max_fail_percentage
        return play.model_copy(update=changes)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all plays of a run share: the inventory and the command line."""

    inventory: Inventory
    options: HostOptions
    extra: Variables
    wishes: Wishes = Wishes()


def prepare_plays(sources: Sequence[PlaySource], ground: Ground) -> tuple[PreparedPlay, ...]:
    """Choose the hosts of every play and make every host's request.

    Raises:
        ConfigError, ConfigErrors: the playbook is wrong, all that is wrong at once.
        UsageError: ``--limit`` is no pattern, or leaves no host in any play.
    """
    errors: dict[str, ConfigError] = {}
    plays: list[PreparedPlay] = []
    collected = _Collected(errors)
    for source in sources:
        with collected:
            play = ground.wishes.apply(source.settle(Values(source.variables, ground.extra)))
            hosts = tuple(_prepare_hosts(source, play, ground, collected))
            plays.append(PreparedPlay(_make_title(source, play, plays), play, hosts))
    raise_all(errors.values())
    if not any(play.hosts for play in plays):
        raise UsageError(
            f"--limit {ground.options.limit} leaves no host in any play",
            hint="see what there is: pfremote inventory --graph",
        )
    return tuple(plays)


class _Collected:
    """Notes errors instead of letting the first one end it all; equal ones of many hosts once."""

    def __init__(self, errors: dict[str, ConfigError]) -> None:
        self._errors = errors

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, exc: BaseException | None, _trace: object) -> bool:
        if isinstance(exc, ConfigErrors | ConfigError):
            for error in exc.errors if isinstance(exc, ConfigErrors) else (exc,):
                self._errors.setdefault(str(error), error)
            return True
        return False


def _make_title(source: PlaySource, play: Play, before: Iterable[PreparedPlay]) -> str:
    title = play.name or ",".join(play.hosts)
    return title if title not in {other.title for other in before} else f"{title} (play {source.number})"


def _prepare_hosts(source: PlaySource, play: Play, ground: Ground, collected: _Collected) -> Iterator[PreparedHost]:
    for target in _select(source, play, ground):
        prepared: PreparedHost | None = None
        with collected:
            prepared = _prepare_host(source, play, target, ground)
        if prepared is not None:
            yield prepared


def _select(source: PlaySource, play: Play, ground: Ground) -> tuple[Target, ...]:
    """Choose the hosts; a pattern of the playbook that matches nobody is the playbook's mistake."""
    pattern = ",".join(play.hosts)
    try:
        chosen = ground.inventory.select(pattern)
        if not chosen:
            hint = "see what there is: pfremote inventory --graph"
            raise UsageError(f"no host matches {pattern}", hint=hint)
    except UsageError as exc:
        raise source.error(exc, "hosts") from exc
    limit = ground.options.limit
    return ground.inventory.select(pattern, limit) if limit else chosen


def _prepare_host(source: PlaySource, play: Play, target: Target, ground: Ground) -> PreparedHost:
    values = _gather_values(source, target, ground)
    own = source.settle_host(values)
    target = apply_options(ground.options, target, ground.extra.values)
    if own.instance and not ground.options.instance:
        target = dataclasses.replace(target, instance=own.instance)
    request = make_request(
        own.debug,
        owner=name_operator(),
        origin=socket.gethostname(),
        # One line: the reason is shown in lists, and in the host's syslog.
        reason=" ".join((own.reason or play.name or "").split()),
    )
    if ground.wishes.volatile_guard:
        request = dataclasses.replace(request, volatile_guard=True)
    try:
        return PreparedHost(target, Asked(request, given_keys(own.debug)).fit(target), values)
    except UsageError as exc:
        raise source.error(exc, "debug", "minutes") from exc


def _gather_values(source: PlaySource, target: Target, ground: Ground) -> Values:
    """Lay the play's variables below the inventory's, and those of ``-e`` above both."""
    name = target.name
    magic: Mapping[str, object] = {
        "inventory_hostname": name,
        "inventory_hostname_short": name.partition(".")[0],
        "group_names": ground.inventory.groups_of(name),
    }
    own = layer(target.vars, partial(_name_origin, name))
    return Values(source.variables, own, ground.extra, magic=magic)


def _name_origin(host: str, variable: str) -> Origin:
    return Origin(f"inventory of {host}", None, variable)


def gather_peers(plays: Iterable[PreparedPlay]) -> list[str]:
    """Return every peer that is asked for on any host, once, sorted."""
    return sorted({peer for play in plays for host in play.hosts for peer in host.request.peers})


def decline(conditions: Sequence[str], host: PreparedHost, facts: Facts) -> str:
    """Return why nothing is wanted of a host, by its play's ``when``; empty where something is.

    Raises:
        AgentFailed: that cannot be decided.
    """
    try:
        false = find_false(conditions, host.values, describe_facts(facts))
    except (UsageError, ConfigError) as exc:
        raise AgentFailed(f"the condition cannot be decided: {exc}", code="when", hint=exc.hint) from exc
    return f"when: {false}" if false else ""
