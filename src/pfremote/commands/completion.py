"""``pfremote completion``: the script that lets a shell complete our words."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from pfremote.commands import COMMANDS, COMPLETING


class _Bash(BashComplete):
    """As click has it, but without a blank behind ``peer=``, where the value comes next.

    bash takes ``--format=md`` for three words; click wants one.
    """

    source_template = (
        BashComplete.source_template.replace(
            "COMPREPLY+=($value)", "COMPREPLY+=($value)\n            [[ $value == *= ]] && compopt -o nospace"
        )
        .replace(
            "    local response\n",
            "    local response word\n"
            "    local -a typed=()\n"
            '    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do\n'
            "        if [[ ${#typed[@]} -gt 0 && ${typed[-1]} == --* && ($word == = || ${typed[-1]} == *=) ]]; then\n"
            "            typed[-1]+=$word\n"
            "        else\n"
            '            typed+=("$word")\n'
            "        fi\n"
            "    done\n",
        )
        .replace(
            'COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD',
            'COMP_WORDS="${typed[*]}" COMP_CWORD=$((${#typed[@]} - 1))',
        )
    )


class _Zsh(ZshComplete):
    """The same for zsh, where a value takes the place of the whole word: ``--format=`` has to stay."""

    source_template = ZshComplete.source_template.replace(
        "    for type key descr in",
        "    local option=${(M)words[CURRENT]#--*=}\n"
        "    [[ -n $option ]] && compset -P 1 '*='\n\n"
        "    for type key descr in",
    )
    source_template = source_template.replace(
        '        if [[ "$type" == "plain" ]]; then\n',
        '        if [[ "$type" == "plain" ]]; then\n            key="$option$key"\n',
    ).replace(
        "        compadd -U -V unsorted -a completions",
        "        local -a variables=(${(M)completions:#*=})\n"
        "        compadd -U -V variables -S '' -a variables\n"
        "        completions=(${completions:#*=})\n"
        "        compadd -U -V unsorted -a completions",
    )


class _Fish(FishComplete):
    """As click has it, but for values with a comma (``mx1,mx2``), and with ``--format=`` before what follows it."""

    source_template = (
        FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')
        .replace("echo $metadata[2]", 'echo "$option$metadata[2]"')
        .replace(
            "    for completion in $response;",
            "    set -l option (string match --regex '^--[^=]+=' -- (commandline -t));\n"
            "    for completion in $response;",
        )
    )


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


@click.command("completion", help=COMMANDS["completion"])
@click.argument("shell", type=click.Choice([*_SHELLS]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Run it. Put the output where your shell looks, for example: pfremote completion bash >> ~/.bashrc."""
    click.echo(_SHELLS[shell](ctx.find_root().command, {}, "pfremote", COMPLETING).source())
    return 0
