"""``pfremote revert``: end leases now, from any machine that can reach the host."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.commands.host_options import HostOptions, host_options
from pfremote.errors import UsageError
from pfremote.output import Output
from pfremote.postfix.quantities import parse_duration

if TYPE_CHECKING:
    from pfremote.asking import OpenHost
    from pfremote.results import HostResult
    from pfremote.target import Target


@click.command("revert", help=COMMANDS["revert"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]")
@click.option("--lease", metavar="ID", default="all", show_default=True, help="Only this lease.")
@click.option(
    "--drain",
    default="60s",
    show_default=True,
    metavar="TIME",
    help="How long to wait for verbose processes.",
)
@click.option(
    "--force",
    is_flag=True,
    help="After a conflict: put the values of before the window over somebody else's edit; the diff is shown first.",
)
@host_options
@click.pass_obj
def command(
    output: Output, patterns: tuple[str, ...], hosts: HostOptions, *, lease: str, drain: str, force: bool
) -> int:
    """Run it."""
    from pfremote.commands.hosts import list_hosts, prepare_hosts, select_targets, visit_hosts
    from pfremote.exit_codes import choose_exit_code

    seconds = parse_duration(drain, cap=600)
    check_lease_id(lease)
    if force and lease == "all":
        raise UsageError(
            "--force works on one lease that ended with a conflict",
            hint="pfremote status; then --lease ID --force",
        )
    if hosts.list_hosts:
        return list_hosts(select_targets(hosts, patterns), output)

    def end(target: Target, host: OpenHost) -> HostResult:
        result = revert_lease(target.name, host, lease, seconds, output)
        return force_values(result, host, output) if force and result.conflicts else result

    limit = 240.0 + seconds
    results = visit_hosts(prepare_hosts(hosts, patterns), end, output, limit=limit, if_lost="unknown")
    return output.recap(results, choose_exit_code(results))


def force_values(result: HostResult, host: OpenHost, output: Output) -> HostResult:
    """Show what would be overwritten of somebody else's edit, then overwrite it."""
    from pfremote import tasks
    from pfremote.commands.request_options import name_operator
    from pfremote.verdict import diff_main_cf, judge_state

    planned = tasks.restore(host, lease=result.lease, check=True)
    for line in diff_main_cf(planned, "main.cf.after", "main.cf with the values of before the window"):
        output.console.show(f"{result.host}: {line}")
    reply = tasks.restore(host, lease=result.lease, owner=name_operator())
    output.console.say("the values of before the window are back, over another's edit", host=result.host)
    return replace(result, state=judge_state(reply), conflicts=(), error=None)


def check_lease_id(lease: str) -> None:
    """Raise UsageError for what can be no lease, before any host is asked."""
    if lease != "all" and not re.fullmatch(r"[0-9a-f]{12}", lease):
        raise UsageError(f"{lease!r} is no lease id", hint="pfremote status shows the ids: 12 digits of 0-9 and a-f")


def revert_lease(name: str, host: OpenHost, lease: str, drain: int, output: Output) -> HostResult:
    """End one lease, or all, on one host, and say what was seen afterwards."""
    from pfremote import tasks
    from pfremote.agent.replies import read_leases
    from pfremote.results import HostResult
    from pfremote.verdict import ENDED, describe_revert, explain_dirt, judge_revert, judge_state

    reply = tasks.revert(host, lease=lease, why="request", drain=drain)
    ended = [item for item in read_leases(reply) if item.state in ENDED and lease in ("all", item.id)]
    result = HostResult(name, state=judge_state(reply))
    for item in ended:
        result = judge_revert(replace(result, lease=item.id, armed=True), reply, item)
        output.emit("reverted", name, item.id, **describe_revert(reply, item))
        if item.evidence:
            output.console.hint(f"fetch its evidence with: pfremote collect {name} --lease {item.id}", host=name)
    if not ended:
        output.console.say("no lease to revert", host=name)
    if result.state == "unknown" and result.error is None:
        result = replace(result, error=explain_dirt(name, reply))
    return result
