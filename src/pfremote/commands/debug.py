"""``pfremote debug``: the whole of it, from the plan to the report."""

from __future__ import annotations

from pathlib import Path

import click

from pfremote.commands import COMMANDS
from pfremote.errors import UsageError
from pfremote.options.complete import complete_hosts
from pfremote.options.hosts import HOST_CHOICES, HostOptions, host_options
from pfremote.options.out import DIFF, OUT
from pfremote.options.pseudonymise import PSEUDONYMISE
from pfremote.options.request import CHECK, REQUEST_CHOICES, STOP_AFTER_TOTAL, RequestOptions, request_options
from pfremote.options.sections import ENDS, RESULTS, choice, sections
from pfremote.output.output import Output


@click.command("debug", help=COMMANDS["debug"], no_args_is_help=True)
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...", shell_complete=complete_hosts)
@request_options
@host_options
@sections(
    *REQUEST_CHOICES,
    STOP_AFTER_TOTAL,
    choice(ENDS, "--detach", is_flag=True, help="Return once armed; the hosts end by themselves, collect later."),
    choice(RESULTS, "--follow", is_flag=True, help="Show each session line by line, while the window is open."),
    OUT,
    DIFF,
    PSEUDONYMISE,
    *HOST_CHOICES,
    CHECK,
)
@click.pass_obj
def command(
    output: Output,
    patterns: tuple[str, ...],
    asked: RequestOptions,
    hosts: HostOptions,
    *,
    follow: bool,
    detach: bool,
    out: Path | None,
    check: bool,
    diff: bool,
    pseudonymise: bool,
    stop_after_total: int | None,
) -> int:
    """Run it."""
    if not asked.names_peers and not hosts.list_hosts:
        raise UsageError("no peer is given: whom should the hosts debug?", hint="Add --peer ADDRESS, NAME or NETWORK.")
    if sum((follow, detach, check)) > 1:
        raise UsageError("--follow, --detach and --check do not go together", hint="Give one of them.")
    if detach and stop_after_total:
        raise UsageError("--stop-after-total counts while this run goes on", hint="Leave out --detach.")
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.run.debug import DebugRun, run_debug
    from pfremote.run.hosts import prepare_hosts

    debug_run = DebugRun(
        prepare_hosts(hosts, patterns, output),
        asked,
        out=out,
        check=check,
        diff=diff,
        detach=detach,
        follow=follow,
        pseudonymise=pseudonymise,
        stop_after_total=stop_after_total,
    )
    return run_debug(debug_run, output)
