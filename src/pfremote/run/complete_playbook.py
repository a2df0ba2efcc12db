"""What a shell may complete of ``run``: runbooks and playbooks, and the variables that one of them uses."""

from __future__ import annotations

import re
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from pfremote.errors import PfremoteError
from pfremote.options.complete import Items, complete_files, items_of
from pfremote.run.runbooks import find_playbook, list_runbooks

_TEMPLATE = re.compile(r"\{\{-?\s*(?P<name>[a-z_]\w*)", re.ASCII | re.IGNORECASE)
#: Names that a template uses and that are set by themselves.
_GIVEN = {"inventory_hostname", "inventory_hostname_short", "groups", "group_names", "hostvars", "playbook_dir"}


def complete_playbooks(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Complete a runbook, or a playbook of this folder; with a slash any file."""
    if "/" in incomplete:
        return complete_files(_ctx, _parameter, incomplete)
    books = {book.name: book.title for book in list_runbooks()}
    here = [path.name for path in sorted(Path.cwd().glob("*.y*ml"))]
    shown = [CompletionItem(name, help=books.get(name)) for name in (*books, *here)]
    return [item for item in shown if item.value.startswith(incomplete)]


def complete_variables(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Complete ``NAME=`` for the variables that the playbook's templates use."""
    if "=" in incomplete:
        return []
    if incomplete.startswith("@"):
        return [CompletionItem(incomplete, type="file")]
    names = dict.fromkeys(name for name in _TEMPLATE.findall(_read_playbook(ctx)) if name not in _GIVEN)
    return items_of((f"{name}=" for name in names), incomplete)


def _read_playbook(ctx: click.Context) -> str:
    try:
        word = ctx.params.get("playbook") or next(iter(ctx.args), "")  # click leaves it there while a value is awaited
        return find_playbook(word).read_text(encoding="utf-8", errors="replace")
    except (OSError, PfremoteError):
        return ""
