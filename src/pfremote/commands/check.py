"""``pfremote check``: what would change, what would not match, what is in the way. Touches nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.commands.host_options import HostOptions, host_options
from pfremote.commands.request_options import Asked, request_options
from pfremote.output import Output
from pfremote.plan import DebugRequest

if TYPE_CHECKING:
    from pfremote.asking import OpenHost
    from pfremote.facts import Facts
    from pfremote.results import HostResult
    from pfremote.target import Target


@click.command("check", help=COMMANDS["check"], no_args_is_help=True)
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@request_options
@click.option("-D", "--diff", is_flag=True, help="Show how main.cf would change.")
@host_options
@click.pass_obj
def command(output: Output, patterns: tuple[str, ...], asked: Asked, hosts: HostOptions, *, diff: bool) -> int:
    """Run it."""
    from pfremote.commands.campaign import Campaign, run_campaign
    from pfremote.commands.hosts import list_hosts, prepare_hosts, select_targets, visit_hosts
    from pfremote.exit_codes import choose_exit_code

    if hosts.list_hosts:
        return list_hosts(select_targets(hosts, patterns), output)
    chosen = prepare_hosts(hosts, patterns)
    if asked.request.peers:
        return run_campaign(Campaign(chosen, asked, check=True, diff=diff), output)

    def look(target: Target, host: OpenHost) -> HostResult:
        return describe_host(target.name, host, output)

    results = visit_hosts(chosen, look, output, looks_only=True)
    return output.recap_for_programs(results, choose_exit_code(results, may_stay_armed=True))


def describe_host(name: str, host: OpenHost, output: Output) -> HostResult:
    """Show one host's facts, and return what is in the way of debugging there as refusals."""
    from pfremote import tasks
    from pfremote.agent.replies import read_facts
    from pfremote.commands.status import describe_lease
    from pfremote.postfix.conditions import refuse_state, warn_state
    from pfremote.results import HostResult

    facts = read_facts(tasks.probe(host))
    asked = DebugRequest(peers=(), seconds=600)
    lines = [name, *(f"  {line}" for line in describe_facts(facts))]
    for lease in facts.leases:
        lines += [f"  {line}" for line in describe_lease(lease)]
    output.console.show("\n".join(lines))
    for reason in warn_state(facts):
        output.emit("warning", name, code=reason.code, message=reason.message, hint=reason.hint)
    return replace(HostResult(name), refusals=tuple(refuse_state(asked, facts)))


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
    lines += [f"unexplained {name} = {value}" for name, value in facts.unexplained]
    return lines
