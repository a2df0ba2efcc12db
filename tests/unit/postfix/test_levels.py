"""Bounds of the levels, and reading durations, sizes and percentages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.errors import UsageError
from pfremote.postfix.levels import read_level, read_tls_level, read_version, validate_levels
from pfremote.text.quantities import parse_duration, parse_percent, parse_size, render_duration


@pytest.mark.parametrize(
    ("level", "content", "codes"),
    [
        (1, False, []),
        (2, False, []),
        (3, False, ["level-content"]),
        (3, True, []),
        (4, True, ["level-high"]),
        (0, True, ["level-zero"]),
        (-1, False, ["level-zero"]),
    ],
)
def test_debug_peer_level_has_bounds(level: int, content: bool, codes: list[str]) -> None:
    assert [reason.code for reason in validate_levels(level, allow_content=content)] == codes


@pytest.mark.parametrize(
    ("value", "content", "codes"),
    [
        (0, False, []),
        (2, False, []),
        (3, False, ["tls-content"]),
        (4, False, ["tls-content"]),
        (4, True, []),
        (5, True, ["tls-level"]),
        (-1, True, ["tls-level"]),
    ],
)
@pytest.mark.parametrize("parameter", ["smtpd_tls", "smtp_tls", "lmtp_tls"])
def test_tls_levels_have_bounds(parameter: str, value: int, content: bool, codes: list[str]) -> None:
    reasons = validate_levels(1, allow_content=content, **{parameter: value})
    assert [reason.code for reason in reasons] == codes
    assert all(f"--{parameter.replace('_', '-')}" in reason.message for reason in reasons)


def test_each_level_out_of_bounds_has_its_own_reason() -> None:
    assert len(validate_levels(0, smtpd_tls=9, smtp_tls=3, lmtp_tls=-1)) == 4


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("0", 0),
        ("2", 2),
        ("7", 4),
        ("debug", 2),
        ("SSL-Expert", 3),
        ("summary, cache", 2),
        ("10", None),
        ("", None),
        ("$x", None),
        ("1 nonsense", None),
    ],
)
def test_tls_level_is_read_by_number_or_name(text: str, level: int | None) -> None:
    assert read_tls_level(text) == level


def test_level_that_is_a_reference_is_not_a_number() -> None:
    assert read_level("$x") is None
    assert read_level("3") == 3


@pytest.mark.parametrize(
    ("text", "version"),
    [("3.7.11", (3, 7)), ("3.12-20260821", (3, 12)), ("2.10.1", (2, 10)), ("", (0, 0)), ("x", (0, 0))],
)
def test_version_is_read(text: str, version: tuple[int, int]) -> None:
    assert read_version(text) == version


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 600), ("90s", 90), ("2m", 120), ("1h", 3600), ("1h30m", 5400), (" 5M ", 300), ("1", 60)],
)
def test_duration_is_minutes_unless_it_says_otherwise(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-1", "1.5", "10 minutes", "s", "1d", "1m1h", "\uff11\uff10", "1e3", "9" * 5000]
)
def test_bad_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert caught.value.hint


def test_duration_over_the_cap_is_refused_and_names_the_cap() -> None:
    assert parse_duration("2h", cap=7200) == 7200
    with pytest.raises(UsageError, match="2h") as caught:
        parse_duration("121", cap=7200)
    assert caught.value.hint == "Type at most 2h."


@given(st.integers(min_value=1, max_value=10**6))
def test_rendered_duration_reads_back(seconds: int) -> None:
    assert parse_duration(render_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("256M", 256 << 20), ("1g", 1 << 30), ("64KiB", 65536), ("512", 512), ("2T", 2 << 40)]
)
def test_size_is_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "M", "-1M", "1.5G", "10%", "1X"])
def test_bad_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_size(text)


@pytest.mark.parametrize(("text", "percent"), [("10%", 10), ("0", 0), (" 99 % ", 99)])
def test_percent(text: str, percent: int) -> None:
    assert parse_percent(text) == percent


@pytest.mark.parametrize("text", ["", "100%", "-1", "ten", "1.5%"])
def test_bad_percent_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_percent(text)
