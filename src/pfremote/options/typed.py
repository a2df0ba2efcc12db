"""What was typed to reach the hosts, kept for the commands that hints name."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import click

from pfremote.model.typed import TYPED
from pfremote.options.recorded_command import may_repeat
from pfremote.options.settings import was_typed

#: What leads to the hosts, and must be typed again in the next command; how a run goes (``-f``, ``-v``) need not.
_WAY = {
    *("inventory", "no_inventory_check", "user", "private_key", "ask_pass", "become", "become_user"),
    *("ask_become_pass", "become_password_file", "timeout", "host_key_checking", "ssh_config", "instance"),
    *("extra_vars", "ask_vault_pass", "vault_ids", "vault_password_files"),
}


def note_typed(patterns: Iterable[str]) -> None:
    """Remember what was typed to reach the hosts, for the commands that hints name."""
    context = click.get_current_context()
    typed = {
        parameter.name: _spell(parameter, context.params[parameter.name])
        for parameter in context.command.params
        if isinstance(parameter, click.Option) and parameter.name in (*_WAY, "limit") and was_typed(parameter.name)
    }
    choice = typed.pop("limit", [])
    TYPED.note(patterns, chain(*typed.values()), choice)


def _spell(parameter: click.Option, value: Any) -> list[tuple[str, ...]]:
    """Return an option as it may be typed again; a variable only where it says how to reach hosts, and no secret."""
    name = parameter.opts[0]
    if parameter.is_flag:
        return [(name,)]
    values = list(value) if parameter.multiple else [value]
    if parameter.name == "extra_vars":
        values = [word for word in values if may_repeat(word)]
    return [(name, str(word)) for word in values]
