"""What a play's ``debug`` section asks of a host. Pure."""

from __future__ import annotations

from typing import Any

from pfremote.model.request import HOST_VARIABLES, DebugRequest
from pfremote.playbook.schema import Debug
from pfremote.postfix.peers import parse_peers

#: Seconds of a window where the playbook does not say.
DEFAULT_SECONDS = 600


def make_request(debug: Debug, *, owner: str, origin: str, reason: str, seconds: int | None = None) -> DebugRequest:
    """Return the request for one host; :func:`given_keys` says what in it goes before the inventory.

    ``seconds`` is the length of a window where the playbook says nothing.
    """
    peers, mistakes = parse_peers(debug.peers)
    given: dict[str, Any] = {name: getattr(debug, name) for name in given_keys(debug)}
    return DebugRequest(
        peers=peers,
        seconds=debug.minutes or seconds or DEFAULT_SECONDS,
        level=debug.level,
        smtpd_tls=debug.tls.smtpd,
        smtp_tls=debug.tls.smtp,
        lmtp_tls=debug.tls.lmtp,
        allow_content=debug.allow_content,
        all_peers=debug.all_peers,
        volatile_guard=debug.allow_volatile_guard,
        stop_after=debug.stop_after.sessions,
        owner=owner,
        origin=origin,
        reason=reason,
        mistakes=mistakes,
        **given,
    )


def given_keys(debug: Debug) -> frozenset[str]:
    """Return which of the fields that the inventory may give (:data:`HOST_VARIABLES`) the playbook has."""
    return frozenset(name for name in HOST_VARIABLES if getattr(debug, name) is not None)
