"""The index of the rules leaves no rule out that a line fits."""

from __future__ import annotations

import csv
import random
import re
from pathlib import Path

import pytest

from pfremote.maillog.findings import RULES
from pfremote.maillog.findings.index import RuleIndex, find_needed

TESTS = Path(__file__).parents[2]
INDEX = RuleIndex(RULES)


def texts() -> list[str]:
    """Return what Postfix logs when something is wrong, and every line that was recorded."""
    with (TESTS / "data" / "postfix-messages.tsv").open() as stream:
        table = [f"{row['kind']}: {row['text']}" for row in csv.DictReader(stream, delimiter="\t")]
    recorded = {
        line.partition("]: ")[2]
        for path in sorted((TESTS / "fixtures").glob("*-postfix-3.7.log"))
        for line in path.read_text(errors="surrogateescape").splitlines()
    }
    return [*table, *sorted(recorded)]


def fitting(text: str) -> list[str]:
    return [rule.code for rule in RULES if rule.regex.search(text)]


@pytest.mark.parametrize("change", [str, str.upper, str.swapcase, lambda text: f"\u017f{text}"])
def test_no_rule_is_left_out(change: object) -> None:
    assert callable(change)
    changed = [change(text) for text in random.Random(3).sample(texts(), 300)]  # noqa: S311 - a choice, not a key
    for text in changed:
        assert [rule.code for rule in INDEX.find(text) if rule.regex.search(text)] == fitting(text), text


def test_nearly_every_rule_is_found_by_its_words() -> None:
    assert sum(not find_needed(rule.regex) for rule in RULES) <= 5


def test_a_line_that_fits_no_rule_is_tried_on_few() -> None:
    line = "4A1B2C3D4E: to=<bob@example.jp>, relay=mx[192.0.2.1]:25, delay=1, status=sent (250 2.0.0 Ok)"
    assert len(list(INDEX.find(line))) < 30


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (r"warning: (?:one|two)\b", {"warning: one", "warning: two"}),
        (r"(?i:gr[ae]y-?list)", {"gray", "grey"}),
        (r"\d+ greylisted", {" greylisted"}),
        (r"(?:abc|\d)defg", {"defg"}),
        (r"(?:table)?x", set()),
        (r"(?:table )+x", {"table "}),
        (r"a(?!bcde)fghi", {"afghi"}),
        (r"one word|\d", set()),
    ],
)
def test_what_every_match_has(pattern: str, needed: set[str]) -> None:
    assert find_needed(re.compile(pattern)) == needed
