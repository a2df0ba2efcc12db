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
from pfremote.errors import ConfigError, ConfigErrors, UsageError
from pfremote.inventory import Inventory
from pfremote.inventory.graph import Variables
from pfremote.inventory.values import Origin
from pfremote.plan import DebugRequest
from pfremote.playbook import Play, PlaySource, Values
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

    def apply(self, play: Play) -> Play:
        """Return the play with the wishes laid over it."""
        changes: dict[str, object] = {"serial": list(self.serial)} if self.serial else {}
        if self.max_fail_percentage is not None:
            changes["max_fail_percentage"] = self.max_fail_percentage
        return play.model_copy(update=changes)


def prepare_plays(
    sources: Sequence[PlaySource],
    inventory: Inventory,
    options: HostOptions,
    extra: Variables,
    wishes: Wishes,
) -> tuple[PreparedPlay, ...]:
    """Choose the hosts of every play and make every host's request.

    Raises:
        ConfigError, ConfigErrors: the playbook is wrong, all that is wrong at once.
        UsageError: ``--limit`` is no pattern, or leaves no host in any play.
    """
    errors: dict[str, ConfigError] = {}
    plays: list[PreparedPlay] = []
    for source in sources:
        with_errors = _Collected(errors)
        with with_errors:
            play = wishes.apply(source.settle(Values(source.variables, extra)))
            hosts = tuple(_prepare_hosts(source, play, inventory, options, extra, with_errors))
            plays.append(PreparedPlay(_make_title(source, play, plays), play, hosts))
    raise_all(errors.values())
    if not any(play.hosts for play in plays):
        raise UsageError(
            f"--limit {options.limit} leaves no host in any play",
            hint="see what there is: pfremote inventory --graph",
        )
    return tuple(plays)


class _Collected:
    """Notes errors of the playbook instead of letting the first one end it; equal ones of many hosts once."""

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


def _prepare_hosts(
    source: PlaySource,
    play: Play,
    inventory: Inventory,
    options: HostOptions,
    extra: Variables,
    collected: _Collected,
) -> Iterator[PreparedHost]:
    for target in _select(source, play, inventory, options):
        prepared: PreparedHost | None = None
        with collected:
            prepared = _prepare_host(source, play, target, inventory, options, extra)
        if prepared is not None:
            yield prepared


def _select(source: PlaySource, play: Play, inventory: Inventory, options: HostOptions) -> tuple[Target, ...]:
    """Choose the hosts; a pattern of the playbook that matches nobody is the playbook's mistake."""
    pattern = ",".join(play.hosts)
    try:
        chosen = inventory.select(pattern)
        if not chosen:
            raise UsageError(
                f"no host matches {pattern}", hint="see what there is: pfremote inventory --graph"
            )
    except UsageError as exc:
        raise source.error(exc, "hosts") from exc
    return inventory.select(pattern, options.limit) if options.limit else chosen


def _prepare_host(
    source: PlaySource,
    play: Play,
    target: Target,
    inventory: Inventory,
    options: HostOptions,
    extra: Variables,
) -> PreparedHost:
    values = _gather_values(source, target, inventory, extra)
    own = source.settle_host(values)
    target = apply_options(options, target, extra.values)
    if own.instance and not options.instance:
        target = dataclasses.replace(target, instance=own.instance)
    reason = own.reason or play.name or ""
    request = make_request(
        own.debug, owner=name_operator(), origin=socket.gethostname(), reason=" ".join(reason.split())
    )
    try:
        return PreparedHost(target, Asked(request, given_keys(own.debug)).fit(target), values)
    except UsageError as exc:
        raise source.error(exc, "debug", "minutes") from exc


def _gather_values(source: PlaySource, target: Target, inventory: Inventory, extra: Variables) -> Values:
    """Lay the play's variables below the inventory's, and those of ``-e`` above both."""
    name = target.name
    origin = partial(_name_origin, name)
    magic: Mapping[str, object] = {
        "inventory_hostname": name,
        "inventory_hostname_short": name.partition(".")[0],
        "group_names": inventory.groups_of(name),
    }
    return Values(source.variables, layer(target.vars, origin), extra, magic=magic)


def _name_origin(host: str, variable: str) -> Origin:
    return Origin(f"inventory of {host}", None, variable)
