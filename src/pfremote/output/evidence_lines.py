"""What a host's log came to, in lines: one for each finding, one for each session, and how many more. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pfremote.model.cause import rank_certainty
from pfremote.text.quantities import plural

#: So many findings and so many sessions of a host are told one by one.
MOST = 8
#: So many names of a kind stand in one line.
MOST_NAMES = 3
#: What a server answers may be long: the transcript has all of it.
LONGEST_ANSWER = 160

STYLES = {"proven": "red", "likely": "yellow"}

Details = Mapping[str, Any]


@dataclass(slots=True)
class HostEvidence:
    """The sessions and findings of one host so far, until they are told."""

    sessions: list[Details] = field(default_factory=list)
    findings: list[Details] = field(default_factory=list)


def render_findings(findings: Sequence[Details], out: str) -> Iterator[tuple[str, str]]:
    """Yield a line and its style for each finding; equal ones of several sessions share one. ``out`` has the rest."""
    alike: dict[tuple[str, str, str], list[Details]] = {}
    for item in findings:
        alike.setdefault((item["certainty"], item["code"], item["title"]), []).append(item)
    groups = sorted(alike.values(), key=lambda group: rank_certainty(group[0]["certainty"]))
    for group in groups[:MOST]:
        yield _describe_finding(group), STYLES.get(group[0]["certainty"], "")
    if len(groups) > MOST:
        yield f"and {plural(len(groups) - MOST, 'more finding')}: {out}", ""


def _describe_finding(group: Sequence[Details]) -> str:
    first = group[0]
    parts = [
        f"[{first['certainty']}] {first['code']}: {first['title']}",
        _name_parties(group),
        _quote_answers(group),
        _number_sessions(group),
    ]
    return "; ".join(filter(None, parts))


def _name_parties(group: Sequence[Details]) -> str:
    """Return whom it is about: accounts, senders, recipients."""
    kinds = (("account", "account"), ("from", "sender"), ("to", "recipient"))
    return ", ".join(f"{word} {names}" for word, name in kinds if (names := join_names(item[name] for item in group)))


def join_names(names: Iterable[str | None]) -> str:
    """Return names with commas between, each once, the first few and how many more there are.

    >>> join_names(["a", None, "b", "a", "c", "d"])
    'a, b, c and 1 more'
    """
    known = list(dict.fromkeys(filter(None, names)))
    more = f" and {len(known) - MOST_NAMES} more" if len(known) > MOST_NAMES else ""
    return ", ".join(known[:MOST_NAMES]) + more


def _quote_answers(group: Sequence[Details]) -> str:
    answers = list(dict.fromkeys(filter(None, (item["answer"] for item in group))))
    if not answers:
        return ""
    first = answers[0] if len(answers[0]) <= LONGEST_ANSWER else f"{answers[0][:LONGEST_ANSWER]}…"
    return f"answered: {first}" + (f" (and {plural(len(answers) - 1, 'other answer')})" if len(answers) > 1 else "")


def _number_sessions(group: Sequence[Details]) -> str:
    numbers = sorted({item["session"] for item in group if item["session"]})
    if len(numbers) < 2:
        return "".join(f"session {number}" for number in numbers)
    return f"sessions {join_names(map(str, numbers))}"


def render_sessions(sessions: Sequence[Details], out: str) -> Iterator[str]:
    """Yield a line for each session, the first ones by themselves, then how many more there are; ``out`` has them."""
    for item in sessions[:MOST]:
        yield _describe_session(item)
    if more := Counter(item["outcome"] for item in sessions[MOST:]):
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in more.most_common())
        yield f"and {plural(more.total(), 'more session')} ({outcomes}): {out}/transcripts"


def _describe_session(item: Details) -> str:
    parts = [
        f"from {item['sender']}" if item["sender"] else "",
        # Where the summary says what became of a recipient, it names it.
        f"to {names}" if (names := join_names(to for to in item["recipients"] if to not in item["summary"])) else "",
        item["summary"],
    ]
    facts = ", ".join(filter(None, parts))
    return f"session {item['number']}: {item['kind']} {item['peer']}, {item['outcome']}; {facts}"
