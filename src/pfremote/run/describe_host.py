"""What ``check`` says of a host where no peer is named: its facts, and what is in the way of debugging there."""

from __future__ import annotations

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.agent.read_facts import read_facts
from pfremote.errors import ExitCode
from pfremote.model.facts import Facts, show_left_on
from pfremote.model.request import DebugRequest
from pfremote.model.result import HostResult, choose_exit_code
from pfremote.model.target import Target
from pfremote.output.output import Output
from pfremote.output.verdicts import NOT_READY, READY
from pfremote.postfix.conditions import refuse_state, warn_state
from pfremote.run.hosts import Hosts, visit_hosts
from pfremote.run.leases import describe_lease
from pfremote.window.events import warn_instances


def describe_hosts(hosts: Hosts, output: Output) -> ExitCode:
    """Show of every host whether it is ready to be debugged, what is in the way, and its facts."""
    blocks: dict[str, list[str]] = {}

    def look(target: Target, host: OpenHost) -> HostResult:
        result, blocks[target.name] = describe_host(target.name, host, output)
        return result

    output.messages.failures_are_data = True
    results = visit_hosts(hosts, look, output, looks_only=True)
    return output.verdicts(results, choose_exit_code(results, may_stay_armed=True), blocks)


def describe_host(name: str, host: OpenHost, output: Output) -> tuple[HostResult, list[str]]:
    """Return what is in the way of debugging on a host, as refusals, and the lines for people: ready or not, facts."""
    facts = read_facts(tasks.probe(host))
    asked = DebugRequest(peers=(), seconds=600)
    refusals = tuple(refuse_state(asked, facts))
    lines = [NOT_READY if refusals else READY, *describe_facts(facts)]
    for lease in facts.leases:
        lines += describe_lease(lease)
    for reason in (*warn_state(facts), *warn_instances(name, facts.raw.get("instance", ()))):
        output.emit("warning", name, code=reason.code, message=reason.message, hint=reason.hint)
    return HostResult(name, refusals=refusals), lines


def describe_facts(facts: Facts) -> list[str]:
    """Return what matters for debugging on a host, one line each."""
    lines = [
        f"Postfix {facts.version}, {'running' if facts.running else 'not running'}, {facts.config_directory}",
        f"log {facts.log}" + (f" ({facts.log_why})" if facts.log_why else ""),
        f"guards {', '.join(facts.guards) or 'none'}",
    ]
    lines += [f"{item.name} = {item.effective or '(empty)'}" for item in facts.parameters.values()]
    lines += [f"override {item.service}: -o {item.parameter}={item.value}" for item in facts.overrides]
    lines += [f"verbose {item.service}: {item.flags} -v in master.cf" for item in facts.verbose_services]
    lines += [f"unexplained {show_left_on(*item)}" for item in facts.unexplained]
    return lines
