"""What steers a terminal is shown, and no line is wider than it was asked to be."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.commands import render_help, render_short_help
from pfremote.text.terminal import fold, fold_help, measure, show_block, show_line
from tests.support.runs import HOSTILE

ANYTHING = st.text(st.characters(codec=None))


@given(ANYTHING)
def test_a_shown_line_is_printable_utf8(text: str) -> None:
    shown = show_line(text)
    assert shown.isprintable()
    shown.encode("utf-8")


@given(ANYTHING)
def test_showing_twice_changes_nothing_more(text: str) -> None:
    assert show_line(show_line(text)) == show_line(text)
    assert show_block(show_block(text)) == show_block(text)


@given(ANYTHING)
def test_a_block_keeps_its_lines(text: str) -> None:
    assert [show_line(line) for line in text.replace("\t", " ").split("\n")] == [
        line for line in show_block(text.replace("\t", " ")).split("\n")
    ]


def test_letters_of_all_scripts_stay() -> None:
    assert show_line("Grüße 東京 Ελλάς — “ok” 😀") == "Grüße 東京 Ελλάς — “ok” 😀"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("\udcff", "\\xff"),
        ("\ud800", "\\ud800"),
        ("\u202eabc", "\\u202eabc"),
        ("a\u2028b\u0085c", "a\\u2028b\\x85c"),
        ("a\u00a0b", "a b"),
        ("\U000e0041", "\\U000e0041"),
        ("a\tb\nc", "a\\x09b\\x0ac"),
    ],
)
def test_escapes(text: str, shown: str) -> None:
    assert show_line(text) == shown


@given(ANYTHING, st.integers(20, 100))
def test_folded_lines_fit(text: str, width: int) -> None:
    for line in fold(text, width, first="- ", rest="  ").split("\n"):
        assert measure(line) <= width


@given(st.text(st.characters(categories=["L", "N", "P"])))
def test_folding_loses_no_letter(text: str) -> None:
    assert "".join(fold(text, 20).split()) == "".join(show_block(text).split())


def test_columns_of_wide_and_combining_characters() -> None:
    assert measure("東京") == 4
    assert measure(unicodedata.normalize("NFD", "é")) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_samples_hold_nothing_live(text: str) -> None:
    assert not any(unicodedata.category(char)[0] == "C" for char in show_line(text))


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("text", [render_help(), render_short_help()])
def test_help_fits_the_terminal_and_its_examples_can_be_pasted(text: str, width: int) -> None:
    lines = fold_help(text, width)
    assert max(map(len, lines)) <= width
    joined = " ".join(" ".join(lines).replace("\\ ", "").split())
    assert joined == " ".join(text.split())
    assert fold_help(text, 0) == text.split("\n")
    for line, after in itertools.pairwise(lines):
        if line.startswith("  pfremote ") and not after.startswith("      ") and after.startswith("    "):
            assert line.endswith(" \\")
