"""Findings: the usual causes, each with the log line that proves it, its meaning and the next step."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable
from dataclasses import replace

from pfremote.maillog.checks import describe
from pfremote.maillog.findings import auth, delivery, limits, policy, process, tls
from pfremote.maillog.findings.auth import find_auth
from pfremote.maillog.findings.rule import Certainty, Finding, Rule
from pfremote.maillog.findings.slow import find_slow
from pfremote.maillog.record import Record
from pfremote.maillog.turns import Transcript, Turn

__all__ = ["RULES", "Certainty", "Finding", "Rule", "find"]

_Hit = tuple[Rule, Finding]

#: All rules, specific before general: within a family the first that fits a line is taken.
RULES: tuple[Rule, ...] = (
    *auth.RULES,
    *tls.RULES,
    *policy.RULES,
    *limits.RULES,
    *delivery.RULES,
    *process.RULES,
)


def find(
    transcripts: Iterable[Transcript], followed: Iterable[Record] = (), unplaced: Iterable[Record] = ()
) -> tuple[Finding, ...]:
    """Return the findings of all sessions and of the host, in log order of their proofs."""
    after = {record.number: record for record in followed}
    found: list[Finding] = []
    for transcript in transcripts:
        found += _of_session(transcript, after)
    found += _settle([hit for record in unplaced for hit in _hits(record, record.text, None)])
    return tuple(sorted(found, key=lambda finding: finding.proof.number))


def _of_session(transcript: Transcript, after: dict[int, Record]) -> list[Finding]:
    telling = [turn for turn in transcript.turns if _may_show_a_cause(turn)]
    if not telling and not transcript.sasl and transcript.slowest is None:
        return []
    records = ChainMap({record.number: record for record in transcript.session.records}, after)
    hits = [hit for turn in telling for hit in _hits(records[turn.line], turn.text, transcript.session.id)]
    found = find_auth(transcript, records)
    several = len(transcript.deliveries) > 1
    found += _settle(hits, explained=bool(found), several=several) + find_slow(transcript, records)
    return [_with_decision(finding, transcript) for finding in found]


def _with_decision(finding: Finding, transcript: Transcript) -> Finding:
    """Add the restriction that decided: smtpd logs the end of its trace right after the reject line."""
    if not finding.code.startswith("policy.") or "reject: " not in finding.proof.text:
        return finding
    for check in transcript.checks:
        if check.line > finding.proof.number:
            if check.decision != "reject":
                break
            meaning = f"{finding.meaning.removesuffix('.')}. Decided by: {describe(check)}."
            return replace(finding, meaning=meaning)
    return finding


def _may_show_a_cause(turn: Turn) -> bool:
    # The bulk of a transcript is what went well; looking for causes there would cost most of the time.
    if turn.who != "*":
        return turn.who == "S" and turn.text[:1] in ("4", "5")
    if turn.topic == "connection":
        return not turn.text.startswith(("connect from ", "disconnect from "))
    if turn.topic == "tls":
        return " with cipher " not in turn.text
    if turn.topic == "delivery":
        return "status=sent" not in turn.text
    return turn.topic != "check" and not (turn.topic == "queue" and ": client=" in turn.text)


def _hits(record: Record, text: str, session: int | None) -> list[_Hit]:
    hits: list[_Hit] = []
    families = set()
    for rule in RULES:
        if rule.family not in families and (finding := rule.apply(record, text, session)):
            hits.append((rule, finding))
            families.add(rule.family)
    return hits


def _settle(hits: list[_Hit], *, explained: bool = False, several: bool = False) -> list[Finding]:
    """Return one finding per code, its first proof; fallbacks only where nothing better is known.

    ``explained``: the session has a finding from elsewhere. ``several``: it had more than one delivery,
    which may have failed for different causes, so only what explains the same line silences a fallback.
    """
    explained = explained or any(not rule.fallback for rule, _ in hits)
    lines = {finding.proof.number for rule, finding in hits if not rule.fallback}
    kept: dict[str, Finding] = {}
    for rule, finding in hits:
        by_line = several and rule.family == "delivery"
        if rule.fallback and (finding.proof.number in lines if by_line else explained):
            continue
        known = kept.get(rule.code)
        kept[rule.code] = finding if known is None else replace(known, count=known.count + 1)
    return list(kept.values())
