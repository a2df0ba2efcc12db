"""Findings: the usual causes, each with the log line that proves it, its meaning and the next step.

The rules of certainty are written down in docs/explanation/findings.md.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from pfremote.maillog.findings.auth_exchange import find_auth, name_missing_login
from pfremote.maillog.findings.foreign_text import is_about, leave_out
from pfremote.maillog.findings.index import RuleIndex
from pfremote.maillog.findings.rule import Certainty, Finding, Rule
from pfremote.maillog.findings.rules import ABOUT_REPLIES, RULES
from pfremote.maillog.findings.sequel import tell_sequel
from pfremote.maillog.findings.settle import Hit, certify, certify_alone, is_said, settle, settle_host
from pfremote.maillog.findings.slow import find_slow
from pfremote.maillog.findings.unknown import find_unknown, find_unknown_of_host, is_severe
from pfremote.maillog.findings.witness import Witnesses
from pfremote.maillog.owners import OF_THE_HOST, is_postfix
from pfremote.maillog.parse.record import Record
from pfremote.maillog.sessions.follow import message_of
from pfremote.maillog.transcripts.turns import Transcript, Turn

__all__ = ["RULES", "Certainty", "Finding", "Rule", "explain", "find", "find_alone", "may_concern_host"]

#: A filter that took the mail and says that it keeps it from the recipient.
_THROWN_AWAY = re.compile(r"status=sent \(2\d\d .*\bdiscarded\b", re.IGNORECASE)
#: smtp(8) quotes a server: ``host NAME said: 550 ...``, ``refused to talk to me: 421 ...``.
_QUOTES = re.compile(r"(?:^| )(?:said|refused to talk to me|refused to start TLS): [245]\d\d")


def find(
    transcripts: Iterable[Transcript], followed: Iterable[Record] = (), unplaced: Iterable[Record] = ()
) -> tuple[Finding, ...]:
    """Return the findings of all sessions and of the host, in log order of their proofs."""
    transcripts = tuple(transcripts)
    after = {record.number: record for record in followed}
    screened = [record for record in after.values() if record.daemon == "postscreen"]
    host = [certify_alone(hit) for record in (*screened, *unplaced) for hit in _hits(record, record.text, None)]
    found = [*settle_host(host), *find_unknown_of_host(unplaced, host)]
    cleanup = _by_message(after.values())
    witnesses = Witnesses(host)
    for transcript in transcripts:
        found += _of_session(transcript, after, witnesses, cleanup)
    return tuple(sorted(tell_sequel(found, transcripts), key=lambda finding: finding.proof.number))


def find_alone(transcripts: Sequence[Transcript], followed: Iterable[Record]) -> tuple[Finding, ...] | None:
    """Return the findings of sessions; None where a line of the host could have something to add to them.

    ``transcripts`` are all that have a message in common with one of them.
    """
    after = {record.number: record for record in followed}
    witnesses, cleanup = Witnesses(()), _by_message(after.values())
    found = [item for one in transcripts for item in _of_session(one, after, witnesses, cleanup)]
    return None if witnesses.asked else tuple(tell_sequel(found, transcripts))


def explain(record: Record, text: str) -> list[str]:
    """Return the codes of the rules that a single line fits, the cause last."""
    return [rule.code for rule, _ in _hits(record, text, None)]


def may_concern_host(record: Record) -> bool:
    """Say whether a line that belongs to no session may be a finding of the host."""
    return is_severe(record) or bool(explain(record, record.text))


def _by_message(records: Iterable[Record]) -> dict[str, list[Record]]:
    cleanup: dict[str, list[Record]] = {}
    for record in records:
        if record.daemon == "cleanup":
            cleanup.setdefault(message_of(record), []).append(record)
    return cleanup


def _of_session(
    transcript: Transcript, after: dict[int, Record], witnesses: Witnesses, cleanup: Mapping[str, list[Record]]
) -> list[Finding]:
    records = ChainMap({record.number: record for record in transcript.session.records}, after)
    texts = [turn.text for turn in transcript.turns]
    hits, strange = _read_turns(transcript, records, texts)
    hits = certify(hits, transcript, texts)
    found = find_auth(transcript, records)
    told = [finding.proof.text for _, finding in hits] + [finding.proof.text for finding in found]
    found += settle(witnesses.call(hits), transcript, explained=bool(found))
    found += find_unknown(strange, told, transcript, records)
    found = name_missing_login(found, transcript)
    return found + find_slow(transcript, cleanup, {finding.code for finding in found})


def _read_turns(
    transcript: Transcript, records: Mapping[int, Record], texts: list[str]
) -> tuple[list[Hit], list[Turn]]:
    """Return what the rules make of the turns, and the turns that look like trouble and fit none."""
    hits: list[Hit] = []
    strange: list[Turn] = []
    answered = False  # the log line that says why stands before the reply that it gives
    for turn in transcript.turns:
        answered = answered and turn.who != "C"
        if not _may_show_a_cause(turn, transcript) or (
            turn.who == "S" and answered and not turn.text.startswith("454")
        ):
            continue
        remote = turn.who == "S" and transcript.session.kind != "smtpd"
        text = f"said: {turn.text}" if remote else turn.text
        mine = _hits(records[turn.line], text, transcript.session.id, texts)
        hits += mine
        if not mine and not explain(records[turn.line], text):
            strange.append(turn)
        answered = answered or any(rule.family not in ("note", "session") for rule, _ in mine)
    return hits, strange


def _may_show_a_cause(turn: Turn, transcript: Transcript) -> bool:
    # The bulk of a transcript is what went well; looking for causes there would cost most of the time.
    if turn.who == "C":
        return turn.text.startswith("PROXY ")
    if turn.who == "S":
        # The status line repeats what a server said; without one only the dialogue tells it.
        told = transcript.session.kind != "smtpd" and transcript.deliveries
        return turn.text[:1] in ("4", "5") and not told
    if turn.topic == "connection":
        return not turn.text.startswith(("connect from ", "disconnect from "))
    if turn.topic == "tls":
        return " with cipher " not in turn.text
    if turn.topic == "delivery":
        return "status=sent" not in turn.text or _THROWN_AWAY.search(turn.text) is not None
    return turn.topic != "check" and not (turn.topic == "queue" and ": client=" in turn.text)


@cache
def _index(*, quoted: bool) -> RuleIndex:
    return RuleIndex(ABOUT_REPLIES if quoted else RULES)


def _hits(record: Record, text: str, session: int | None, texts: Sequence[str] = ()) -> list[Hit]:
    """Return what the rules make of a line: one cause, of the rules with the least weight the first; and notes.

    ``texts`` are the session's lines, which may contradict a rule.
    """
    if record.tag and not is_postfix(record.tag) and record.daemon not in OF_THE_HOST:
        return []  # opendkim, Dovecot, amavis use the same words of other things
    text, about = leave_out(text)
    if about == ():
        return []
    quoted = _QUOTES.search(text) is not None and record.daemon != "smtpd"
    quiet = "_warning: " in text[:60]  # warn_if_reject refuses nothing: no rule about refusals may see it
    best: Hit | None = None
    notes: list[Hit] = []
    for rule in _index(quoted=quoted).find(text):
        if about is not None and not is_about(rule.code, about):
            continue
        note = rule.family == "note"
        if (quiet and not note) or (best is not None and not note and rule.weight >= best[0].weight):
            continue
        finding = rule.apply(record, text, session)
        if finding is None or (rule.unless and is_said(rule.unless, texts)):
            continue
        if note:
            notes.append((rule, finding))
        else:
            best = (rule, finding)
    return [*notes, best] if best is not None else notes
