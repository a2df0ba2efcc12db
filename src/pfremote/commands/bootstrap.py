"""``pfremote bootstrap``: install the agent on hosts, so that an account with one sudoers line can debug there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pfremote.agent.install import HELPER_PLACE, check_helper_path, render_sudoers
from pfremote.commands import COMMANDS
from pfremote.errors import UsageError
from pfremote.model.result import HostResult, choose_exit_code
from pfremote.model.target import Target
from pfremote.options.account import account_option
from pfremote.options.complete import complete_hosts
from pfremote.options.hosts import HOST_CHOICES, HostOptions, host_options
from pfremote.options.sections import sections
from pfremote.output.output import Output

if TYPE_CHECKING:
    from pfremote.agent.client import OpenHost


@click.command("bootstrap", help=COMMANDS["bootstrap"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]", shell_complete=complete_hosts)
@account_option
@click.option("--path", default=HELPER_PLACE, show_default=True, metavar="FILE", help="Where to install the agent.")
@click.option("--write", is_flag=True, help="Install the sudoers line too, checked by visudo, instead of printing it.")
@click.option("--remove", is_flag=True, help="Take the sudoers line and the agent away again.")
@host_options
@sections(*HOST_CHOICES)
@click.pass_obj
def command(
    output: Output,
    patterns: tuple[str, ...],
    hosts: HostOptions,
    *,
    account: str,
    path: str,
    write: bool,
    remove: bool,
) -> int:
    """Run it."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.run.hosts import prepare_hosts, visit_hosts

    if write and remove:
        raise UsageError("--write and --remove do not go together", hint="Give one of them.")
    check_helper_path(path)
    line = render_sudoers(account, path)

    def visit(target: Target, host: OpenHost) -> HostResult:
        if remove:
            return remove_from(target.name, host, path, line, output)
        return install_on(target.name, host, path, line if write else "", output)

    results = visit_hosts(prepare_hosts(hosts, patterns, output), visit, output)
    if not write and not remove:
        output.console.show(line)
        output.console.hint("Put this line into /etc/sudoers.d/pfremote with: visudo -f /etc/sudoers.d/pfremote")
    if not remove:
        output.console.hint(f"Say in the inventory: pfremote_helper: {path}")
    return output.recap_for_programs(results, choose_exit_code(results))


def install_on(name: str, host: OpenHost, path: str, line: str, output: Output) -> HostResult:
    """Install on one host and say what is there now."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.agent.client import install_agent

    for installed in install_agent(host, path, line):
        what, _, place = installed.rpartition(" ")
        output.console.say(f"installed the {what}: {place}", host=name)
    return HostResult(name, state="untouched")


def remove_from(name: str, host: OpenHost, path: str, line: str, output: Output) -> HostResult:
    """Remove from one host what bootstrap installed, and say what was done.

    Raises:
        Refused: a lease is armed there.
    """
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.agent.client import remove_agent
    from pfremote.run.leases import refuse_armed

    refuse_armed(name, host)
    for done in remove_agent(host, path, line) or ("nothing to remove",):
        output.console.say(done, host=name)
    return HostResult(name, state="untouched")
