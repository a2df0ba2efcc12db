"""``pfremote run``: what a playbook says, play after play."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.commands.disguising import pseudonymise_option
from pfremote.commands.host_options import HostOptions, host_options
from pfremote.errors import UsageError
from pfremote.output import Output

if TYPE_CHECKING:
    from pfremote.commands.plays import PreparedPlay, Wishes


@click.command("run", help=COMMANDS["run"], no_args_is_help=True)
@click.argument("playbook", type=click.Path(path_type=Path), metavar="PLAYBOOK")
@click.option("--serial", metavar="N", help='Hosts at a time: a number, "30%", or several with commas between.')
@click.option(
    "--max-fail-percentage", metavar="P", help="Stop after a batch of which more than this percentage failed."
)
@click.option(
    "--allow-volatile-guard",
    is_flag=True,
    help="Accept a guard that does not survive a reboot, in every play.",
)
@click.option("--yes", is_flag=True, help="Answer yes to what the playbook wants confirmed.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the run in this folder.",
)
@pseudonymise_option
@click.option("-C", "--check", is_flag=True, help="Only say what would be done, and what is in its way.")
@click.option("-D", "--diff", is_flag=True, help="Show how main.cf would change or has changed.")
@host_options
@click.pass_obj
def command(
    output: Output,
    playbook: Path,
    hosts: HostOptions,
    *,
    serial: str | None,
    max_fail_percentage: str | None,
    allow_volatile_guard: bool,
    yes: bool,
    out: Path | None,
    pseudonymise: bool,
    check: bool,
    diff: bool,
) -> int:
    """Run it."""
    from pfremote.commands.disguising import make_disguise
    from pfremote.commands.host_options import make_connect_options, read_become_password
    from pfremote.commands.hosts import Hosts, list_hosts
    from pfremote.commands.playing import Manner, run_plays
    from pfremote.commands.plays import gather_peers

    wishes = read_wishes(serial, max_fail_percentage, volatile_guard=allow_volatile_guard)
    plays = read_plays(playbook, hosts, wishes)
    targets = tuple({host.target.name: host.target for play in plays for host in play.hosts}.values())
    if hosts.list_hosts:
        return list_hosts(targets, output)
    if not check and not yes:
        demand_terminal(plays)
    chosen = Hosts(targets, make_connect_options(hosts), read_become_password(hosts), hosts.forks)
    if pseudonymise:
        output.disguise = make_disguise(targets, gather_peers(plays))
    return run_plays(plays, chosen, Manner(str(playbook), check, diff, yes, out), output)


def read_plays(playbook: Path, hosts: HostOptions, wishes: Wishes) -> tuple[PreparedPlay, ...]:
    """Return the playbook's plays with everything known that can be known before a host is contacted."""
    from pfremote.commands.extra_vars import read_extra_vars
    from pfremote.commands.plays import Ground, prepare_plays
    from pfremote.inventory import load_inventory
    from pfremote.inventory.reader import read_text
    from pfremote.playbook import parse_playbook

    sources = parse_playbook(read_text(playbook), str(playbook))
    extra = read_extra_vars(hosts.extra_vars)
    return prepare_plays(sources, Ground(load_inventory(hosts.inventory), hosts, extra, wishes))


def read_wishes(serial: str | None, max_fail_percentage: str | None, *, volatile_guard: bool) -> Wishes:
    """Return what the command line says in place of the playbook.

    Raises:
        UsageError: no number or percentage.
    """
    from pfremote.commands.plays import Wishes
    from pfremote.playbook.scalars import read_batch_size, read_share

    sizes = [read_batch_size(word) for word in serial.split(",")] if serial is not None else []
    share = None if max_fail_percentage is None else read_share(max_fail_percentage)
    return Wishes(sizes, share, volatile_guard)


def demand_terminal(plays: tuple[PreparedPlay, ...]) -> None:
    """Make sure that every question of the playbook can be asked, before the first host is touched.

    Raises:
        UsageError: there is one, and no terminal.
    """
    from pfremote.commands.questions import can_ask

    asking = [play for play in plays if play.play.confirm is not None and play.hosts]
    if asking and not can_ask():
        raise UsageError(
            f"the play {asking[0].title} wants a confirmation, and there is no terminal to ask on: "
            f"{asking[0].play.confirm}",
            hint="add --yes if the answer is yes",
        )
