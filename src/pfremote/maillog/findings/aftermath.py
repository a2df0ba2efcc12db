"""What became of mail that was refused, and of logins: the same mail sent later in the log, the same client let in."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from pfremote.maillog.findings.later_login import LaterLogins
from pfremote.maillog.findings.rule import Finding
from pfremote.maillog.findings.sequel import add_words, tell_time
from pfremote.maillog.parse.patterns import queue_id
from pfremote.maillog.parse.record import Record

_REFUSES = frozenset(("smtpd", "cleanup", "postscreen"))
_REFUSED = re.compile(r"reject: .*; from=<(?P<sender>[^>]*)>,? to=<(?P<recipient>[^>]*)>")
_FROM = re.compile(r"(?P<qid>\w+): from=<(?P<sender>[^>]*)>, size=")
_SENT = re.compile(
    r"(?P<qid>\w+): to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<typed>[^>]*)>, )?.* status=sent (?!\(.*\b(?i:discarded)\b)"
)
_Pair = tuple[str, str]


class Aftermath:
    """Takes the lines of a log in their order. What it holds grows with what was refused, not with the log."""

    def __init__(self) -> None:
        #: Refused pairs → the first delivery after each refusal, in log order.
        self._delivered: dict[_Pair, list[Record]] = {}
        self._refused_now: set[_Pair] = set()
        self._senders: set[str] = set()
        #: Messages of such a sender that are in the queue, by host and queue id.
        self._queued: dict[_Pair, str] = {}
        self._logins = LaterLogins()

    def feed(self, record: Record) -> None:
        """Take the next line."""
        text = record.text
        if record.daemon in _REFUSES:
            if "reject: " in text and (found := _REFUSED.search(text)):
                pair = found["sender"].lower(), found["recipient"].lower()
                self._delivered.setdefault(pair, [])
                self._refused_now.add(pair)
                self._senders.add(pair[0])
            elif record.daemon == "smtpd":
                self._logins.feed(record)
        elif self._senders:
            self._follow(record, text)

    def _follow(self, record: Record, text: str) -> None:
        if record.daemon == "qmgr":
            if (found := _FROM.match(text)) and found["sender"].lower() in self._senders:
                self._queued[record.host, found["qid"]] = found["sender"].lower()
            elif text.endswith(": removed"):
                self._queued.pop((record.host, queue_id(text.partition(" ")[0])), None)
        elif "status=sent" in text and (found := _SENT.match(text)):
            sender = self._queued.get((record.host, found["qid"]))
            for to in {found["to"].lower(), (found["typed"] or "").lower()} if sender is not None else ():
                if (sender or "", to) in self._refused_now:
                    self._refused_now.discard((sender or "", to))
                    self._delivered[sender or "", to].append(record)

    def tell(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings, those of refused mail and of refused logins with what became of it."""
        return tuple(self._add(item) for item in findings)

    def _add(self, finding: Finding) -> Finding:
        came_back = self._logins.tell(finding)
        return add_words(finding, came_back or self._tell(finding), arrived=not came_back)

    def _tell(self, finding: Finding) -> str:
        found = _REFUSED.search(finding.proof.text) if finding.proof.daemon in _REFUSES else None
        if found is None or "reject_warning" in finding.proof.text:
            return ""
        later = self._delivered.get((found["sender"].lower(), found["recipient"].lower()), [])
        place = bisect_right(later, finding.proof.number, key=lambda record: record.number)
        if place == len(later):
            return ""
        when = tell_time(finding.proof, later[place].time)
        return f"Postfix took and sent mail of the same sender to the same recipient {when}."


def tell_aftermath(findings: Iterable[Finding], records: Iterable[Record]) -> tuple[Finding, ...]:
    """Return the findings of a log with what its lines tell of the time after."""
    aftermath = Aftermath()
    for record in records:
        aftermath.feed(record)
    return aftermath.tell(findings)
