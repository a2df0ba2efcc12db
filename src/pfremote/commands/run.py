"""``pfremote run``: what a playbook says, play after play."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.errors import PfremoteError, UsageError
from pfremote.options.connect import make_connect_options, read_become_password
from pfremote.options.hosts import HOST_CHOICES, HostOptions, host_options, list_warnings
from pfremote.options.out import DIFF, OUT
from pfremote.options.pseudonymise import PSEUDONYMISE, make_disguise
from pfremote.options.request import CHECK, STOP_AFTER_TOTAL
from pfremote.options.sections import ENDS, HOSTS, SAFETY, choice, sections
from pfremote.output.columns import page_width
from pfremote.output.output import Output
from pfremote.run.complete_playbook import complete_playbooks, complete_variables
from pfremote.run.confirm import can_ask
from pfremote.run.runbooks import copy_runbook, find_playbook, list_runbooks
from pfremote.text.terminal import fold

if TYPE_CHECKING:
    from pfremote.run.prepare import PlayOverrides, PreparedPlay


@click.command("run", help=COMMANDS["run"], no_args_is_help=True)
@click.argument("playbook", metavar="PLAYBOOK", required=False, default="", shell_complete=complete_playbooks)
@click.option("--list", "list_all", is_flag=True, help="List the ready runbooks, and when to use which.")
@click.option("--copy", is_flag=True, help="Write the runbook into this folder to be changed, and run nothing.")
@host_options
@sections(
    STOP_AFTER_TOTAL,
    choice(
        ENDS, "--max-fail-percentage", metavar="P", help="Stop after a batch of which more than this percentage failed."
    ),
    OUT,
    DIFF,
    PSEUDONYMISE,
    *(item.completed(complete_variables) if "-e" in item.words else item for item in HOST_CHOICES),
    choice(
        HOSTS,
        "--serial",
        metavar="N",
        help='Hosts in a batch: a number, "30%", or several with commas between.',
    ),
    CHECK,
    choice(SAFETY, "--yes", is_flag=True, help="Answer yes to what the playbook wants confirmed."),
    choice(
        SAFETY,
        "--allow-volatile-guard",
        is_flag=True,
        help="Accept a guard that does not survive a reboot, in every play.",
    ),
)
@click.pass_obj
def command(
    output: Output,
    playbook: str,
    hosts: HostOptions,
    *,
    list_all: bool,
    copy: bool,
    serial: str | None,
    max_fail_percentage: str | None,
    stop_after_total: int | None,
    allow_volatile_guard: bool,
    yes: bool,
    out: Path | None,
    pseudonymise: bool,
    check: bool,
    diff: bool,
) -> int:
    """Run it."""
    if list_all:
        return show_runbooks(output)
    if not playbook:
        raise UsageError("no playbook is named", hint="Type: pfremote run --list")
    if copy:
        output.console.show(str(copy_runbook(playbook, Path())))
        return 0
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.run.forgotten import suggest_name
    from pfremote.run.hosts import Hosts, end_after_listing
    from pfremote.run.playbook import RunOptions, run_plays
    from pfremote.run.prepare import gather_peers

    overrides = read_overrides(serial, max_fail_percentage, volatile_guard=allow_volatile_guard)
    path = find_playbook(playbook)
    plays, warnings = read_plays(path, hosts, overrides, beside=path.parent if path == Path(playbook) else Path.cwd())
    targets = tuple({host.target.name: host.target for play in plays for host in play.hosts}.values())
    end_after_listing(hosts, targets, output)
    if not check and not yes:
        demand_terminal(plays)
    connect, password = make_connect_options(hosts), read_become_password(hosts)
    suggest = partial(suggest_name, hosts)
    chosen = Hosts(targets, connect, password, hosts.forks, warnings=warnings, suggest=suggest)
    if pseudonymise:
        output.disguise = make_disguise(targets, gather_peers(plays))
    return run_plays(plays, chosen, RunOptions(str(playbook), check, diff, yes, out, stop_after_total), output)


def show_runbooks(output: Output) -> int:
    """Show each runbook with what is wrong, when to use it, and the variables that are needed."""
    for book in list_runbooks():
        output.console.show_rows([[(f"{book.name}: {book.title}", "")]])
        output.console.show(fold(book.when, page_width(output.console.out), first="    ", rest="    "))
    output.console.hint("Type: pfremote run NAME -i INVENTORY -e peer=ADDRESS -e where=HOSTS --check")
    output.console.hint("To change one, type: pfremote run NAME --copy")
    return 0


def read_plays(
    playbook: Path, hosts: HostOptions, overrides: PlayOverrides, *, beside: Path
) -> tuple[tuple[PreparedPlay, ...], tuple[str, ...]]:
    """Return the playbook's plays with everything known that can be known before a host is contacted, and warnings.

    ``beside`` is where the files of variables are: the playbook's folder, and for a packaged one the operator's.
    """
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.inventory.reader import read_text
    from pfremote.playbook import read_playbook
    from pfremote.playbook.problems import raise_all
    from pfremote.run.choose import open_inventory
    from pfremote.run.play_files import PlayFiles
    from pfremote.run.prepare import PlayContext, prepare_plays

    sources, mistakes = read_playbook(read_text(playbook), str(playbook))
    try:
        inventory = open_inventory(hosts, beside=beside)
    except PfremoteError:
        raise_all(mistakes)  # what is wrong with the playbook goes first
        raise
    files = PlayFiles(beside, inventory.keys)
    return prepare_plays(sources, PlayContext(inventory, hosts, files, overrides), mistakes), (
        *list_warnings(hosts),
        *inventory.unread,
    )


def read_overrides(serial: str | None, max_fail_percentage: str | None, *, volatile_guard: bool) -> PlayOverrides:
    """Return what the command line says in place of the playbook.

    Raises:
        UsageError: no number or percentage.
    """
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.playbook.scalars import read_batch_size, read_share
    from pfremote.run.prepare import PlayOverrides

    sizes = [read_batch_size(word) for word in serial.split(",")] if serial is not None else []
    share = None if max_fail_percentage is None else read_share(max_fail_percentage)
    return PlayOverrides(sizes, share, volatile_guard)


def demand_terminal(plays: tuple[PreparedPlay, ...]) -> None:
    """Make sure that every question of the playbook can be asked, before the first host is touched.

    Raises:
        UsageError: there is one, and no terminal.
    """

    asking = [play for play in plays if play.play.confirm is not None and play.hosts]
    if asking and not can_ask():
        raise UsageError(
            f"the play {asking[0].title} wants a confirmation, and there is no terminal to ask on: "
            f"{asking[0].play.confirm}",
            hint="Add --yes if the answer is yes.",
        )
