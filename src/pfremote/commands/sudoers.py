"""``pfremote sudoers``: what to install on hosts where the operator may not run everything as root."""

from __future__ import annotations

import re

import click

from pfremote.agent import load_agent
from pfremote.commands import COMMANDS
from pfremote.errors import UsageError
from pfremote.output import Output

PLACE = "/usr/local/sbin/pfremote-agent"


@click.command("sudoers", help=COMMANDS["sudoers"])
@click.option(
    "--user", default="%postfix-debug", show_default=True, metavar="NAME", help="Who may; %NAME is a group."
)
@click.option(
    "--path", default=PLACE, show_default=True, metavar="FILE", help="Where the agent is installed."
)
@click.option("--agent", is_flag=True, help="Print the agent itself instead, ready to install.")
@click.pass_obj
def command(output: Output, *, user: str, path: str, agent: bool) -> int:
    """Run it."""
    if agent:
        click.echo(make_helper(), nl=False)
        return 0
    output.console.show(render_sudoers(user, path))
    output.console.hint(
        f"pfremote sudoers --agent > pfremote-agent, then on the host: "
        f"install -o root -g root -m 0755 pfremote-agent {path}\n"
        f"put the line into /etc/sudoers.d/pfremote with: visudo -f /etc/sudoers.d/pfremote\n"
        f"and say in the inventory: pfremote_helper: {path}"
    )
    return 0


def render_sudoers(user: str, path: str) -> str:
    """Return the one sudoers line (sudoers(5)). The agent checks every argument itself, so any may be given.

    Raises:
        UsageError: a name or path that sudoers would read as something else.
    """
    if not re.fullmatch(r"[%+]?[A-Za-z_][A-Za-z0-9_.-]*\$?", user):
        raise UsageError(f"{user!r} is no user or group name", hint="for example: --user %postfix-debug")
    if not re.fullmatch(r"(/[A-Za-z0-9_.-]+)+", path):
        raise UsageError(f"{path!r} is no plain absolute path", hint=f"for example: --path {PLACE}")
    return f"{user} ALL=(root) NOPASSWD: {path}"


def make_helper() -> bytes:
    """Return the agent as a program of its own."""
    return b"#!/bin/sh\n" + load_agent()
