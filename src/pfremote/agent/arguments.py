"""From what the operator asked for to the words on the wire: the one place that says which option becomes which. Pure.

The words are explained in docs/agent-protocol.md ("Verbs"); :func:`pfremote.agent.protocol.encode_request` spells them.
"""

from __future__ import annotations

from collections.abc import Sequence

from pfremote.agent.protocol import Argument
from pfremote.model.request import DebugRequest


def describe_arm(
    request: DebugRequest, patterns: Sequence[str], *, lease: str, check: bool = False
) -> dict[str, Argument]:
    """Return the arguments of ``arm`` on one host.

    ``patterns`` are the request's peers as they fit that host (:class:`pfremote.postfix.plan.Plan`); ``lease`` is the
    new lease's id; ``check`` lets the host try it on a private copy of main.cf.
    """
    return {
        "lease": lease,
        "seconds": request.seconds,
        "peer": tuple(patterns),
        "level": request.level,
        "smtpd_tls": request.smtpd_tls,
        "smtp_tls": request.smtp_tls,
        "lmtp_tls": request.lmtp_tls,
        "owner": request.owner or None,
        "from": request.origin or None,
        "reason": request.reason or None,
        "stop_after": request.stop_after,
        "max_log": request.max_log,
        "min_free": request.min_free,
        "drain": request.drain,
        "guard": request.guard,
        "log": request.log or None,
        "volatile": request.volatile_guard,
        "allow_content": request.allow_content,
        "all_peers": request.all_peers,
        "check": check,
    }


def describe_probe(request: DebugRequest) -> dict[str, Argument]:
    """Return the arguments of ``probe``: the peers that the host shall resolve and check, each a pattern of its own."""
    return {"peer": request.patterns, "log": request.log or None}
