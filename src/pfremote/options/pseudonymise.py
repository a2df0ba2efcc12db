"""``--pseudonymise``: the tokens, and the names that only the operator knows of."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pfremote.errors import PfremoteError, UsageError
from pfremote.model.peer import Peer
from pfremote.model.target import Target
from pfremote.options.request import name_operator
from pfremote.options.sections import RESULTS, choice

if TYPE_CHECKING:  # loaded where it is asked for
    from pfremote.pseudonyms.disguise import Pseudonymous

PSEUDONYMISE = choice(
    RESULTS,
    "--pseudonymise",
    is_flag=True,
    help="Replace users, hosts and addresses by tokens that stay the same; the map stays here.",
)


def make_disguise(targets: Iterable[Target], peers: Iterable[Peer] = ()) -> Pseudonymous:
    """Return what turns names into tokens, knowing the operator's hosts, peers and own name as words.

    Raises:
        UsageError: the map of pseudonyms cannot be read or written; no host was contacted.
    """
    # Loaded where it is asked for: it reads logs to find names.
    from pfremote.pseudonyms.disguise import Pseudonymous
    from pfremote.pseudonyms.map import PseudonymStore

    hosts = [name for target in targets for name in (target.name, target.host) if name]
    words = {word for peer in peers for word in (peer.body, peer.typed.lstrip("!")) if word.replace("-", "").isalnum()}
    store = PseudonymStore()
    try:
        with store.open():
            pass  # complains before anything is touched
    except PfremoteError as exc:
        hint = "The map of pseudonyms is kept there: make it writable, or leave out --pseudonymise."
        raise UsageError(exc.message, hint=hint) from exc
    return Pseudonymous(store, hosts=(*hosts, *words, socket.gethostname()), users=(name_operator(),))
