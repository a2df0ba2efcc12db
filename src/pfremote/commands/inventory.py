"""``pfremote inventory``: hosts and groups as the inventory has them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pfremote.commands import COMMANDS
from pfremote.errors import UsageError
from pfremote.model.secret import KNOWN_SECRETS
from pfremote.model.typed import TYPED
from pfremote.options.complete import complete_files, complete_groups, complete_inventory_hosts
from pfremote.options.settings import current_settings, was_typed
from pfremote.options.vault import VaultOptions, make_vault_keys, vault_options
from pfremote.output.output import Output


@click.command("inventory", help=COMMANDS["inventory"])
@click.argument("group", default="all", metavar="[GROUP]", shell_complete=complete_groups)
@click.option(
    "-i",
    "--inventory",
    "sources",
    multiple=True,
    metavar="SOURCE",
    shell_complete=complete_files,
    help="File, folder or program; repeats.",
)
@click.option("--list", "as_list", is_flag=True, help="Everything as JSON, as ansible-inventory --list prints it.")
@click.option(
    "--host",
    metavar="NAME",
    shell_complete=complete_inventory_hosts,
    help="One host's variables as JSON, as ansible-inventory --host prints them.",
)
@click.option("--graph", is_flag=True, help="The groups as a tree (what you get without an option).")
@vault_options
@click.pass_obj
def command(
    output: Output,
    group: str,
    sources: tuple[str, ...],
    *,
    as_list: bool,
    host: str | None,
    graph: bool,
    ask_vault_pass: bool,
    vault_ids: tuple[str, ...],
    vault_password_files: tuple[str, ...],
) -> int:
    """Run it."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.inventory import load_inventory

    settings = current_settings()
    if sum((as_list, graph, host is not None)) > 1:
        raise UsageError("--list, --host and --graph do not go together", hint="Give one of them.")
    sources = sources or settings.get("inventory", ())
    if not sources:
        raise UsageError("no inventory is given", hint="Type: pfremote inventory -i FILE --graph")
    TYPED.note((), [("-i", source) for source in sources if was_typed("sources")])
    keys = make_vault_keys(VaultOptions(ask_vault_pass, vault_ids, vault_password_files), settings)
    inventory = load_inventory(sources, beside=(Path.cwd(),), keys=keys)
    if as_list:
        click.echo(KNOWN_SECRETS.mask(json.dumps(inventory.as_listing(), indent=4, default=str)))
    elif host is not None:
        shown = json.dumps(inventory.as_host(host), indent=4, sort_keys=True, ensure_ascii=False, default=str)
        click.echo(KNOWN_SECRETS.mask(shown).encode("utf-8", "surrogateescape"))
    else:
        output.console.show(inventory.as_graph(group).rstrip("\n"))
    for sentence in inventory.warnings:
        output.console.say(f"warning: {sentence}", style="yellow")
    return 0
