"""The page: well formed, whole by itself, and nothing from a log comes alive in it."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from pfremote.report import Report
from pfremote.report.html import MOST_LINES
from tests.support.rendering import render_report
from tests.support.runs import (
    HOSTILE,
    HostData,
    host_from_log,
    hosts_of_a_way,
    make_exposure,
    make_finding,
    make_hostile_host,
    make_report,
    make_session,
)

VOID = {"meta", "link", "img", "br", "hr", "input", "line"}


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element; an attribute twice in one element is an error."""
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an SVG element that closes itself."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        if tag not in VOID:
            assert self._open, tag
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep text, and apart from it what is in scripts and styles."""
        if self._open and self._open[-1] in self.raw:
            self.raw[self._open[-1]].append(data)
        else:
            self._text.append(data)

    @property
    def text(self) -> str:
        """Return what a reader sees."""
        return "".join(self._text)

    def ids(self) -> list[str]:
        """Return every id in order."""
        return [value for _, attrs in self.elements if (value := attrs.get("id"))]


def sample_report() -> Report:
    """Return a report with something in every part of it."""
    good = host_from_log("mx1.example.jp", "postfix-3.7-debug.log")
    good.findings = [
        make_finding(session=5, line=778),
        make_finding(session=6, line=900),
        make_finding(certainty="likely"),
    ]
    good.exposures = [make_exposure()]
    good.diff = "--- main.cf.before\n+++ main.cf.during\n@@ -1 +1,2 @@\n+debug_peer_level = 2\n"
    cut = HostData("mx2.example.jp", sessions=[make_session(("EHLO a", "250 b"), whole=False, cut="end")], withheld=1)
    cut.sessions[0]["turns"][1]["gap"] = 12.0
    return make_report(good, cut, make_hostile_host(HOSTILE[0]), *hosts_of_a_way())


@cache
def sample() -> str:
    """Return the page of that."""
    return render_report(sample_report(), "html")


def check_self_contained(page: Page) -> None:
    """Assert that nothing is loaded or sent, and that every link stays on the page."""
    ids = page.ids()
    assert len(set(ids)) == len(ids)
    for tag, attrs in page.elements:
        assert tag not in {
            "img",
            "iframe",
            "object",
            "embed",
            "link",
            "base",
            "form",
            "input",
            "image",
            "use",
            "foreignobject",
        }
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in {
                "src",
                "srcset",
                "style",
                "action",
                "xlink:href",
                "background",
                "data",
                "ping",
            }, (tag, name)
            if name == "href":
                assert value is not None
                assert value.startswith("#")
                assert value[1:] in ids
            if name in ("aria-labelledby", "aria-describedby"):
                assert value in ids
    for text in page.raw["script"] + page.raw["style"]:
        assert not re.search(r"https?:|url\(|@import|fetch|XMLHttp|import\(", text)


def test_the_page_is_whole_by_itself() -> None:
    text = sample()
    page = Page(text)
    check_self_contained(page)
    assert text.startswith('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">')


def test_only_our_script_and_style_may_run() -> None:
    page = Page(sample())
    (policy,) = [a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv")]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    for kind in ("script", "style"):
        (text,) = page.raw[kind]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_headings_and_landmarks() -> None:
    page = Page(sample())
    tags = [tag for tag, _ in page.elements]
    assert [tags.count(tag) for tag in ("h1", "main", "nav", "header", "footer")] == [1, 1, 1, 1, 1]
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for tag, attrs in page.elements:
        if tag == "svg":
            assert attrs.get("aria-hidden") == "true" or attrs.get("aria-label")


def test_everything_that_matters_is_on_the_page() -> None:
    shown = Page(sample()).text
    for text in (
        "Authentication failed: wrong password",
        "778",
        "Dovecot compared the password and said no.",
        "user@example.jp",
        "clear text is still in the host's own log",
        "12 s waiting for the server",
        "it goes on after the evidence ends",
        "1 line withheld",
        "+debug_peer_level = 2",
    ):
        assert text in shown, text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    shown = render_report(make_report(make_hostile_host(text)), "html")
    plain = render_report(make_report(make_hostile_host("x")), "html")
    shown.encode("utf-8")
    page, model = Page(shown), Page(plain)
    check_self_contained(page)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in model.elements]
    assert page.raw == model.raw
    assert not [char for char in shown if not char.isprintable() and char not in "\n\t"]


def test_a_huge_log_is_named_and_left_out() -> None:
    lines = tuple(f"line {number}" for number in range(MOST_LINES + 1))
    big = make_session(("a", "b"), lines=list(range(1, MOST_LINES + 2)))
    small = make_session(("a", "b"), id=2)
    page = Page(render_report(make_report(HostData("mx1", sessions=[big, small], evidence=lines)), "html"))
    assert f"The {MOST_LINES + 1} log lines of this session are left out" in page.text
    assert "line 1\n" in page.text
    assert "line 19000" not in page.text
