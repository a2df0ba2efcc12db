"""``pfremote sudoers``: what to install on hosts where the operator may not run everything as root."""

from __future__ import annotations

import click

from pfremote.agent.install import HELPER_PLACE, make_helper, render_sudoers
from pfremote.commands import COMMANDS
from pfremote.output import Output


@click.command("sudoers", help=COMMANDS["sudoers"])
@click.option("--user", default="%postfix-debug", show_default=True, metavar="NAME", help="Who may; %NAME is a group.")
@click.option("--path", default=HELPER_PLACE, show_default=True, metavar="FILE", help="Where the agent is installed.")
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
