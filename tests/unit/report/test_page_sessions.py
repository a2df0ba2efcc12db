"""A page has so many sessions: which, and what is said of the others."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from pfremote.maillog.capture import read_capture
from pfremote.model.result import HostResult
from pfremote.report import Report, build_report, html, page_sessions
from pfremote.store.capture import EncodedSessions, encode_lazily
from pfremote.store.run import HostFolder, HostRecord, Run
from tests.support.rendering import render_report
from tests.support.runs import FIXTURES, STARTED, HostData, hosts_of_a_way, make_finding, make_report, make_session
from tests.unit.report.test_html import Page, check_self_contained, sample_report

TEXTS = ("EHLO a", "250 b")


def host(name: str, sessions: int, *findings: dict[str, Any]) -> HostData:
    made = [make_session(TEXTS, id=number, queue_ids=[f"ABCDEF{number:04d}"]) for number in range(1, sessions + 1)]
    return HostData(name, sessions=made, findings=list(findings), evidence=("one", "two"))


def look(report: Report) -> tuple[Page, list[str], str]:
    """Return the page, the anchors of its sessions, and its text in one line."""
    page = Page(render_report(report, "html"))
    check_self_contained(page)
    shown = [str(attrs["id"]) for tag, attrs in page.elements if str(attrs.get("class")).startswith("card session")]
    return page, shown, " ".join(page.text.split())


def test_of_few_sessions_all_are_on_the_page() -> None:
    _, shown, text = look(make_report(host("mx1", page_sessions.MOST_SESSIONS)))
    assert len(shown) == page_sessions.MOST_SESSIONS
    assert "left out" not in text


def test_of_many_there_are_so_many_those_with_a_finding_among_them_and_all_are_counted() -> None:
    most = page_sessions.MOST_SESSIONS
    findings = [make_finding(session=most + 5), make_finding(session=most + 7, title="Another")]
    page, shown, text = look(make_report(host("mx1", most + 10, *findings), host("mx2", 3)))
    assert shown == [f"h1-s{number}" for number in (*range(1, most - 1), most + 5, most + 7)]
    assert "13 more sessions are left out of the page, those without a finding first" in text
    assert f"{most + 13} sessions, 2 findings" in text
    assert f"{most} of {most + 10} sessions" in text
    assert "0 of 3 sessions" in text
    assert "only those on this page have one" in text
    bars = [tag for tag, attrs in page.elements if tag == "rect" and str(attrs.get("class")).startswith("bar")]
    assert len(bars) == most


def test_one_that_is_left_out_is_told_as_one() -> None:
    _, _, text = look(make_report(host("mx1", page_sessions.MOST_SESSIONS + 1)))
    assert "1 more session is left out of the page" in text


def test_a_card_names_a_session_that_is_left_out_without_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_sessions, "MOST_SESSIONS", 3)
    same = [make_finding(session=number, line=number % 2 + 1, count=number) for number in range(1, 8)]
    other = make_finding(session=9, code="Rare", title="Rare", certainty="unknown")
    rare = make_finding(session=10, code="Very rare", title="Very rare", certainty="unknown")
    late = make_finding(session=11, code="Too late", title="Too late", certainty="unknown")
    page, shown, text = look(make_report(host("mx1", 12, *same, other, rare, late)))
    # A card's own session comes before the others that show the same.
    assert shown == ["h1-s1", "h1-s9", "h1-s10"]
    links = [str(attrs["href"]) for tag, attrs in page.elements if tag == "a" and "-s" in str(attrs.get("href"))]
    assert sorted(set(links)) == sorted(f"#{anchor}" for anchor in shown)
    assert "host mx1 · session 11" in text
    assert "mx1 line 1, mx1 line 2" in text


def test_findings_that_are_left_out_are_counted_and_their_sessions_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_sessions, "MOST_SESSIONS", 3)
    monkeypatch.setattr(html, "MOST_CARDS", 2)
    findings = [make_finding(session=number, code=f"{number}", title=f"Title {number}") for number in (1, 2, 3, 5)]
    other = make_finding(session=6, code="2", title="Title 2", line=2)
    page, shown, text = look(make_report(host("mx1", 9, *findings, other)))
    assert "Title 2" in text and "Findings 4" in text
    assert "2 more findings are left out of the page; the other formats" in text
    assert [attrs.get("class") for tag, attrs in page.elements].count("card finding proven") == 2
    assert shown == ["h1-s1", "h1-s2", "h1-s3"]


def test_messages_lead_to_no_session_that_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = hosts_of_a_way()
    assert "to the session" in look(make_report(*hosts))[2]
    monkeypatch.setattr(page_sessions, "MOST_SESSIONS", 0)
    page, shown, text = look(make_report(*hosts))
    assert not shown
    assert "to the session" not in text
    assert any(str(attrs.get("class")) == "card story" for _, attrs in page.elements)


@pytest.mark.parametrize("most", [0, 1, 5])
def test_nothing_dangles_on_a_page_with_something_in_every_part(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(page_sessions, "MOST_SESSIONS", most)
    assert len(look(sample_report())[1]) == most


def test_of_sessions_that_are_left_out_none_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    path = FIXTURES / "postfix-3.7-debug.log"
    capture = read_capture(path.read_bytes(), now=STARTED, utc_offset=timedelta(), match=None)
    record = HostRecord(HostResult("mx", "read"), source="file:mail.log")
    run = Run("of logs", path, ("pfremote", "explain"), STARTED, hosts=(record,))
    folder = HostFolder(encode_lazily(capture), [capture.show_line(at) for at in range(len(capture.records))])
    made: list[int] = []
    make = EncodedSessions.make

    def count(sessions: EncodedSessions, place: int) -> dict[str, Any]:
        made.append(sessions.numbers[place])
        return make(sessions, place)

    monkeypatch.setattr(EncodedSessions, "make", count)
    monkeypatch.setattr(page_sessions, "MOST_SESSIONS", 4)
    page = render_report(build_report(run, [folder]), "html")
    shown = [int(number) for number in re.findall(r'<article class="card session [a-z]+" id="h1-s(\d+)"', page)]
    assert len(shown) == 4
    assert len(capture.sessions) > 10
    assert sorted(made) == sorted(shown * 2)  # once for the time line, once for the page
