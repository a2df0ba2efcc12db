"""What came after a failure: a later delivery, a later login, and where the time of a delivery went."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pfremote.maillog.findings.rule import Finding
from pfremote.maillog.parse.record import Record
from pfremote.maillog.transcripts.delays import describe_delays, describe_tls
from pfremote.maillog.transcripts.turns import Transcript
from pfremote.text.times import show_seconds

#: A line and its time.
_Moment = tuple[int, datetime | None]
#: A delivery of less than so many seconds was not slow.
_LONG = 5.0
_DELIVERED = "It was delivered"
_NO_WAIT = "Nothing is left to wait for."
_STATUS = re.compile(r"(?P<qid>\w+): to=<(?P<to>[^>]*)>.* status=(?!sent)")


class _Later:
    """Where in the log, and when, mail was sent and logins were accepted; what each session tried to deliver."""

    def __init__(self, transcripts: Sequence[Transcript]) -> None:
        self.sent: dict[tuple[str, str], _Moment] = {}
        self.logins: dict[int, _Moment] = {}
        self.tried: dict[int, set[tuple[str, str]]] = {}
        for transcript in transcripts:
            times = {turn.line: turn.time for turn in transcript.turns} if transcript.deliveries else {}
            for delivery in transcript.deliveries:
                key = delivery.queue_id, delivery.recipient
                if delivery.status == "sent":
                    self.sent[key] = delivery.line, times.get(delivery.line)
                if transcript.session.kind != "smtpd":
                    self.tried.setdefault(transcript.session.id, set()).add(key)
            for sasl in transcript.sasl:
                if sasl.outcome == "accepted":
                    self.logins[transcript.session.id] = sasl.line, None


def tell_sequel(found: Iterable[Finding], transcripts: Sequence[Transcript]) -> list[Finding]:
    """Add to each finding what the log tells of the time after it."""
    later = _Later(transcripts)
    told = [(finding, _after(finding, later)) for finding in found]
    return [add_words(finding, words, arrived=_DELIVERED in words) for finding, words in told]


def tell_time(before: Record, after: datetime | None) -> str:
    """Return how much later something was, in words; a number of a line would not hold where lines are left out."""
    if before.time is None or after is None or after - before.time < timedelta(seconds=1):
        return "later"
    return f"{show_seconds(int((after - before.time).total_seconds()))} later"


def _after(finding: Finding, later: _Later) -> str:
    proof = finding.proof
    words = []
    moments: list[_Moment | None] = []
    if status := _STATUS.match(proof.text):
        words += [describe_delays(proof.text, at_least=_LONG), describe_tls(proof.text)]
        moments = [later.sent.get((status["qid"], status["to"]))]
    elif finding.code.startswith("disposition."):
        qid = proof.text.partition(":")[0]
        moments = [
            max(
                (one for (message, _), one in later.sent.items() if message == qid),
                key=lambda one: one[0],
                default=None,
            )
        ]
    elif finding.code.startswith("auth.") and finding.session is not None and finding.session in later.logins:
        if later.logins[finding.session][0] > proof.number:
            words += ["A later login in the same session was accepted."]
    elif finding.session is not None and not finding.code.startswith("session."):
        moments = [later.sent.get(key) for key in later.tried.get(finding.session, ())]
    known = [moment for moment in moments if moment is not None and moment[0] > proof.number]
    if known and len(known) == len(moments):
        words += [f"{_DELIVERED} {tell_time(proof, max(known, key=lambda moment: moment[0])[1])}."]
    return " ".join(word for word in words if word)


def add_words(finding: Finding, words: str, *, arrived: bool) -> Finding:
    """Return a finding with a sentence more, where there is one; where mail has ``arrived`` it is not waited for."""
    if not words:
        return finding
    stop = "" if finding.meaning.endswith((".", "!", "?")) else "."
    step = _NO_WAIT if arrived and finding.next_step.startswith("Wait ") else finding.next_step
    return replace(finding, meaning=f"{finding.meaning}{stop} {words}", next_step=step)
