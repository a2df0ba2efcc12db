"""``pfremote status``: leases and time left, and debugging that nobody's lease explains."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.commands.host_options import HostOptions, host_options
from pfremote.errors import UsageError
from pfremote.output import Output

if TYPE_CHECKING:
    from pfremote.asking import OpenHost
    from pfremote.facts import Lease
    from pfremote.results import HostResult
    from pfremote.target import Target


@click.command("status", help=COMMANDS["status"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]")
@click.option("--lease", metavar="ID", default="", help="Only this lease.")
@click.option("--history", type=click.IntRange(1, 2000), metavar="N", help="Show the last N deeds on each host too.")
@click.option("--nagios", is_flag=True, help="Print one line, and exit with a plugin's code: 0, 1, 2 or 3.")
@host_options
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
    from pfremote.commands.hosts import list_hosts, prepare_hosts, select_targets, visit_hosts
    from pfremote.exit_codes import choose_exit_code

    if nagios:
        from pfremote.commands.monitor import monitor_hosts

        if lease or history or hosts.list_hosts:
            raise UsageError("--nagios looks at all of a host", hint="leave out the other options")
        return monitor_hosts(prepare_hosts(hosts, patterns), output)
    if hosts.list_hosts:
        return list_hosts(select_targets(hosts, patterns), output)

    def look(target: Target, host: OpenHost) -> HostResult:
        result = look_at(target.name, host, lease, output)
        if history:
            show_history(target.name, host, history, output)
        return result

    results = visit_hosts(prepare_hosts(hosts, patterns), look, output, looks_only=True)
    code = choose_exit_code(results, may_stay_armed=True)
    return output.recap_for_programs(results, code)


def look_at(name: str, host: OpenHost, lease: str, output: Output) -> HostResult:
    """Ask one host, show what it says, and return its state."""
    from pfremote import tasks
    from pfremote.agent.replies import read_leases
    from pfremote.results import HostResult
    from pfremote.verdict import explain_dirt, judge_state

    reply = tasks.status(host, lease=lease)
    leases = read_leases(reply)
    armed = [item.id for item in leases if item.state == "armed"]
    result = HostResult(name, state=judge_state(reply), lease="".join(armed[:1]), armed=bool(armed))
    lines = [f"{name}  {result.state}"]
    for item in leases:
        lines += [f"  {line}" for line in describe_lease(item)]
    for text in reply.every("unexplained"):
        parameter, _, value = text.partition(" ")
        lines.append(f"  unexplained  {parameter} = {value} (on by hand: no lease of ours explains it)")
        message = f"{parameter} = {value} is on, and no lease explains it"
        output.stream_only("warning", name, code="unexplained", message=message)
    output.console.show("\n".join(lines))
    for item in leases:
        output.stream_only("armed" if item.state == "armed" else "reverted", name, item.id, **lease_as_json(item))
    if result.state == "unknown":
        result = replace(result, error=explain_dirt(name, reply))
    return result


def show_history(name: str, host: OpenHost, lines: int, output: Output) -> None:
    """Show what was armed, extended and reverted on the host: when, by whom, from where, why."""
    from pfremote import tasks

    for line in tasks.history(host, lines=lines).every("history"):
        output.console.show(f"{name}  {line}")


def describe_lease(lease: Lease) -> list[str]:
    """Return what people want to know of a lease, one line each."""
    from pfremote.postfix.quantities import render_duration

    when = f"{render_duration(lease.left)} left" if lease.state == "armed" else f"ended ({lease.why or 'unknown'})"
    who = f"by {lease.owner or 'unknown'}" + (f" from {lease.origin}" if lease.origin else "")
    lines = [f"lease {lease.id}  {lease.state}, {when}, {who}" + (f": {lease.reason}" if lease.reason else "")]
    lines.append(f"  peers {' '.join(lease.peers)}, level {lease.level}, sessions {lease.sessions}")
    if lease.state != "armed":
        kept = "none kept" if not lease.evidence else f"{lease.evidence} bytes kept on the host"
        lines.append(f"  evidence {kept}")
    lines += [f"  conflict {text}" for text in lease.conflicts]
    return lines


def lease_as_json(lease: Lease) -> dict[str, object]:
    """Return a lease as the ``armed`` and ``reverted`` events carry it."""
    from pfremote.events import format_epoch

    return {
        "state": lease.state,
        "owner": lease.owner,
        "from": lease.origin,
        "reason": lease.reason,
        "peers": list(lease.peers),
        "level": lease.level,
        "guard": lease.guard,
        "since": format_epoch(lease.since),
        "deadline": format_epoch(lease.deadline),
        "seconds": lease.left,
        "seen": lease.sessions,
        "why": lease.why or None,
        "drained": lease.drained == "yes",
        "conflicts": list(lease.conflicts),
        "evidence": lease.evidence,
    }
