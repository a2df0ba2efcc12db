"""``pfremote config``: the settings that count, and where each was said."""

from __future__ import annotations

import click

from pfremote.commands import COMMANDS
from pfremote.config.settings import render
from pfremote.options.settings import current_settings
from pfremote.output.output import Output
from pfremote.private_files import default_root


@click.command("config", help=COMMANDS["config"])
@click.option("--only-changed", is_flag=True, help="Leave out what nothing was said of.")
@click.pass_obj
def command(output: Output, *, only_changed: bool) -> int:
    """Run it."""
    settings = current_settings()
    shown = [item for item in settings if item.source or not only_changed]
    width = max((len(item.key.name) for item in shown), default=0)
    for item in shown:
        value = str(default_root()) if item.key.name == "out" else render(item)
        output.console.tell(f"{item.key.name:<{width}}  {value}  ({item.source or 'nothing said'})")
    for path in settings.files:
        output.console.say(f"read: {path}")
    return 0
