"""The HTML report in a real Chromium: it fits, can be read and used, and nothing from a log comes alive in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from pfremote.report import page_sessions
from tests.support.hosts import skip_or_fail
from tests.support.rendering import render_report
from tests.unit.report.test_html import sample, sample_report

#: Loads the report into a frame of some width and writes what it measures there as JSON into its own body.
_PROBE = """<!doctype html><meta charset="utf-8"><body><iframe style="border:0;width:%(width)dpx;height:4000px"></iframe>
<script>
const frame = document.querySelector("iframe"), seen = { errors: [] };
frame.onload = function () {
  const page = frame.contentDocument, view = frame.contentWindow, root = page.documentElement;
  view.onerror = function (text) { seen.errors.push(text); };
  seen.title = page.title;
  seen.scripts = page.scripts.length;
  seen.wider = root.scrollWidth - root.clientWidth;
  seen.requests = view.performance.getEntriesByType("resource").map(function (entry) { return entry.name; });
  const channels = function (color) { return color.match(/[\\d.]+/g).map(Number); };
  const light = function (color) {
    const part = channels(color).slice(0, 3).map(function (value) {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : Math.pow((share + 0.055) / 1.055, 2.4);
    });
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const ground = function (element) {
    for (let part = element; part; part = part.parentElement) {
      const color = view.getComputedStyle(part).backgroundColor, alpha = channels(color)[3];
      if (alpha === undefined || alpha > 0) { return color; }
    }
    return "rgb(255, 255, 255)";
  };
  seen.ground = ground(page.body);
  seen.faint = [];
  page.querySelectorAll("body *:not(svg):not(svg *)").forEach(function (element) {
    const own = Array.from(element.childNodes).some(function (node) { return node.nodeType === 3 && node.data.trim(); });
    if (!own || !element.getClientRects().length) { return; }
    const ink = light(view.getComputedStyle(element).color), paper = light(ground(element));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) { seen.faint.push([element.className, Math.round(contrast * 10) / 10]); }
  });
  seen.written = [];
  page.querySelectorAll(".way-svg").forEach(function (picture) {
    const edge = root.clientWidth;
    picture.querySelectorAll("text").forEach(function (word) {
      const box = word.getBoundingClientRect(), ink = light(view.getComputedStyle(word).fill), paper = light(ground(picture));
      const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
      seen.written.push([word.textContent, box.left >= 0 && box.right <= edge, contrast >= 4.5]);
    });
    picture.querySelectorAll("rect, circle, line").forEach(function (shape) {
      const box = shape.getBoundingClientRect();
      if (box.left < 0 || box.right > edge) { seen.written.push([shape.outerHTML, false, true]); }
    });
  });
  const open = function () { return page.querySelectorAll("details.dialogue[open]").length; };
  seen.dialogues = page.querySelectorAll("details.dialogue").length;
  page.getElementById("unfold-all").click();
  seen.unfolded = open();
  page.getElementById("fold-all").click();
  seen.folded = open();
  document.body.textContent = "SEEN" + JSON.stringify(seen) + "SEEN";
};
frame.src = "report.html";
</script>"""


@cache
def _browser() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if not found:
        skip_or_fail("there is no chromium on PATH", variable="PFREMOTE_REQUIRE_BROWSER")
    return str(found)


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    home = folder / "home"
    home.mkdir()
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
    where = (f"--user-data-dir={home}", "--allow-file-access-from-files", "--virtual-time-budget=10000")
    return subprocess.run(
        [_browser(), *options, *where, *words],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
        env={**os.environ, "HOME": str(home)},
    )


def look(folder: Path, *words: str, width: int, page: str = "") -> dict[str, Any]:
    """Return what the probe saw of a report in a frame of ``width`` pixels."""
    (folder / "report.html").write_text(page or sample())
    (folder / "probe.html").write_text(_PROBE % {"width": width})
    done = _run(folder, *words, f"--window-size={width + 40},4100", "--dump-dom", (folder / "probe.html").as_uri())
    found = re.search("SEEN(.*)SEEN", done.stdout, re.S)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    seen: dict[str, Any] = json.loads(unescape(found[1]))
    return seen


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read_and_used(tmp_path: Path, width: int, scheme: str) -> None:
    seen = look(tmp_path, *(("--force-dark-mode",) if scheme == "dark" else ()), width=width)
    assert seen["ground"] == ("rgb(15, 20, 25)" if scheme == "dark" else "rgb(246, 247, 249)")
    assert seen["wider"] == 0
    assert seen["faint"] == []
    assert [text.split()[1] for text, _, _ in seen["written"][-4:]] == [
        "4A1B2C3D4E",
        "5B2C3D4E5F",
        "7D4E5F6A7B",
        "6C3D4E5F6A",
    ]
    assert [item for item in seen["written"] if item[1:] != [True, True]] == []
    assert (seen["unfolded"], seen["folded"]) == (seen["dialogues"], 0)


@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_that_leaves_sessions_out_fits_and_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(page_sessions, "MOST_SESSIONS", 5)
    page = render_report(sample_report(), "html")
    assert "left out of the page, those without a finding first" in page
    seen = look(tmp_path, width=width, page=page)
    assert (seen["wider"], seen["faint"], seen["errors"]) == (0, [], [])
    assert seen["unfolded"] == seen["dialogues"] == 5


def test_nothing_of_a_hostile_log_comes_alive_and_nothing_is_fetched(tmp_path: Path) -> None:
    seen = look(tmp_path, width=1000)
    assert seen["title"].startswith("pfremote run ")
    assert (seen["scripts"], seen["requests"], seen["errors"]) == (1, [], [])


def test_it_prints(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(sample())
    paper = tmp_path / "report.pdf"
    _run(tmp_path, f"--print-to-pdf={paper}", (tmp_path / "report.html").as_uri())
    pages = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))
    assert pages > 10  # all dialogues, unfolded
