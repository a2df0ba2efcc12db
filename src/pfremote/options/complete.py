"""What a shell may complete: hosts, groups, runs and leases.

Nothing is contacted and no inventory program is run; what cannot be read completes to nothing. A shell waits for the
answer, so each function loads what it needs by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from pfremote.errors import PfremoteError
from pfremote.paths import exists

Items = list["CompletionItem[str]"]

#: Behind these another name begins in a pattern: ``mx1,mx``.
_TERM = re.compile(r"(?P<before>(?:.*,)?[!&]?)(?P<begun>[^,]*)\Z", re.DOTALL)


def complete_hosts(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Complete a pattern: groups and hosts of the inventory, or what ssh knows where there is none."""
    found = _TERM.fullmatch(incomplete)
    before, begun = (found["before"], found["begun"]) if found else ("", incomplete)
    # Loaded when a shell asks.
    from pfremote.inventory.plain import list_names
    from pfremote.inventory.ssh_names import list_ssh_names

    if sources := _sources(ctx):
        names = dict(list_names(sources))
    else:
        names = dict.fromkeys(list_ssh_names(ctx.params.get("ssh_config")), "")
    return [CompletionItem(before + name, help=kind or None) for name, kind in names.items() if name.startswith(begun)]


def complete_groups(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Complete a group of the inventory."""
    # Loaded when a shell asks.
    from pfremote.inventory.plain import list_names

    return items_of((name for name, kind in list_names(_sources(ctx)) if kind == "group"), incomplete)


def complete_inventory_hosts(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Complete a host of the inventory."""
    # Loaded when a shell asks.
    from pfremote.inventory.plain import list_names

    return items_of((name for name, kind in list_names(_sources(ctx)) if kind == "host"), incomplete)


def complete_runs(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Complete a run that is kept here, the newest first."""
    if "/" in incomplete:
        return [CompletionItem(incomplete, type="dir")]
    return items_of(("last", *_list_runs()), incomplete)


def complete_leases(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Complete a lease that was left armed from this machine."""
    # Loaded when a shell asks.
    from pfremote.store.recent_leases import list_recent_leases

    return [
        CompletionItem(lease, help=host) for lease, host in list_recent_leases().items() if lease.startswith(incomplete)
    ]


def complete_files(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Let the shell complete a path."""
    return [CompletionItem(incomplete, type="file")]


def items_of(names: Iterable[str], incomplete: str) -> Items:
    """Return those of the names that begin with what was typed, each once."""
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _sources(ctx: click.Context) -> tuple[str, ...]:
    """Return the inventories that were typed so far, else those of the settings."""
    typed: Any = ctx.params.get("inventory") or ctx.params.get("sources")
    return tuple(typed or _read_settings().get("inventory", ()))


def _read_settings() -> Any:
    # Loaded when a shell asks.
    from pfremote.config import NO_SETTINGS, load_settings

    try:
        return load_settings()
    except PfremoteError:
        return NO_SETTINGS


def _list_runs() -> list[str]:
    """Return the ids by their folders alone: reading thousands of runs would keep the shell waiting."""
    # Loaded when a shell asks.
    from pfremote.private_files import default_root

    root = Path(_read_settings().get("out") or default_root())
    try:
        return sorted((path.name for path in root.iterdir() if exists(path / "run.json")), reverse=True)
    except OSError:
        return []
