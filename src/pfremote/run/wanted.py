"""What the options of ``explain`` ask for; a word that can fit nothing is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pfremote.errors import UsageError
from pfremote.maillog.narrow import Wanted
from pfremote.options.hosts import refuse_empty
from pfremote.postfix.peers import parse_peers

#: A short queue id (global/mail_queue.h) is hexadecimal, in capitals; of a long one small letters are others.
_SHORT_ID = re.compile(r"[0-9A-Fa-f]{5,}")
#: How an id is copied: from a log with its colon, from postqueue(1) with the sign of its queue.
_BEHIND_ID = ":*!# "
_NEXTHOP = re.compile(r"\[(.*)\](?::\w+)?\Z")
_ALL = ("peer-all", "peer-wildcard")


def read_wanted(words: Mapping[str, Any]) -> Wanted:
    """Return what the command line's values ask for.

    Raises:
        UsageError: a word is empty, or a peer has a form that no session is found by.
    """
    given = {
        "peer": words["peer"],
        "from": words["senders"],
        "to": words["recipients"],
        "queue-id": words["queue_ids"],
        "message-id": words["message_ids"],
        "user": words["users"],
    }
    refuse_empty(given)
    return Wanted(
        peers=_read_peers(words["peer"]),
        senders=tuple(text.strip("<> ") for text in words["senders"]),
        recipients=tuple(text.strip("<> ") for text in words["recipients"]),
        queue_ids=tuple(map(_read_id, words["queue_ids"])),
        message_ids=words["message_ids"],
        users=words["users"],
        **{name: words[name] for name in ("since", "until", "failed")},
    )


def _read_id(text: str) -> str:
    bare = text.strip(_BEHIND_ID)
    return bare.upper() if _SHORT_ID.fullmatch(bare) else bare


def _read_peers(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the peers as sessions are found by them: a name stands for the hosts below it, with a dot or without."""
    peers, mistakes = parse_peers(texts)
    for mistake in mistakes:
        hint = "Leave --peer out: every session is shown then." if mistake.code in _ALL else mistake.hint
        raise UsageError(mistake.message, hint=hint)
    for peer in peers:
        if peer.kind in ("file", "table"):
            raise UsageError(
                f"{peer.typed}: a {peer.kind} on a mail host is not read here", hint="Name the peers that it holds."
            )
    bodies = [_NEXTHOP.sub(r"\1", peer.body) if peer.kind == "nexthop" else peer.body.lstrip(".") for peer in peers]
    chosen = tuple("!" * peer.negated + body for peer, body in zip(peers, bodies, strict=True))
    # Who names only what is left out wants all the rest.
    return (*chosen, "static:all") if peers and all(peer.negated for peer in peers) else chosen
