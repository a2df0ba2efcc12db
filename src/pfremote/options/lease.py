"""``--lease``: one of a host's leases, by its id or by the beginning of one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from pfremote.errors import UsageError
from pfremote.options.complete import complete_leases

#: What names every lease, where a command takes that.
ALL = "all"


def lease_option(text: str, *, default: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option, with ``text`` as its help. Without it a command gets ``default``."""
    return click.option(
        "--lease",
        metavar="ID",
        shell_complete=complete_leases,
        default=default or None,
        show_default=bool(default),
        callback=lambda _ctx, _parameter, value: "" if value is None else read_lease_id(value, default=default),
        help=f"{text} ID may be the beginning of an id.",
    )


def read_lease_id(text: str, *, default: str = "") -> str:
    """Return the id, or the beginning of one, in lower case; ``default`` stands for itself.

    Raises:
        UsageError: it can be the id of no lease; no host was contacted.
    """
    given = text.strip().lower()
    if (text and text == default) or re.fullmatch(r"[0-9a-f]{1,12}", given, re.ASCII):
        return given
    raise UsageError(
        f"{text!r} is no lease id",
        hint="Type the id that pfremote status shows, 12 digits of 0-9 and a-f, or its beginning.",
    )
