"""``pfremote completion``: the script that lets a shell complete our words."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from pfremote.commands import COMMANDS, COMPLETING


class _Bash(BashComplete):
    """As click has it, but without a blank behind ``peer=``, where the value comes next."""

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)", "COMPREPLY+=($value)\n            [[ $value == *= ]] && compopt -o nospace"
    )


class _Zsh(ZshComplete):
    """The same for zsh."""

    source_template = ZshComplete.source_template.replace(
        "        compadd -U -V unsorted -a completions",
        "        local -a variables=(${(M)completions:#*=})\n"
        "        compadd -U -V variables -S '' -a variables\n"
        "        completions=(${completions:#*=})\n"
        "        compadd -U -V unsorted -a completions",
    )


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": FishComplete}


@click.command("completion", help=COMMANDS["completion"])
@click.argument("shell", type=click.Choice([*_SHELLS]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Run it. Put the output where your shell looks, for example: pfremote completion bash >> ~/.bashrc."""
    click.echo(_SHELLS[shell](ctx.find_root().command, {}, "pfremote", COMPLETING).source())
    return 0
