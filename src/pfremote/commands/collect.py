"""``pfremote collect``: bring the evidence of a lease home, now or days after it ended."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.commands.disguising import make_disguise, pseudonymise_option
from pfremote.commands.host_options import HostOptions, host_options
from pfremote.output import Output

if TYPE_CHECKING:
    from pfremote.asking import OpenHost
    from pfremote.commands.keeping import Keeper
    from pfremote.facts import Lease
    from pfremote.results import HostResult
    from pfremote.target import Target


@click.command("collect", help=COMMANDS["collect"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]")
@click.option("--lease", metavar="ID", default="", help="Which one; not needed where a host has only one.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the run in this folder.",
)
@click.option("--keep", is_flag=True, help="Leave the evidence on the host as well.")
@pseudonymise_option
@host_options
@click.pass_obj
def command(
    output: Output,
    patterns: tuple[str, ...],
    hosts: HostOptions,
    *,
    lease: str,
    out: Path | None,
    keep: bool,
    pseudonymise: bool,
) -> int:
    """Run it."""
    from pfremote.commands.hosts import list_hosts, prepare_hosts, select_targets, visit_hosts
    from pfremote.commands.keeping import Keeper
    from pfremote.commands.reporting import keep_run
    from pfremote.exit_codes import choose_exit_code
    from pfremote.store import RunStore

    if hosts.list_hosts:
        return list_hosts(select_targets(hosts, patterns), output)
    chosen = prepare_hosts(hosts, patterns)
    if pseudonymise:
        output.disguise = make_disguise(chosen.targets)
    words = ["pfremote", "collect", *patterns]
    store = RunStore.create(out, command=words, started=datetime.now(UTC), disguise=output.disguise)
    keeper = Keeper(store, output.emit)

    def fetch(target: Target, host: OpenHost) -> HostResult:
        return collect_lease(target.name, host, lease, keeper, forget=not keep)

    results = visit_hosts(chosen, fetch, output, limit=900)
    code = choose_exit_code(results, may_stay_armed=True)
    if any(result.out for result in results):
        code = keep_run(store, results, code, output)
    else:
        store.drop()
    return output.recap(results, code)


def collect_lease(name: str, host: OpenHost, lease: str, keeper: Keeper, *, forget: bool) -> HostResult:
    """Collect one lease's evidence; the host forgets a lease that has ended, once all is stored.

    Raises:
        Refused: there is no such lease, or more than one to choose from.
        PfremoteError: it cannot be stored; the host keeps it.
    """
    from pfremote import tasks
    from pfremote.agent.replies import read_facts, read_leases
    from pfremote.commands.choice import choose_lease
    from pfremote.results import HostResult
    from pfremote.verdict import ENDED, judge_state

    facts = read_facts(tasks.probe(host))
    reply = tasks.status(host)
    chosen = choose_lease(name, read_leases(reply), lease, has_evidence, "lease with evidence")
    over = chosen.state in ENDED
    result = HostResult(
        name,
        state=judge_state(reply),
        lease=chosen.id,
        armed=True,
        reverted=over,
        drained=chosen.drained == "yes",
        guard=chosen.guard,
        why=chosen.why,
        conflicts=chosen.conflicts,
    )
    kept = keeper(result, tasks.collect(host, lease=chosen.id), facts, chosen)
    if over and forget:
        tasks.forget(host, lease=chosen.id)
    return kept


def has_evidence(lease: Lease) -> bool:
    """Tell whether there is something to collect: a snapshot, or a window, whose lines are still in the log."""
    return bool(lease.evidence) or lease.state in ("armed", "reverted")
