"""``pfremote bootstrap``: install the agent on hosts, so that an account with one sudoers line can debug there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pfremote.agent.install import HELPER_PLACE, check_helper_path, render_sudoers
from pfremote.commands import COMMANDS
from pfremote.commands.host_options import HostOptions, host_options
from pfremote.output import Output

if TYPE_CHECKING:
    from pfremote.asking import OpenHost
    from pfremote.results import HostResult
    from pfremote.target import Target


@click.command("bootstrap", help=COMMANDS["bootstrap"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]")
@click.option(
    "--for",
    "account",
    default="%postfix-debug",
    show_default=True,
    metavar="NAME",
    help="Who may; %NAME is a group.",
)
@click.option("--path", default=HELPER_PLACE, show_default=True, metavar="FILE", help="Where to install the agent.")
@click.option("--write", is_flag=True, help="Install the sudoers line too, checked by visudo, instead of printing it.")
@host_options
@click.pass_obj
def command(
    output: Output, patterns: tuple[str, ...], hosts: HostOptions, *, account: str, path: str, write: bool
) -> int:
    """Run it."""
    from pfremote.commands.hosts import list_hosts, prepare_hosts, select_targets, visit_hosts
    from pfremote.exit_codes import choose_exit_code

    check_helper_path(path)
    line = render_sudoers(account, path)
    if hosts.list_hosts:
        return list_hosts(select_targets(hosts, patterns), output)

    def install(target: Target, host: OpenHost) -> HostResult:
        return install_on(target.name, host, path, line if write else "", output)

    results = visit_hosts(prepare_hosts(hosts, patterns), install, output)
    if not write:
        output.console.show(line)
        output.console.hint("put this line into /etc/sudoers.d/pfremote with: visudo -f /etc/sudoers.d/pfremote")
    output.console.hint(f"and say in the inventory: pfremote_helper: {path}")
    return output.recap_for_programs(results, choose_exit_code(results))


def install_on(name: str, host: OpenHost, path: str, line: str, output: Output) -> HostResult:
    """Install on one host and say what is there now."""
    from pfremote.asking import install_agent
    from pfremote.results import HostResult

    for installed in install_agent(host, path, line):
        what, _, place = installed.partition(" ")
        output.console.say(f"installed the {what}: {place}", host=name)
    return HostResult(name, state="untouched")
