"""``pfremote status --nagios``: one short contact with each host, one line, a plugin's exit code."""

from __future__ import annotations

from pfremote import tasks
from pfremote.agent.replies import read_leases
from pfremote.asking import OpenHost
from pfremote.commands.hosts import Hosts, gather_results
from pfremote.monitoring import Look, render_monitoring
from pfremote.output import Output
from pfremote.results import HostResult
from pfremote.target import Target
from pfremote.verdict import explain_dirt, judge_state

#: Seconds for the look itself, beside the time to connect: a check that waits longer is killed anyway.
LOOK_SECONDS = 10.0


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
        tuple(" = ".join(text.split(" ", 1)) for text in reply.every("unexplained")),
        reply.every("dirty"),
        guard_lost="no" in reply.every("lease.guard_alive"),
        time=reply.number("time"),
    )
