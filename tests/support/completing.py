"""What a shell is offered while a command line is typed."""

from __future__ import annotations

import shlex

from click.shell_completion import BashComplete

from pfremote.cli import group
from pfremote.commands import COMPLETING


def complete(line: str) -> list[str]:
    """Return what a shell is offered at the end of the line."""
    words = shlex.split(line)
    begun = "" if line.endswith(" ") else words.pop()
    shell = BashComplete(group, {}, "pfremote", COMPLETING)
    return [
        f"<{item.type}>" if item.type != "plain" else item.value for item in shell.get_completions(words[1:], begun)
    ]
