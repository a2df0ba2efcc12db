"""A session in one word and one line."""

from __future__ import annotations

import re
from typing import Literal

from pfremote.maillog.transcripts.turns import Transcript
from pfremote.text.times import show_span

Outcome = Literal[
    "queued",
    "sent",
    "deferred",
    "bounced",
    "rejected",
    "auth-failed",
    "tls-failed",
    "lost",
    "ended",
    "unfinished",
]

#: Of several recipients the worst counts.
_WORST: tuple[tuple[str, Outcome], ...] = (("bounced", "bounced"), ("deferred", "deferred"), ("sent", "sent"))
#: From Postfix 3.10 on these begin with the queue id or NOQUEUE.
_LOST = re.compile(r"(?:\w+: )?(?:lost connection|timeout|too many errors) after ")
_TLS_FAILED = ("SSL_accept error ", "SSL_connect error ", "warning: TLS library problem")


def summarise(transcript: Transcript) -> tuple[Outcome, str]:
    """Return how a session came out, and the facts behind that in one line."""
    session = transcript.session
    facts = [f"{tls.protocol} {tls.cipher}" for tls in transcript.tls[-1:]]
    facts += [f"{sasl.mechanism} {sasl.user} {sasl.outcome}".replace("  ", " ") for sasl in transcript.sasl]
    facts += [f"{delivery.recipient} {delivery.status}" for delivery in transcript.deliveries[:5]]
    facts += [text.partition("reject: ")[2].partition(";")[0] or text for text in transcript.rejects[:3]]
    if queued := _find_queued(transcript):
        facts.append(f"queued as {', '.join(queued)}")
    if session.started is not None and session.ended is not None:
        facts.append(f"took {show_span(session.started, session.ended)}")
    return judge_outcome(transcript), ", ".join(facts) or "nothing was said"


def _find_queued(transcript: Transcript) -> list[str]:
    """Return the messages that smtpd took over: a queue id alone is given at the first recipient already."""
    if transcript.session.kind != "smtpd":
        return []
    replies = (turn.text for turn in transcript.turns if turn.who == "S")
    return [text.rpartition(" ")[2] for text in replies if text.startswith("250 ") and "queued as " in text]


def judge_outcome(transcript: Transcript) -> Outcome:
    """Return the one word that says most about how a session came out."""
    session = transcript.session
    statuses = {delivery.status for delivery in transcript.deliveries if session.kind != "smtpd"}
    for status, outcome in _WORST:
        if status in statuses:
            return outcome
    if not session.whole:
        return "unfinished"
    if transcript.rejects:
        return "rejected"
    if _find_queued(transcript):
        return "queued"
    if any(sasl.outcome != "accepted" for sasl in transcript.sasl):
        return "auth-failed"
    texts = [turn.text for turn in transcript.turns if turn.who == "*"]
    if any(text.startswith(_TLS_FAILED) for text in texts):
        return "tls-failed"
    return "lost" if any(_LOST.match(text) for text in texts) else "ended"
