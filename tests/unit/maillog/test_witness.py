"""Which of the host's causes stand beside a session's signs: those of its family, within five seconds."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pfremote.maillog.findings import RULES, Finding
from pfremote.maillog.findings.rule import CAUSE, Rule
from pfremote.maillog.findings.witness import Witnesses
from pfremote.maillog.parse.record import Record

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
#: Every family, and of those that are told elsewhere every weight.
KINDS = list({(rule.family, rule.weight): rule for rule in RULES}.values())


def hit(rng: random.Random, number: int, session: int | None) -> tuple[Rule, Finding]:
    rule = rng.choice(KINDS)
    time = None if rng.random() < 0.1 else START + timedelta(seconds=rng.randrange(60))
    proof = Record(number, time, "mx", "postfix/x", "x", 1, "", f"text {number}")
    return rule, Finding(rule.code, "title", "proven", session, proof, "meaning", "next step")


def look_at_all(hits: list[tuple[Rule, Finding]], host: list[tuple[Rule, Finding]]) -> list[tuple[Rule, Finding]]:
    """Return what :meth:`Witnesses.call` returns, from one look at each of the host's causes for each sign."""
    called = list(hits)
    for rule, finding in hits:
        if rule.weight == CAUSE or rule.family not in ("table", "milter"):
            continue
        for other, cause in host:
            near = (
                cause.proof.time
                and finding.proof.time
                and abs(cause.proof.time - finding.proof.time) <= timedelta(seconds=5)
            )
            if near and other.family == rule.family and other.weight < rule.weight:
                called.append((other, replace(cause, session=finding.session, certainty="likely")))
    return called


def test_they_are_those_that_a_look_at_each_would_find() -> None:
    rng = random.Random(1)  # noqa: S311 - hits, not keys
    found = 0
    for _ in range(60):
        host = [hit(rng, number, None) for number in range(60)]
        hits = [hit(rng, number, 3) for number in range(100, 120)]
        called = Witnesses(host).call(hits)
        assert called == look_at_all(hits, host)
        found += len(called) - len(hits)
    assert found > 20
