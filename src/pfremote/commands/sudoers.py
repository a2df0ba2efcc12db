"""``pfremote sudoers``: what to install on hosts where the operator may not run everything as root."""

from __future__ import annotations

import click

from pfremote.agent.install import HELPER_PLACE, make_helper, render_sudoers
from pfremote.commands import COMMANDS
from pfremote.options.account import account_option
from pfremote.output.output import Output


@click.command("sudoers", help=COMMANDS["sudoers"])
@account_option
@click.option("--user", "old_name", metavar="NAME", hidden=True)
@click.option("--path", default=HELPER_PLACE, show_default=True, metavar="FILE", help="Where the agent is installed.")
@click.option("--agent", is_flag=True, help="Print the agent itself instead, ready to install.")
@click.pass_obj
def command(output: Output, *, account: str, old_name: str | None, path: str, agent: bool) -> int:
    """Run it."""
    if old_name is not None:
        output.console.say("warning: --user of sudoers is now called --for, as in bootstrap", style="yellow")
    if agent:
        click.echo(make_helper(), nl=False)
        return 0
    output.console.show(render_sudoers(old_name or account, path))
    output.console.hint(
        "Type pfremote sudoers --agent > pfremote-agent, then on the host: "
        f"install -o root -g root -m 0755 pfremote-agent {path}\n"
        "Put the line into /etc/sudoers.d/pfremote with: visudo -f /etc/sudoers.d/pfremote\n"
        f"Say in the inventory: pfremote_helper: {path}"
    )
    return 0
