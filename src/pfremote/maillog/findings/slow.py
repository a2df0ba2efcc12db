"""Which side was slow, where a session had long pauses."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from collections.abc import Mapping

from pfremote.maillog.findings.rule import Finding
from pfremote.maillog.record import Record
from pfremote.maillog.turns import Transcript

#: A pause that a person would notice and ask about, in seconds.
SLOW = 10.0


def find_slow(transcript: Transcript, records: Mapping[int, Record]) -> list[Finding]:
    """Return the longest pause of a session, if it was :data:`SLOW` or more, with the side that was waited for."""
    said = (turn for turn in transcript.turns if turn.who != "*")
    late = max(said, key=lambda turn: turn.gap, default=None)
    if late is None or late.gap < SLOW or late.line not in records:
        return []
    inbound = transcript.session.kind == "smtpd"
    # Inbound the server is us: DNS, tables, policy services and milters are asked before the reply.
    ours = (late.who == "S") == inbound
    side = "this host" if ours else "the client" if inbound else "the remote server"
    finding = Finding(
        "session.slow",
        f"{side} took {late.gap:.0f} s to say: {late.text[:60]}",
        "likely",
        transcript.session.id,
        records[late.line],
        "The longest pause of the session. On this host it is DNS, a table, a policy service, a milter or smtpd_error_sleep_time."
        if ours
        else "The longest pause of the session; the log cannot tell the peer from the network between.",
        "Read the debug lines just before it in evidence.log: the last one names what was waited for."
        if ours
        else "Ask for the peer's own log of this time.",
    )
    return [finding]
