"""The way of a message over several hosts, in every form of the report."""

from __future__ import annotations

import json
from dataclasses import replace

from pfremote.report import Report
from pfremote.report.html import MOST_STORIES
from pfremote.report.story_picture import draw_story
from tests.support.rendering import render_report
from tests.support.runs import hosts_of_a_way, make_report
from tests.unit.report.test_html import Page, check_self_contained

WAY = ["mx.example.jp", "filter.example.jp", "filter.example.jp", "mbox.example.jp"]


def way() -> Report:
    return make_report(*hosts_of_a_way())


def test_hops_of_hosts_whose_clocks_differ_stand_in_the_order_in_which_they_were() -> None:
    (story,) = way().stories
    assert [hop.host for hop in story.hops] == WAY
    assert [hop.queue_id for hop in story.hops] == ["4A1B2C3D4E", "5B2C3D4E5F", "7D4E5F6A7B", "6C3D4E5F6A"]
    assert (story.fate, story.grade) == ("bounced", "bad")


def test_text_and_markdown_tell_each_hop_with_its_tries_and_where_it_ended() -> None:
    for fmt in ("txt", "md"):
        text = " ".join(render_report(way(), fmt).split())
        places = [text.index(word) for word in ("4A1B2C3D4E", "Greylisted", "is the bounce of 5B2C3D4E5F", "Saved")]
        assert places == sorted(places)
        assert "TLS dane:verified, 5 min 10 s before the queue manager" in text
        assert "(last seen on mbox.example.jp, 6C3D4E5F6A)" in text


def test_the_page_has_a_row_for_each_hop_a_dot_for_each_try_and_the_ways_between() -> None:
    page = Page(render_report(way(), "html"))
    check_self_contained(page)
    kinds = [(tag, attrs.get("class")) for tag, attrs in page.elements]
    rows = [words for tag, words in kinds if tag == "rect" and str(words).startswith("hop ")]
    assert rows == ["hop good", "hop bad", "hop good", "hop good"]
    dots = [words for tag, words in kinds if tag == "circle"]
    assert dots == ["try good", "try good", "try late", "try bad", "try good", "try good", "try good"]
    ways = [words for tag, words in kinds if tag == "line" and str(words).startswith("step")]
    assert ways == ["step sent"] * 3 + ["step made"]
    assert "Greylisted" in page.text
    assert any(attrs.get("href") == "#messages" for _, attrs in page.elements)


def test_a_page_without_messages_has_no_such_part() -> None:
    host, *_ = hosts_of_a_way()
    host.hops = []
    assert 'id="messages"' not in render_report(make_report(host), "html")


def test_the_json_report_has_the_hops() -> None:
    (story,) = json.loads(render_report(way(), "json"))["stories"]
    assert [hop["host"] for hop in story["hops"]] == WAY
    assert story["hops"][1]["tries"][-1]["leads_to"] == 3
    assert story["hops"][2]["came_from"] == 1


def test_the_picture_is_in_the_time_of_one_clock() -> None:
    (story,) = way().stories
    picture = draw_story(story)
    assert picture is not None
    first, copy, bounce, last = picture.bars
    assert first.left == 0
    assert (first.left, copy.left, bounce.left) == tuple(sorted((first.left, copy.left, bounce.left)))
    assert copy.left < 1  # 1.1 s of 312.7: the filter's clock, 90 s ahead, is taken into account
    assert round(last.left + last.width) == 100
    assert [(step.row, step.to_row, step.kind) for step in picture.steps] == [
        (0, 1, "sent"),
        (0, 1, "sent"),
        (1, 3, "sent"),
        (1, 2, "made"),
    ]
    assert picture.labels == ("10:00:00.201", "5 min 12 s", "10:05:12.910")
    assert all(bar.left >= 0 and bar.left + bar.width <= 100.001 for bar in picture.bars)
    assert all(0 <= dot.at <= 100 for bar in picture.bars for dot in bar.dots)


def test_a_log_without_times_has_no_picture_and_all_the_words() -> None:
    report = way()
    (story,) = report.stories
    bare = [
        replace(hop, started=None, ended=None, tries=tuple(replace(item, time=None) for item in hop.tries))
        for hop in story.hops
    ]
    story = replace(story, hops=tuple(bare))
    assert draw_story(story) is None
    page = render_report(replace(report, stories=(story,)), "html")
    assert "way-svg" not in page.split("<body>")[1]
    assert "6C3D4E5F6A" in page


def test_more_messages_than_a_page_can_hold_are_counted() -> None:
    report = way()
    page = render_report(replace(report, stories=(*report.stories,) * (MOST_STORIES + 2)), "html")
    assert page.count('class="card story"') == MOST_STORIES
    assert "2 more messages are left out of the page" in page


def test_damaged_messages_of_one_host_cost_that_host_and_are_said() -> None:
    first, second, last = hosts_of_a_way()
    second.hops[0]["tries"] = "?"
    report = make_report(first, second, last)
    assert "damaged" in report.hosts[1].problem
    assert {hop.host for story in report.stories for hop in story.hops} == {"mx.example.jp", "mbox.example.jp"}


def test_a_run_of_before_there_were_messages_is_read() -> None:
    first, *_ = hosts_of_a_way()
    folder = first.folder()
    del folder.sessions["hops"]
    assert make_report(first).hosts[0].problem == ""
