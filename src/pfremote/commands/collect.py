"""``pfremote collect``: bring the evidence of a lease home, now or days after it ended."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.model.result import HostResult, choose_exit_code
from pfremote.model.target import Target
from pfremote.options.complete import complete_hosts
from pfremote.options.hosts import HOST_CHOICES, HostOptions, host_options
from pfremote.options.lease import lease_option
from pfremote.options.out import OUT
from pfremote.options.pseudonymise import PSEUDONYMISE, make_disguise
from pfremote.options.recorded_command import typed_command
from pfremote.options.sections import sections
from pfremote.output.output import Output
from pfremote.store import RunStore

if TYPE_CHECKING:
    from pfremote.agent.client import OpenHost


@click.command("collect", help=COMMANDS["collect"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]", shell_complete=complete_hosts)
@lease_option("Which one; not needed where a host has only one.")
@click.option("--keep", is_flag=True, help="Leave the evidence on the host as well.")
@host_options
@sections(OUT, PSEUDONYMISE, *HOST_CHOICES)
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
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.run.evidence import EvidenceStore
    from pfremote.run.finish import keep_run, tell_end
    from pfremote.run.hosts import prepare_hosts, visit_hosts
    from pfremote.run.lease_work import collect_lease
    from pfremote.run.leases import forgive_done

    chosen = prepare_hosts(hosts, patterns, output)
    if pseudonymise:
        output.disguise = make_disguise(chosen.targets)
    names = [target.name for target in chosen.targets]
    store = RunStore.create(
        out, command=typed_command(), started=datetime.now(UTC), targets=names, disguise=output.disguise
    )
    evidence = EvidenceStore(store, output.emit)

    def fetch(target: Target, host: OpenHost) -> HostResult:
        return collect_lease(target.name, host, lease, evidence, forget=not keep)

    results = visit_hosts(chosen, fetch, output, limit=900, review=partial(forgive_done, lease=lease))
    code = choose_exit_code(results, may_stay_armed=True)
    if any(result.out for result in results):
        code = keep_run(store, results, code, output)
        return tell_end(store, results, code, output)
    store.drop()
    return output.recap(results, code)
