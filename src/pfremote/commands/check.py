"""``pfremote check``: what would change, what would not match, what is in the way. Touches nothing."""

from __future__ import annotations

import click

from pfremote.commands import COMMANDS
from pfremote.options.complete import complete_hosts
from pfremote.options.hosts import HOST_CHOICES, HostOptions, host_options
from pfremote.options.out import DIFF
from pfremote.options.request import REQUEST_CHOICES, RequestOptions, request_options
from pfremote.options.sections import sections
from pfremote.output.output import Output


@click.command("check", help=COMMANDS["check"], no_args_is_help=True)
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...", shell_complete=complete_hosts)
@request_options
@host_options
@sections(*REQUEST_CHOICES, DIFF, *HOST_CHOICES)
@click.pass_obj
def command(output: Output, patterns: tuple[str, ...], asked: RequestOptions, hosts: HostOptions, *, diff: bool) -> int:
    """Run it."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.run.debug import DebugRun, run_debug
    from pfremote.run.describe_host import describe_hosts
    from pfremote.run.hosts import prepare_hosts

    chosen = prepare_hosts(hosts, patterns, output)
    if asked.names_peers:
        return run_debug(DebugRun(chosen, asked, check=True, diff=diff), output)

    return describe_hosts(chosen, output)
