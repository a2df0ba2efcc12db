"""The settings of this run, read once, and what of them is said with ``-v``."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from pfremote.config import Settings, load_settings
from pfremote.config.settings import explain
from pfremote.model.log_levels import ROUTE
from pfremote.output.output import Output
from pfremote.private_files import keep_runs_in

_log = logging.getLogger(__name__)
_PLACE = "pfremote.settings"


def current_settings() -> Settings:
    """Return the settings of the command that runs; a file that was passed over is said, once.

    Raises:
        ConfigError, UsageError: a file or variable says what is no setting.
    """
    context = click.get_current_context()
    if _PLACE not in context.meta:
        settings = load_settings()
        for line in explain(settings):
            _log.log(ROUTE, "%s", line)
        if (output := context.find_object(Output)) is not None:
            for sentence in settings.warnings:
                output.console.say(f"warning: {sentence}", style="yellow")
        if settings.get("out"):
            keep_runs_in(Path(settings.get("out")))
        context.meta[_PLACE] = settings
    found: Settings = context.meta[_PLACE]
    return found


def was_typed(name: str) -> bool:
    """Tell whether an option stands on the command line, rather than being at its default."""
    source = click.get_current_context().get_parameter_source(name)
    return source not in (None, click.core.ParameterSource.DEFAULT)
