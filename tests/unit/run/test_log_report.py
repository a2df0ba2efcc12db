"""The report of logs that are not held."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest

from pfremote.maillog.messages.message import Message
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.pieces.hops import PackedHops
from pfremote.report import html, write_report
from pfremote.run import log_report
from pfremote.run.log_files import Source
from pfremote.run.log_report import build_log_report, tell_stories
from pfremote.run.read_logs import Explained, explain_log, find_messages
from tests.support.rendering import render_report

FIXTURES = Path(__file__).parents[2] / "fixtures"
MOMENT = datetime(2026, 11, 29, tzinfo=UTC)
DEBUG = FIXTURES / "postfix-3.7-debug.log"


def explain(path: Path, *, twice: bool) -> Explained:
    return explain_log(Source(path.name, str(path)), Wanted(), lambda _done: None, twice=twice, piece=40)


@pytest.mark.parametrize("most", [2, 500])
def test_messages_are_joined_once_for_the_page_and_once_to_tell_them_all(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    joined = 0

    def count(logs: Sequence[Explained], wanted: Wanted, spool: IO[bytes] | None = None) -> Iterator[Message]:
        nonlocal joined
        joined += 1
        return find_messages(logs, wanted, spool)

    for module in (html, log_report):
        monkeypatch.setattr(module, "MOST_STORIES", most)
    log, whole = explain(DEBUG, twice=True), explain(DEBUG, twice=False)
    assert isinstance(log.hops, PackedHops)
    expected = list(tell_stories([whole], Wanted(), io.BytesIO()))
    assert len(expected) > 3
    monkeypatch.setattr(log_report, "find_messages", count)
    stories = tell_stories([log], Wanted(), io.BytesIO())
    report = replace(build_log_report([log], (), MOMENT, 0), stories=stories)
    page = "".join(write_report(report, "html"))
    assert page == render_report(replace(report, stories=tuple(expected)), "html")
    assert page.count('class="card story"') == min(most, len(expected))
    assert joined == 1
    assert list(stories) == expected
    assert joined == (1 if most > len(expected) else 2)
    assert len(stories) == len(expected)
    assert list(tell_stories([log], Wanted(), io.BytesIO())) == expected  # not counted before
