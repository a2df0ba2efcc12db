"""``pfremote extend``: let a lease end later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.model.result import HostResult, choose_exit_code
from pfremote.model.target import Target
from pfremote.options.complete import complete_hosts
from pfremote.options.hosts import HOST_CHOICES, HostOptions, host_options
from pfremote.options.lease import lease_option
from pfremote.options.request import AGENT_LIMIT, refuse_long
from pfremote.options.sections import ENDS, choice, sections
from pfremote.output.output import Output
from pfremote.text.quantities import parse_duration

if TYPE_CHECKING:
    from pfremote.agent.client import OpenHost


@click.command("extend", help=COMMANDS["extend"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]", shell_complete=complete_hosts)
@lease_option("Which one; not needed where a host has only one.")
@host_options
@sections(
    choice(
        ENDS,
        "--minutes",
        default="10",
        show_default=True,
        metavar="TIME",
        help="From now: minutes, or 90s, 10m, 1h.",
    ),
    *HOST_CHOICES,
)
@click.pass_obj
def command(output: Output, patterns: tuple[str, ...], hosts: HostOptions, *, lease: str, minutes: str) -> int:
    """Run it."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.run.hosts import prepare_hosts, visit_hosts
    from pfremote.run.lease_work import extend_lease

    seconds = parse_duration(minutes, cap=AGENT_LIMIT)
    chosen = prepare_hosts(hosts, patterns, output)
    for item in chosen.targets:
        refuse_long(item, seconds)  # before any host is contacted

    def prolong(target: Target, host: OpenHost) -> HostResult:
        return extend_lease(target.name, host, lease, seconds, output)

    results = visit_hosts(chosen, prolong, output)
    return output.recap(results, choose_exit_code(results, may_stay_armed=True))
