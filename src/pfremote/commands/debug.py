"""``pfremote debug``: the whole of it, from the plan to the report."""

from __future__ import annotations

from pathlib import Path

import click

from pfremote.commands import COMMANDS
from pfremote.commands.disguising import pseudonymise_option
from pfremote.commands.host_options import HostOptions, host_options
from pfremote.commands.request_options import Asked, request_options
from pfremote.errors import UsageError
from pfremote.output import Output


@click.command("debug", help=COMMANDS["debug"], no_args_is_help=True)
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@request_options
@click.option("--follow", is_flag=True, help="Show each session as soon as it is over.")
@click.option("--detach", is_flag=True, help="Return once armed; the hosts end by themselves, collect later.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the run in this folder.",
)
@click.option("-C", "--check", is_flag=True, help="Only say what would be done.")
@click.option("-D", "--diff", is_flag=True, help="Show how main.cf would change or has changed.")
@pseudonymise_option
@host_options
@click.pass_obj
def command(
    output: Output,
    patterns: tuple[str, ...],
    asked: Asked,
    hosts: HostOptions,
    *,
    follow: bool,
    detach: bool,
    out: Path | None,
    check: bool,
    diff: bool,
    pseudonymise: bool,
) -> int:
    """Run it."""
    if not asked.request.peers and not hosts.list_hosts:
        raise UsageError("no peer is given: whom should the hosts debug?", hint="add --peer ADDRESS, NAME or NETWORK")
    if sum((follow, detach, check)) > 1:
        raise UsageError("--follow, --detach and --check do not go together", hint="give one of them")
    from pfremote.commands.campaign import Campaign, run_campaign
    from pfremote.commands.hosts import list_hosts, prepare_hosts, select_targets

    if hosts.list_hosts:
        return list_hosts(select_targets(hosts, patterns), output)
    campaign = Campaign(
        prepare_hosts(hosts, patterns),
        asked,
        out=out,
        check=check,
        diff=diff,
        detach=detach,
        follow=follow,
        pseudonymise=pseudonymise,
    )
    return run_campaign(campaign, output)
