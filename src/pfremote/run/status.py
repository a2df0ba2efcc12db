"""What ``status`` asks of each host: its leases and what no lease explains, or one line of it."""

from __future__ import annotations

from dataclasses import replace

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.agent.protocol import Reply
from pfremote.agent.read_facts import read_leases
from pfremote.agent.verdict import explain_dirt, judge_state
from pfremote.errors import ExitCode, Reason
from pfremote.model.facts import show_left_on
from pfremote.model.result import HostResult, choose_exit_code, reason_as_json
from pfremote.model.target import Target
from pfremote.model.typed import TYPED
from pfremote.output.nagios import Look, render_monitoring
from pfremote.output.output import Output
from pfremote.run.hosts import Hosts, gather_results, visit_hosts
from pfremote.run.leases import choose_lease, describe_lease, lease_as_json

#: Seconds for the look itself, beside the time to connect: a check that waits longer is killed anyway.
LOOK_SECONDS = 10.0


def show_status(hosts: Hosts, lease: str, history: int, output: Output) -> ExitCode:
    """Show every host's leases, with its last ``history`` deeds, in the inventory's order; or why it was not seen."""
    blocks: dict[str, list[str]] = {}

    def look(target: Target, host: OpenHost) -> HostResult:
        result, lines = look_at(target.name, host, lease, output)
        blocks[target.name] = [*lines, *list_history(host, history)]
        return result

    output.messages.failures_are_data = True
    results = visit_hosts(hosts, look, output, looks_only=True)
    return output.verdicts(results, choose_exit_code(results, may_stay_armed=True), blocks)


def look_at(name: str, host: OpenHost, lease: str, output: Output) -> tuple[HostResult, list[str]]:
    """Ask one host, tell programs what it says, and return its state and the lines for people."""
    reply = tasks.status(host)
    leases = read_leases(reply)
    if lease:
        leases = (choose_lease(name, leases, lease),)
    armed = [item.id for item in leases if item.state == "armed"]
    result = HostResult(name, state=judge_state(reply), lease="".join(armed[:1]), armed=bool(armed))
    unexplained = reply.named("unexplained")
    elsewhere = read_elsewhere(reply)
    by_hand = unexplained or any(kind == "unexplained" for _, kind, _ in elsewhere)
    lines: list[str] = ["debugging by hand" if by_hand and result.state == "clean" else result.state]
    for item in leases:
        lines += describe_lease(item)
    for text in (show_left_on(*item) for item in unexplained):
        lines.append(f"unexplained  {text} (on by hand: no lease of ours explains it)")
        message = f"{text} is on, and no lease explains it"
        output.stream_only("warning", name, code="unexplained", message=message)
    lines += [_show_elsewhere(name, *found, output) for found in elsewhere]
    for item in leases:
        output.stream_only("armed" if item.state == "armed" else "reverted", name, item.id, **lease_as_json(item))
    if result.state == "unknown":
        result = replace(result, error=explain_dirt(name, reply))
    return result, lines


def read_elsewhere(reply: Reply) -> list[tuple[str, str, str]]:
    """Return what the host says of its other instances: directory, ``unexplained`` or ``dirty``, text."""
    found = [text.split(" ", 2) for text in reply.every("elsewhere")]
    return [
        (where, kind, show_left_on(*text.partition(" ")[::2]) if kind == "unexplained" else text)
        for where, kind, text in found
    ]


def _show_elsewhere(name: str, instance: str, kind: str, text: str, output: Output) -> str:
    """Tell programs what was found in another instance of the host, and return the line for people."""
    reason = Reason(
        "elsewhere-unexplained" if kind == "unexplained" else "elsewhere-dirty",
        f"the instance {instance} of this host: {text}",
        f"Look at it with: {TYPED.command('status', name, '--instance', instance)}",
    )
    output.stream_only("warning", name, **reason_as_json(reason))
    return f"instance {instance}: {text}" + (" (no lease of ours explains it)" if kind == "unexplained" else "")


def list_history(host: OpenHost, lines: int) -> tuple[str, ...]:
    """Return what was armed, extended and reverted on the host: when, by whom, from where, why."""
    return tasks.history(host, lines=lines).every("history") if lines else ()


def monitor_hosts(hosts: Hosts, output: Output) -> int:
    """Look at every host, print the one line on stdout, nothing on stderr, and return the plugin's code."""
    looks: dict[str, Look] = {}

    def look(target: Target, host: OpenHost) -> HostResult:
        looks[target.name] = look_once(target.name, host)
        return looks[target.name].result

    results = gather_results(hosts, look, lambda _late: None, limit=hosts.connect.connect_timeout + LOOK_SECONDS)
    level, line = render_monitoring([looks.get(result.host, Look(result)) for result in results])
    output.console.show(line)
    return int(level)


def look_once(name: str, host: OpenHost) -> Look:
    """Ask one host for its state.

    Raises:
        PfremoteError: it cannot be asked.
    """
    reply = tasks.status(host)
    result = HostResult(name, state=judge_state(reply))
    if result.state == "unknown":
        result = HostResult(name, state="unknown", error=explain_dirt(name, reply))
    return Look(
        result,
        read_leases(reply),
        (
            *(show_left_on(*item) for item in reply.named("unexplained")),
            *(f"instance {where}: {text}" for where, kind, text in read_elsewhere(reply) if kind == "unexplained"),
        ),
        (
            *reply.every("dirty"),
            *(f"instance {where}: {text}" for where, kind, text in read_elsewhere(reply) if kind == "dirty"),
        ),
        guard_lost="no" in reply.every("lease.guard_alive"),
        time=reply.moment("time"),
    )
