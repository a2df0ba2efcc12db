"""What a play's ``debug`` section asks of a host. Pure."""

from __future__ import annotations

from pfremote.plan import DebugRequest
from pfremote.playbook.schema import Debug

#: Seconds of a window where the playbook does not say; bytes, percent and seconds as in ``DebugRequest``.
DEFAULT_SECONDS = 600
#: Keys that the inventory may give a value of its own where the playbook has none.
INVENTORY_KEYS = ("guard", "max_log", "min_free", "drain")


def make_request(debug: Debug, *, owner: str, origin: str, reason: str) -> DebugRequest:
    """Return the request for one host; :func:`given_keys` says what in it goes before the inventory."""
    defaults = DebugRequest(peers=(), seconds=0)
    return DebugRequest(
        peers=tuple(debug.peers),
        seconds=debug.minutes or DEFAULT_SECONDS,
        level=debug.level,
        smtpd_tls=debug.tls.smtpd,
        smtp_tls=debug.tls.smtp,
        lmtp_tls=debug.tls.lmtp,
        allow_content=debug.allow_content,
        all_peers=debug.all_peers,
        volatile_guard=debug.allow_volatile_guard,
        guard=debug.guard or defaults.guard,
        stop_after=debug.stop_after.sessions,
        max_log=debug.max_log or defaults.max_log,
        min_free=defaults.min_free if debug.min_free is None else debug.min_free,
        drain=debug.drain or defaults.drain,
        owner=owner,
        origin=origin,
        reason=reason,
    )


def given_keys(debug: Debug) -> frozenset[str]:
    """Return which of :data:`INVENTORY_KEYS` the playbook gives a value."""
    return frozenset(name for name in INVENTORY_KEYS if getattr(debug, name) is not None)
