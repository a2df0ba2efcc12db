"""From the inventory, the settings and the command line to the hosts of a run, before any of them is contacted."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pfremote.errors import ConfigError, ConfigErrors, Reason, UsageError
from pfremote.inventory import HostConfigError, Inventory, load_inventory
from pfremote.inventory.extra_vars import read_extra_vars
from pfremote.inventory.graph import Variables
from pfremote.inventory.overrides import Fallbacks, Overrides
from pfremote.model.secret import KNOWN_SECRETS
from pfremote.model.target import Target
from pfremote.model.typed import TYPED
from pfremote.options.hosts import HostOptions, list_warnings
from pfremote.options.vault import make_vault_keys
from pfremote.run.forgotten import ForgottenError, refuse_forgotten

NOTHING: Mapping[str, Variables] = {}
#: Hosts that one hint names at most.
_NAMED = 12


@dataclasses.dataclass(frozen=True, slots=True)
class Chosen:
    """The hosts that were chosen, and what the operator should know before they are contacted."""

    targets: tuple[Target, ...]
    warnings: tuple[str, ...] = ()


def open_inventory(options: HostOptions, beside: Path | None = None) -> Inventory:
    """Read the inventory, if there is one; ``beside`` is the playbook's folder, or the one that the operator is in.

    Raises:
        ConfigError: a source is missing or wrong. UsageError: a vault password file is not there.
    """
    keys = make_vault_keys(options.vault, options.settings)
    return load_inventory(options.inventory, beside=(beside or Path.cwd(),), keys=keys)


def choose_names(inventory: Inventory, options: HostOptions, pattern: str, limit: str | None = None) -> tuple[str, ...]:
    """Return the names of the hosts that a pattern and a limit leave.

    Raises:
        UsageError: a part of them matches nothing, is in no inventory although one was given, or is a group of one
            although none was given.
    """
    strict = bool(options.inventory) and not options.no_inventory_check
    names = inventory.choose(pattern, limit, strict=strict)
    if not options.inventory:
        refuse_forgotten(names, options)
    return names


def make_overrides(options: HostOptions, inventory: Inventory) -> Overrides:
    """Return what goes before the inventory, and what holds where it says nothing.

    Raises:
        UsageError, ConfigError: a variable of ``-e`` is wrong.
    """
    settings = options.settings
    words = [settings.get(name, "") for name in ("ssh_args", "ssh_common_args", "ssh_extra_args")]
    return Overrides(
        user=options.user,
        private_key=options.private_key,
        become=options.become or None,
        become_user=options.become_user,
        instance=options.instance,
        has_become_password=options.ask_become_pass or options.become_password_file is not None,
        extra=read_extra_vars(options.extra_vars, inventory.keys),
        fallbacks=Fallbacks(
            user=settings.get("user"),
            private_key=settings.get("private_key"),
            become=settings.get("become") or None,
            become_user=settings.get("become_user"),
            become_method=settings.get("become_method"),
            ssh_args=tuple(word for text in words for word in shlex.split(text)),
        ),
    )


def make_targets(
    inventory: Inventory, names: Sequence[str], overrides: Overrides, above: Mapping[str, Variables] = NOTHING
) -> tuple[Target, ...]:
    """Return the hosts as Targets; ``above`` has variables by host that go before the inventory's.

    A host that cannot be used as the inventory describes it is refused by itself: its Target carries the reason, and
    the others are served.

    Raises:
        ConfigError, ConfigErrors: a value is wrong, or no host can be used.
    """
    KNOWN_SECRETS.spare(names)
    refused: dict[str, HostConfigError] = {}
    targets: list[Target] = []
    for name in names:
        mine = dataclasses.replace(overrides, above=above[name]) if name in above else overrides
        try:
            targets.append(inventory.target(name, mine))
        except HostConfigError as exc:
            shown = inventory.shown_name(name)
            refused[shown] = exc
            targets.append(Target(shown, shown))
    if refused and len(refused) == len(targets):
        raise _join(refused.values())
    hint = _leave_out(refused)
    return tuple(
        dataclasses.replace(target, refusal=_refuse(refused[target.name], hint)) if target.name in refused else target
        for target in targets
    )


def _join(errors: Iterable[HostConfigError]) -> ConfigError | ConfigErrors:
    different = tuple({str(error): error for error in errors}.values())
    return different[0] if len(different) == 1 else ConfigErrors(different)


def _refuse(error: HostConfigError, hint: str) -> Reason:
    return Reason("inventory", str(error), f"{error.hint}\n{hint}".strip())


def _leave_out(names: Iterable[str]) -> str:
    """Say how to choose without these hosts, ready to be typed."""
    listed = list(names)
    words = "".join(f":!{name}" for name in listed[:_NAMED])
    if len(listed) > _NAMED:
        return f"Leave out this host and {len(listed) - 1} more: --limit 'all{words}:…'."
    return f"Leave them out with: --limit 'all{words}'" if listed else ""


def choose_hosts(options: HostOptions, patterns: Sequence[str]) -> Chosen:
    """Return the hosts that the patterns name. With ``--list-hosts`` no variable is looked at.

    Raises:
        ConfigError, ConfigErrors: the inventory is wrong, or no host can be used.
        UsageError: nothing matches, or an option is wrong.
    """
    _refuse_words(options, patterns)
    inventory = open_inventory(options)
    names = _choose(inventory, options, ",".join(patterns) or "all")
    if not names:
        limit = f" with --limit {options.limit}" if options.limit else ""
        hint = f"See what there is with: {TYPED.show_inventory()}"
        raise UsageError(f"no host matches {' '.join(patterns) or 'all'}{limit}", hint=hint)
    if options.list_hosts:
        return Chosen(tuple(Target(shown, shown) for shown in map(inventory.shown_name, names)))
    targets = make_targets(inventory, names, make_overrides(options, inventory))
    return Chosen(targets, (*list_warnings(options), *inventory.unread))


def _choose(inventory: Inventory, options: HostOptions, pattern: str) -> tuple[str, ...]:
    try:
        return choose_names(inventory, options, pattern, options.limit)
    except ForgottenError:
        raise
    except UsageError as exc:
        if options.inventory:
            raise
        hint = "Type a host as ssh knows it: NAME, USER@NAME or NAME:PORT, or give -i INVENTORY."
        raise UsageError(exc.message, hint=hint) from exc


def _refuse_words(options: HostOptions, patterns: Sequence[str]) -> None:
    if not patterns and not options.inventory:
        raise UsageError("no host is named, and no inventory is given", hint="Name hosts, or give -i INVENTORY.")
    for pattern in patterns:
        if "://" in pattern:
            plain = pattern.partition("://")[2].rstrip("/")
            raise UsageError(f"{pattern} is a URL, and hosts are named as for ssh", hint=f"Type {plain}.")
