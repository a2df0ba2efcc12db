"""``pfremote schema``: JSON Schema of inventories, playbooks and settings, for editors and other checkers."""

from __future__ import annotations

import json
from typing import Literal

import click

from pfremote.commands import COMMANDS


@click.command("schema", help=COMMANDS["schema"])
@click.argument("what", type=click.Choice(["inventory", "playbook", "config"]))
def command(what: Literal["inventory", "playbook", "config"]) -> int:
    """Run it."""
    if what == "playbook":
        # Loaded when the command runs: --help and completion need none of it.
        from pfremote.playbook.json_schema import playbook_schema

        schema = playbook_schema()
    elif what == "config":
        from pfremote.config.json_schema import config_schema

        schema = config_schema()
    else:
        from pfremote.inventory.json_schema import inventory_schema

        schema = inventory_schema()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
    return 0
