"""Count how often a recorded failure is given its right cause: ``python -m tests.support.right_causes``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tests.support.foreign_lines import FOREIGN
from tests.support.recorder.expect import FIXTURES, recorded
from tests.unit.maillog.test_causes import ALERTS, EXAMPLES, find
from tests.unit.maillog.test_findings import CASES, CAUSES, OTHERWISE, found_in

Pairs = list[tuple[str, str]]


def judge(got: Sequence[tuple[str, str]], wanted: Pairs) -> str:
    """Return ``right``, ``unknown`` (nothing was claimed) or ``wrong``."""
    claimed = [pair for pair in got if pair[1] != "unknown"]
    if list(got) == wanted:
        return "unknown" if wanted and not claimed else "right"
    return "wrong" if set(claimed) - set(wanted) else "unknown"


def _recordings() -> Iterator[str]:
    for path in recorded():
        cause, version = path.stem.split("-postfix-")
        got = [(finding.code, finding.certainty) for finding in found_in(path.read_bytes())]
        yield judge(got, OTHERWISE.get((cause, version), CAUSES[cause]))


def _cases() -> Iterator[str]:
    for path in sorted((FIXTURES / "cases/log").glob("*.log")):
        got = [(finding.code, finding.certainty) for finding in found_in(path.read_bytes())]
        yield judge(got, CASES[path.stem])


def _lines(examples: Iterable[tuple[list[str], Pairs]]) -> Iterator[str]:
    for lines, wanted in examples:
        yield judge([(finding.code, finding.certainty) for finding in find(lines)], wanted)


def count() -> dict[str, Counter[str]]:
    """Return the judgements by where the failures come from."""
    return {
        "recorded on real Postfix 3.5, 3.7, 3.10, 3.11": Counter(_recordings()),
        "cases of what admins posted, names invented": Counter(_cases()),
        "lines from the sources of Postfix, Dovecot, Cyrus SASL, OpenSSL, rspamd, amavis and others": Counter(
            (*_lines(EXAMPLES), *("right" for _ in ALERTS))  # test_the_number_of_an_alert_says_it holds each of these
        ),
        "kinds that other machines' logs showed, names invented": Counter(_lines(FOREIGN)),
    }


def as_rows() -> list[str]:
    """Return the rows of the table "Right causes" in docs/benchmarks.md."""
    return [
        f"| {what} | {sum(found.values())} | {found['right']} | {found['unknown']} | {found['wrong']} |"
        for what, found in count().items()
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(as_rows()) + "\n")
