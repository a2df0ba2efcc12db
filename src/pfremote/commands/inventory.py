"""``pfremote inventory``: hosts and groups as the inventory has them."""

from __future__ import annotations

import json

import click

from pfremote.commands import COMMANDS
from pfremote.errors import UsageError
from pfremote.output import Output


@click.command("inventory", help=COMMANDS["inventory"])
@click.argument("group", default="all", metavar="[GROUP]")
@click.option("-i", "--inventory", "sources", multiple=True, metavar="SOURCE", help="File, folder or program; repeats.")
@click.option("--list", "as_list", is_flag=True, help="Everything as JSON, as ansible-inventory --list prints it.")
@click.option("--graph", is_flag=True, help="The groups as a tree (what you get without an option).")
@click.pass_obj
def command(output: Output, group: str, sources: tuple[str, ...], *, as_list: bool, graph: bool) -> int:
    """Run it."""
    from pfremote.inventory import load_inventory, render_graph, render_list

    if as_list and graph:
        raise UsageError("--list and --graph do not go together", hint="give one of them")
    if not sources:
        raise UsageError("no inventory is given", hint="pfremote inventory -i FILE --graph")
    inventory = load_inventory(sources)
    if as_list:
        click.echo(json.dumps(render_list(inventory), indent=4, default=str))
    else:
        output.console.show(render_graph(inventory, group).rstrip("\n"))
    for sentence in inventory.warnings:
        output.console.say(f"warning: {sentence}", style="yellow")
    return 0
