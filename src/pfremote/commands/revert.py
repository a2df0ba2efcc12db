"""``pfremote revert``: end leases now, from any machine that can reach the host."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.errors import UsageError
from pfremote.model.result import HostResult, choose_exit_code
from pfremote.model.target import Target
from pfremote.model.typed import TYPED
from pfremote.options.complete import complete_hosts
from pfremote.options.hosts import HOST_CHOICES, HostOptions, host_options
from pfremote.options.lease import ALL, lease_option
from pfremote.options.sections import ENDS, SAFETY, choice, sections
from pfremote.output.output import Output
from pfremote.text.quantities import parse_duration

if TYPE_CHECKING:
    from pfremote.agent.client import OpenHost


@click.command("revert", help=COMMANDS["revert"])
@click.argument("patterns", nargs=-1, metavar="[PATTERN...]", shell_complete=complete_hosts)
@lease_option("Only this lease.", default=ALL)
@host_options
@sections(
    choice(
        ENDS,
        "--drain",
        default="60s",
        show_default=True,
        metavar="TIME",
        help="How long to wait for sessions that go on.",
    ),
    *HOST_CHOICES,
    choice(
        SAFETY,
        "--force",
        is_flag=True,
        help="After a conflict: put the values of before the window over another's edit; the diff is shown first.",
    ),
)
@click.pass_obj
def command(
    output: Output, patterns: tuple[str, ...], hosts: HostOptions, *, lease: str, drain: str, force: bool
) -> int:
    """Run it."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.agent.client import longest_visit
    from pfremote.run.hosts import prepare_hosts, visit_hosts
    from pfremote.run.lease_work import force_values, revert_lease, tell_how_to_fetch
    from pfremote.run.leases import forgive_done

    seconds = parse_duration(drain, cap=600)
    if force and lease == ALL:
        raise UsageError(
            "--force works on one lease that ended with a conflict",
            hint=f"Name it with --lease ID; see which with: {TYPED.command_for_all('status')}",
        )

    kept: list[tuple[str, str]] = []

    def end(target: Target, host: OpenHost) -> HostResult:
        result = revert_lease(target.name, host, lease, seconds, output, kept)
        return force_values(result, host, output) if force and result.conflicts else result

    limit = longest_visit("status", "revert", *(("restore", "restore") if force else ()), waiting=seconds)
    review = partial(forgive_done, lease=lease)
    results = visit_hosts(
        prepare_hosts(hosts, patterns, output), end, output, limit=limit, if_lost="unknown", review=review
    )
    tell_how_to_fetch(kept, output)
    return output.recap(results, choose_exit_code(results))
