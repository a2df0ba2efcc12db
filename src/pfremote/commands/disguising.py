"""``--pseudonymise``: the tokens, and the names that only the operator knows of."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import click

from pfremote.commands.request_options import name_operator
from pfremote.errors import PfremoteError, UsageError
from pfremote.maillog.plain import Disguise
from pfremote.target import Target

_HELP = "Replace users, hosts and addresses by tokens that stay the same; the map stays here."


def pseudonymise_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--pseudonymise``."""
    return click.option("--pseudonymise", is_flag=True, help=_HELP)(function)


def make_disguise(targets: Iterable[Target], peers: Iterable[str] = ()) -> Disguise:
    """Return what turns names into tokens, knowing the operator's hosts, peers and own name as words.

    Raises:
        UsageError: the map of pseudonyms cannot be read or written; no host was contacted.
    """
    from pfremote.store.disguise import Pseudonymous
    from pfremote.store.pseudonyms import PseudonymStore

    hosts = [name for target in targets for name in (target.name, target.host) if name]
    words = [peer.lstrip("!") for peer in peers if peer.lstrip("!").replace("-", "").isalnum()]
    store = PseudonymStore()
    try:
        with store.open():
            pass  # complains before anything is touched
    except PfremoteError as exc:
        hint = "the map of pseudonyms is kept there: make it writable, or leave out --pseudonymise"
        raise UsageError(exc.message, hint=hint) from exc
    return Pseudonymous(store, hosts=(*hosts, *words, socket.gethostname()), users=(name_operator(),))
