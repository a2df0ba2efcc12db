"""``pfremote extend``: let a lease end later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.commands.host_options import HostOptions, host_options
from pfremote.commands.request_options import AGENT_LIMIT, refuse_long
from pfremote.output import Output
from pfremote.postfix.quantities import parse_duration, render_duration

if TYPE_CHECKING:
    from pfremote.asking import OpenHost
    from pfremote.facts import Lease
    from pfremote.results import HostResult
    from pfremote.target import Target


@click.command("extend", help=COMMANDS["extend"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]")
@click.option("--lease", metavar="ID", default="", help="Which one; not needed where a host has only one.")
@click.option("--minutes", default="10", show_default=True, metavar="TIME", help="From now: minutes, or 90s, 10m, 1h.")
@host_options
@click.pass_obj
def command(output: Output, patterns: tuple[str, ...], hosts: HostOptions, *, lease: str, minutes: str) -> int:
    """Run it."""
    from pfremote.commands.hosts import list_hosts, prepare_hosts, select_targets, visit_hosts
    from pfremote.exit_codes import choose_exit_code

    seconds = parse_duration(minutes, cap=AGENT_LIMIT)
    if hosts.list_hosts:
        return list_hosts(select_targets(hosts, patterns), output)

    chosen = prepare_hosts(hosts, patterns)
    for item in chosen.targets:
        refuse_long(item, seconds)  # before any host is contacted

    def prolong(target: Target, host: OpenHost) -> HostResult:
        return extend_lease(target.name, host, lease, seconds, output)

    results = visit_hosts(chosen, prolong, output)
    return output.recap(results, choose_exit_code(results, may_stay_armed=True))


def extend_lease(name: str, host: OpenHost, lease: str, seconds: int, output: Output) -> HostResult:
    """Extend one lease on one host.

    Raises:
        Refused: there is no such armed lease, or more than one to choose from.
    """
    from pfremote import tasks
    from pfremote.agent.replies import read_leases
    from pfremote.commands.choice import choose_lease
    from pfremote.commands.status import lease_as_json
    from pfremote.results import HostResult

    chosen = choose_lease(name, read_leases(tasks.status(host)), lease, is_armed, "armed lease")
    reply = tasks.extend(host, lease=chosen.id, seconds=seconds)
    extended = next(item for item in (*read_leases(reply), chosen) if item.id == chosen.id)
    output.console.say(f"lease {extended.id} ends in {render_duration(extended.left)}", host=name, style="green")
    output.stream_only("armed", name, extended.id, **lease_as_json(extended))
    return HostResult(name, state="armed", lease=extended.id, armed=True, guard=extended.guard)


def is_armed(lease: Lease) -> bool:
    """Tell whether a lease can still be extended."""
    return lease.state == "armed"
