"""``--for``: the account that may debug with the agent alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

USUAL = "%postfix-debug"


def account_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--for``."""
    option = click.option(
        "--for",
        "account",
        default=USUAL,
        show_default=True,
        metavar="NAME",
        help="Who may; %NAME is a group, which has to be there.",
    )
    return option(function)
