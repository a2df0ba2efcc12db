"""``pfremote completion``: the script that lets a shell complete our words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from pfremote.commands import COMMANDS


@click.command("completion", help=COMMANDS["completion"])
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Run it. Put the output where your shell looks, for example: pfremote completion bash >> ~/.bashrc."""
    maker = get_completion_class(shell)
    assert maker is not None  # noqa: S101  click has these three
    group = ctx.find_root().command
    click.echo(maker(group, {}, "pfremote", "_PFREMOTE_COMPLETE").source())
    return 0
