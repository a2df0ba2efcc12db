"""A playbook's plays with their hosts chosen and their requests made, before the first host is contacted."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pfremote.errors import AgentFailed, ConfigError, ConfigErrors, UsageError
from pfremote.inventory import Inventory
from pfremote.inventory.graph import Variables
from pfremote.inventory.option_names import OPTIONS
from pfremote.inventory.overrides import Overrides
from pfremote.inventory.values import PASSWORD_VARIABLES, Origin
from pfremote.model.facts import Facts
from pfremote.model.peer import Peer
from pfremote.model.request import DebugRequest
from pfremote.model.target import Target
from pfremote.model.typed import TYPED
from pfremote.options.hosts import HostOptions
from pfremote.options.request import RequestOptions, longest_minutes, name_operator
from pfremote.playbook import Play, PlaySource, Values
from pfremote.playbook.check import check_conditions, check_limit, check_request
from pfremote.playbook.condition import describe_facts, find_false
from pfremote.playbook.problems import raise_all
from pfremote.playbook.request import given_keys, make_request
from pfremote.playbook.scalars import BatchSize
from pfremote.run.check_hooks import check_hooks
from pfremote.run.choose import choose_names, make_overrides, make_targets
from pfremote.run.play_files import PlayFiles


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
class PlayOverrides:
    """What the command line says in place of the playbook; None and empty leave it to the playbook."""

    serial: Sequence[BatchSize] = ()
    max_fail_percentage: float | None = None
    volatile_guard: bool = False

    def apply(self, play: Play) -> Play:
        """Return the play with the overrides laid over it."""
        changes: dict[str, object] = {"serial": list(self.serial)} if self.serial else {}
        if self.max_fail_percentage is not None:
            changes["max_fail_percentage"] = self.max_fail_percentage
        return play.model_copy(update=changes)


@dataclass(frozen=True)
class PlayContext:
    """What all plays of a run share: the inventory, the command line, and the files that plays name."""

    inventory: Inventory
    options: HostOptions
    files: PlayFiles
    overrides: PlayOverrides = PlayOverrides()

    def hosts(self) -> Overrides:
        """Return what goes before the inventory.

        Raises:
            UsageError, ConfigError: a variable of ``-e`` is wrong.
        """
        return make_overrides(self.options, self.inventory)


def prepare_plays(
    sources: Sequence[PlaySource], context: PlayContext, mistakes: Sequence[ConfigError] = ()
) -> tuple[PreparedPlay, ...]:
    """Choose the hosts of every play, make every host's request, look at all of it; ``mistakes`` are known already.

    Raises:
        ConfigError, ConfigErrors: the playbook is wrong, all that is wrong at once.
        UsageError: ``--limit`` is no pattern, or leaves no host in any play.
    """
    errors = {str(error): error for error in mistakes}
    plays: list[PreparedPlay] = []
    collected = _Collected(errors)
    overrides = context.hosts()
    for source in sources:
        with collected:
            preparing = _Preparing(source, context, overrides, collected)
            play = preparing.fill()
            hosts = tuple(preparing.prepare_hosts(play))
            plays.append(PreparedPlay(_make_title(source, play, plays), play, hosts))
    raise_all(sorted(errors.values(), key=lambda error: (error.file, error.line or 0)))
    if not any(play.hosts for play in plays):
        raise UsageError(
            f"--limit {context.options.limit} leaves no host in any play",
            hint=f"See what there is with: {TYPED.show_inventory()}",
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
            self.note(exc.errors if isinstance(exc, ConfigErrors) else (exc,))
            return True
        return False

    def note(self, errors: Iterable[ConfigError]) -> None:
        for error in errors:
            self._errors.setdefault(str(error), error)


def _make_title(source: PlaySource, play: Play, before: Iterable[PreparedPlay]) -> str:
    title = play.name or ",".join(play.hosts)
    return title if title not in {other.title for other in before} else f"{title} (play {source.number})"


@dataclass(frozen=True, slots=True)
class _Preparing:
    """One play on its way."""

    source: PlaySource
    context: PlayContext
    overrides: Overrides
    collected: _Collected

    def fill(self) -> Play:
        """Return what holds for the play as a whole, with its hooks looked at."""
        values = Values(self.source.variables, self.overrides.extra, keys=self.context.inventory.keys)
        files = self.context.files.read(self.source, values, complete=False)
        values = Values(self.source.variables, files, self.overrides.extra, keys=self.context.inventory.keys)
        play = self.context.overrides.apply(self.source.fill(values))
        self.collected.note(check_hooks(self.source, play))
        return play

    def prepare_hosts(self, play: Play) -> Iterator[PreparedHost]:
        """Yield the hosts, each with its request. What is wrong goes to the collected errors."""
        names = self._select(play)
        if self.context.options.list_hosts:
            bare = DebugRequest(peers=(), seconds=0)
            shown = map(self.context.inventory.shown_name, names)
            yield from (PreparedHost(Target(name, name), bare, Values()) for name in shown)
            return
        layers = {name: self._read_files(name) for name in names}
        for name, target in zip(names, self._make_targets(names, layers), strict=True):
            prepared: PreparedHost | None = None
            with self.collected:
                prepared = self._prepare_host(play, target, layers[name])
            if prepared is not None:
                yield prepared

    def _make_targets(self, names: Sequence[str], layers: dict[str, Variables]) -> tuple[Target, ...]:
        return make_targets(self.context.inventory, names, self.overrides, layers if self.source.files else {})

    def _read_files(self, name: str) -> Variables:
        """Return the variables of the files that the play names; their names may be templates of the host's."""
        found = Variables()
        if self.source.files:
            with self.collected:
                found = self.context.files.read(self.source, self._gather(name, Variables()), complete=True)
        return found

    def _select(self, play: Play) -> tuple[str, ...]:
        """Choose the hosts; a pattern of the playbook that matches no host is the playbook's mistake."""
        pattern = ",".join(play.hosts)
        inventory, options = self.context.inventory, self.context.options
        try:
            chosen = choose_names(inventory, options, pattern)
            if not chosen:
                hint = f"See what there is with: {TYPED.show_inventory()}"
                raise UsageError(f"no host matches {pattern}", hint=hint)
        except UsageError as exc:
            raise self.source.error(exc, "hosts") from exc
        return choose_names(inventory, options, pattern, options.limit) if options.limit else chosen

    def _prepare_host(self, play: Play, target: Target, files: Variables) -> PreparedHost:
        values = self._gather(target.name, files, target)
        self.collected.note(check_conditions(self.source, play, values, target.name))
        own = self.source.fill_host(values)
        if own.instance and not self.context.options.instance:
            target = dataclasses.replace(target, instance=own.instance)
        request = self._make_request(own, play)
        self.collected.note(check_request(self.source, own, request, self._needs_reason()))
        if target.refusal is not None:
            return PreparedHost(target, request, values)
        self.collected.note(check_limit(self.source, target, request.seconds, longest_minutes(target)))
        asked = RequestOptions(request, given_keys(own.debug))
        return PreparedHost(target, asked.lay_over(target), values)

    def _make_request(self, own: Play, play: Play) -> DebugRequest:
        request = make_request(
            own.debug,
            owner=name_operator(),
            origin=socket.gethostname(),
            # One line: the reason is shown in lists, and in the host's syslog.
            reason=" ".join((own.reason or play.name or "").split()),
            seconds=self.context.options.settings.get("minutes"),
        )
        return dataclasses.replace(request, volatile_guard=True) if self.context.overrides.volatile_guard else request

    def _needs_reason(self) -> str:
        settings = self.context.options.settings
        return settings.source("require_reason") if settings.get("require_reason") else ""

    def _gather(self, name: str, files: Variables, target: Target | None = None) -> Values:
        """Lay the play's variables below the inventory's, then those of files, and those of ``-e`` above all."""
        inventory = self.context.inventory
        plain = inventory.shown_name(name)
        layers = (self.source.variables, inventory.layered(name), files, self.overrides.extra, _read_ours(target))
        return Values(*layers, magic=inventory.magic(plain), keys=inventory.keys)


def _read_ours(target: Target | None) -> Variables:
    """Our own variables as they were read (minutes, bytes), and passwords, which a template shows as a mask."""
    found = Variables()
    if target is not None:
        for name, value in target.vars.items():
            if name in OPTIONS or name in PASSWORD_VARIABLES:
                found.set(name, value, Origin(f"inventory of {target.name}", None, name))
    return found


def gather_peers(plays: Iterable[PreparedPlay]) -> list[Peer]:
    """Return every peer that is asked for on any host, once, sorted by its text."""
    peers = {peer for play in plays for host in play.hosts for peer in host.request.peers}
    return sorted(peers, key=lambda peer: peer.text)


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
