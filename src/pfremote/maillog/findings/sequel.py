"""What came after a failure: a later delivery, a later login, and where the time of a delivery went."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pfremote.maillog.findings.rule import Finding
from pfremote.maillog.transcripts.delays import describe_delays, describe_tls
from pfremote.maillog.transcripts.turns import Transcript

#: A delivery of less than so many seconds was not slow.
_LONG = 5.0
_STATUS = re.compile(r"(?P<qid>\w+): to=<(?P<to>[^>]*)>.* status=(?!sent)")


def tell_sequel(found: Iterable[Finding], transcripts: Sequence[Transcript]) -> list[Finding]:
    """Add to each finding what the log tells of the time after it."""
    sent = {
        (delivery.queue_id, delivery.recipient): delivery.line
        for transcript in transcripts
        for delivery in transcript.deliveries
        if delivery.status == "sent"
    }
    logins = {
        transcript.session.id: sasl.line
        for transcript in transcripts
        for sasl in transcript.sasl
        if sasl.outcome == "accepted"
    }
    return [_add(finding, _after(finding, sent, logins)) for finding in found]


def _after(finding: Finding, sent: dict[tuple[str, str], int], logins: dict[int, int]) -> str:
    words = []
    if status := _STATUS.match(finding.proof.text):
        words += [describe_delays(finding.proof.text, at_least=_LONG), describe_tls(finding.proof.text)]
        line = sent.get((status["qid"], status["to"]), 0)
        words += [f"It was delivered later (line {line})."] if line > finding.proof.number else []
    elif finding.code.startswith("disposition."):
        qid = finding.proof.text.partition(":")[0]
        line = max((line for (message, _), line in sent.items() if message == qid), default=0)
        words += [f"It was delivered later (line {line})."] if line > finding.proof.number else []
    elif finding.code.startswith("auth.") and finding.session is not None:
        line = logins.get(finding.session, 0)
        words += (
            [f"A later login in the same session was accepted (line {line})."] if line > finding.proof.number else []
        )
    return " ".join(word for word in words if word)


def _add(finding: Finding, words: str) -> Finding:
    if not words:
        return finding
    stop = "" if finding.meaning.endswith((".", "!", "?")) else "."
    return replace(finding, meaning=f"{finding.meaning}{stop} {words}")
