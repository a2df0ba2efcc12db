"""``pfremote status``: leases and time left, and debugging that no lease explains."""

from __future__ import annotations

import click

from pfremote.commands import COMMANDS
from pfremote.errors import UsageError
from pfremote.options.complete import complete_hosts
from pfremote.options.hosts import HOST_CHOICES, HostOptions, host_options
from pfremote.options.lease import lease_option
from pfremote.options.sections import sections
from pfremote.output.output import Output


@click.command("status", help=COMMANDS["status"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]", shell_complete=complete_hosts)
@lease_option("Only this lease.")
@click.option("--history", type=click.IntRange(1, 2000), metavar="N", help="Show the last N deeds on each host too.")
@click.option("--nagios", is_flag=True, help="Print one line, and exit with a plugin's code: 0, 1, 2 or 3.")
@host_options
@sections(*HOST_CHOICES)
@click.pass_obj
def command(
    output: Output,
    patterns: tuple[str, ...],
    hosts: HostOptions,
    *,
    lease: str,
    history: int | None,
    nagios: bool,
) -> int:
    """Run it."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.run.hosts import prepare_hosts
    from pfremote.run.status import monitor_hosts, show_status

    if nagios:
        if lease or history or hosts.list_hosts:
            raise UsageError("--nagios looks at all of a host", hint="Leave out the other options.")
        return monitor_hosts(prepare_hosts(hosts, patterns, output), output)

    return show_status(prepare_hosts(hosts, patterns, output), lease, history or 0, output)
