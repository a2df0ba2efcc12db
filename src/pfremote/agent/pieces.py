"""Bring a lease's evidence in pieces of bounded size, for a way to the host that holds each answer in memory."""

from __future__ import annotations

from dataclasses import replace

from pfremote.agent.client import OpenHost, ask_agent
from pfremote.agent.payloads import Payloads
from pfremote.agent.protocol import PAYLOAD_LIMIT, Reply
from pfremote.agent.reply import ProtocolError
from pfremote.errors import AgentFailed

#: Bytes of packed evidence in one answer.
PIECE = 4 * 1024 * 1024

#: The payload that holds a piece.
_NAME = "evidence.piece"

#: How often to begin anew where the evidence has become another meanwhile: it does so once, when the window ends.
_TRIES = 3


def collect_in_pieces(host: OpenHost, lease: str, *, most: int = PIECE) -> Reply:
    """Return what ``collect`` returns in one reply, brought in answers of at most ``most`` bytes of evidence.

    Raises:
        Refused, AgentFailed, HostError: as :func:`pfremote.agent.client.ask_agent`.
    """
    for _ in range(_TRIES):
        first = ask_agent(host, "collect", {"lease": lease, "begin": 0, "most": most})
        packed = _bring_rest(host, lease, first, most)
        if packed is not None:
            return _join(first, packed)
    raise AgentFailed(
        "the evidence became another while it was brought home",
        code="evidence-changed",
        hint="Collect it again when the window is over.",
    )


def _bring_rest(host: OpenHost, lease: str, first: Reply, most: int) -> bytes | None:
    """Return all of the packed evidence; None where it is not the same any more."""
    size = _read_size(first)
    pieces = [_piece(first)]
    got = len(pieces[0])
    while got < size:
        reply = ask_agent(host, "collect", {"lease": lease, "begin": got, "most": most})
        if reply.one("evidence_sum") != first.one("evidence_sum"):
            return None
        pieces.append(_piece(reply))
        got += len(pieces[-1])
        if not pieces[-1]:
            raise ProtocolError(f"the evidence ends at {got} of {size} bytes")
    return b"".join(pieces)


def _read_size(reply: Reply) -> int:
    """Return the size that stands behind the checksum, as cksum(1) prints them."""
    _, _, size = reply.one("evidence_sum").partition(" ")
    if not size.isdecimal() or int(size) > PAYLOAD_LIMIT:
        raise ProtocolError(f"the agent sent evidence_sum={reply.one('evidence_sum')!r}")
    return int(size)


def _piece(reply: Reply) -> bytes:
    return reply.payloads.get(_NAME, b"")


def _join(first: Reply, packed: bytes) -> Reply:
    payloads = Payloads({name: data for name, data in first.payloads.items() if name != _NAME})
    if first.one("evidence_encoding") == "gzip":
        try:
            payloads.add_packed("evidence", packed, limit=PAYLOAD_LIMIT)
        except ValueError as exc:
            raise ProtocolError(f"the payload evidence {exc}") from exc
    else:
        payloads.add("evidence", packed)
    return replace(first, payloads=payloads)
