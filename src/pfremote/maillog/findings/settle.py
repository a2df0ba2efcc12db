"""Which of the rules that fit a session's lines are its findings: contradictions, and the more specific witness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from pfremote.maillog.findings.rule import FAILURE, Finding, Rule
from pfremote.maillog.transcripts.restrictions import describe
from pfremote.maillog.transcripts.turns import Transcript

Hit = tuple[Rule, Finding]
#: What is told once: a rule's code, and of a note and where a rule says ``each`` what it says.
_Said = tuple[str, str]
#: So far apart lines of the host and of a session may be about one thing.
NEAR = timedelta(seconds=5)
#: What differs between two recipients whom the same rule is about.
_ADDRESS = re.compile(r"<[^>]*>")

#: What is true of a server's certificate, and hindered nothing where the mail went out over that connection.
_HARMLESS_WHEN_SENT = (
    "tls.untrusted",
    "tls.name-mismatch",
    "tls.verification",
    "tls.dane-",
    "tls.certificate-expired",
    "tls.not-yet-valid",
    "tls.weak-key",
    "tls.sts-mismatch",
)


#: The server took the dialogue further than TLS: what it answers to an envelope came over that connection.
_AFTER_TLS = re.compile(r"\(in reply to (?:MAIL FROM|RCPT TO|DATA|end of DATA|BDAT|.*\(last\))")
_TLS_STOPPED = re.compile(r"Server certificate not|Cannot start TLS|TLSA|SSL_connect error")


def certify(hits: Iterable[Hit], transcript: Transcript, texts: Sequence[str]) -> list[Hit]:
    """Leave out what hindered nothing, and call likely what the session's lines do not bear out."""
    harmless = transcript.session.kind != "smtpd" and _was_let_pass(transcript, texts)
    return [
        (rule, with_decision(_back(rule, finding, texts), transcript))
        for rule, finding in hits
        if not (harmless and _is_verification(finding))
    ]


def certify_alone(hit: Hit) -> Hit:
    """Call likely what another line of a session would have to bear out: a line of the host has no session."""
    rule, finding = hit
    return rule, _back(rule, finding, ())


def _is_verification(finding: Finding) -> bool:
    """Say whether it is about what was verified after the handshake; what the library says ended the handshake."""
    return finding.code.startswith(_HARMLESS_WHEN_SENT) and "TLS library problem" not in finding.proof.text


def _back(rule: Rule, finding: Finding, texts: Sequence[str]) -> Finding:
    backed = not rule.backed_by or is_said(rule.backed_by, texts)
    return finding if backed else replace(finding, certainty="likely")


def _was_let_pass(transcript: Transcript, texts: Sequence[str]) -> bool:
    """Say whether the dialogue went on after TLS: all was sent, or the server refused something of the envelope."""
    if {delivery.status for delivery in transcript.deliveries} == {"sent"}:
        return True
    return any(map(_AFTER_TLS.search, texts)) and not any(map(_TLS_STOPPED.search, texts))


def is_said(pattern: str, texts: Iterable[str]) -> bool:
    """Say whether a line fits."""
    return any(re.search(pattern, text) for text in texts)


def with_decision(finding: Finding, transcript: Transcript) -> Finding:
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


def settle(hits: list[Hit], transcript: Transcript | None = None, *, explained: bool = False) -> list[Finding]:
    """Return the findings that stand: of each family the rules of the lowest weight, each code with its first line.

    ``explained``: the session has a finding from elsewhere. Where a session had more than one delivery, they may
    have failed for different causes, so there only what explains the same line silences another. Of the host it is
    what the same process said.
    """
    return list(_settle(hits, transcript, explained=explained).values())


def _settle(hits: list[Hit], transcript: Transcript | None = None, *, explained: bool = False) -> dict[_Said, Finding]:
    several = transcript is None or len(transcript.deliveries) > 1
    explained = explained or any(rule.weight < FAILURE and rule.family != "note" for rule, _ in hits)
    lines = {_part(finding) for rule, finding in hits if rule.weight < FAILURE}
    codes = {rule.code for rule, _ in hits if rule.weight < FAILURE}
    least: dict[tuple[str, int], int] = {}
    for rule, finding in hits:
        place = _place(rule, finding, several=several)
        least[place] = min(rule.weight, least.get(place, rule.weight))
    kept: dict[_Said, Finding] = {}
    for rule, finding in hits:
        alone = _part(finding) not in lines if several and rule.family == "delivery" else not explained
        if rule.weight > least[_place(rule, finding, several=several)] or (rule.weight == FAILURE and not alone):
            continue
        if any(code != rule.code and code.startswith(rule.yields) for code in codes if rule.yields):
            continue
        key = rule.code, _ADDRESS.sub("", finding.meaning) if rule.family == "note" or rule.each else ""
        known = kept.get(key)
        kept[key] = finding if known is None else replace(known, count=known.count + 1)
    return kept


def settle_host(hits: Iterable[Hit]) -> list[Finding]:
    """Do the same for lines of the host, where what is far apart in time says nothing of each other."""
    kept: dict[_Said, Finding] = {}
    for near in _group_near(sorted(hits, key=lambda hit: hit[1].proof.number)):
        for key, finding in _settle(near).items():
            known = kept.get(key)
            kept[key] = finding if known is None else replace(known, count=known.count + finding.count)
    return list(kept.values())


def _group_near(hits: Iterable[Hit]) -> Iterator[list[Hit]]:
    """Yield hits of which each comes within seconds of the one before it."""
    near: list[Hit] = []
    for hit in hits:
        before, time = (near[-1][1].proof.time if near else None), hit[1].proof.time
        if before is not None and time is not None and abs(time - before) > NEAR:
            yield near
            near = []
        near.append(hit)
    if near:
        yield near


def _place(rule: Rule, finding: Finding, *, several: bool) -> tuple[str, int]:
    return rule.family, _part(finding) if several and rule.family == "delivery" else 0


def _part(finding: Finding) -> int:
    """Return what another finding must have in common to be about the same delivery."""
    proof = finding.proof
    return proof.number if finding.session is not None or proof.pid is None else -proof.pid
