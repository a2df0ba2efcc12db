"""Batches, the limits of failure, and one result for a host of several plays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.errors import Reason
from pfremote.model.result import HostResult
from pfremote.playbook.batches import has_failed, judge_batch, merge_results, split_batches
from pfremote.playbook.scalars import BatchSize

BAD = Reason("unreachable", "no answer")
SIZES = st.lists(st.builds(BatchSize, st.integers(1, 100), percent=st.booleans()), max_size=4)


@given(st.integers(0, 200), SIZES)
def test_every_host_is_in_one_batch_in_its_order(number: int, sizes: list[BatchSize]) -> None:
    hosts = [f"mx{place}" for place in range(number)]
    batches = split_batches(hosts, sizes)
    assert [host for batch in batches for host in batch] == hosts
    assert all(batches)


@pytest.mark.parametrize(
    ("number", "sizes", "lengths"),
    [
        (5, [], [5]),
        (5, [BatchSize(2)], [2, 2, 1]),
        (10, [BatchSize(1), BatchSize(30, percent=True)], [1, 3, 3, 3]),
        (10, [BatchSize(1), BatchSize(4), BatchSize(100)], [1, 4, 5]),
        (3, [BatchSize(10, percent=True)], [1, 1, 1]),
        (7, [BatchSize(50, percent=True)], [3, 3, 1]),
        (2, [BatchSize(100, percent=True)], [2]),
        (0, [BatchSize(2)], []),
    ],
)
def test_batches_are_as_long_as_ansible_makes_them(number: int, sizes: list[BatchSize], lengths: list[int]) -> None:
    assert [len(batch) for batch in split_batches(range(number), sizes)] == lengths


def results(good: int, bad: int, skipped: int = 0) -> list[HostResult]:
    return [
        *(HostResult(f"g{number}", "clean", armed=True) for number in range(good)),
        *(HostResult(f"b{number}", error=BAD) for number in range(bad)),
        *(HostResult(f"s{number}", skipped="when: x") for number in range(skipped)),
    ]


@pytest.mark.parametrize(
    ("good", "bad", "limit", "stops"),
    [
        (2, 0, 0.0, False),
        (0, 2, None, True),
        (1, 1, None, False),
        (1, 1, 50.0, False),
        (1, 1, 49.0, True),
        (9, 1, 10.0, False),
        (9, 1, 0.0, True),
        (0, 3, 100.0, False),
    ],
)
def test_a_limit_must_be_exceeded(good: int, bad: int, limit: float | None, stops: bool) -> None:
    assert bool(judge_batch(results(good, bad), max_fail_percentage=limit)) is stops


def test_any_error_may_be_fatal_and_who_was_left_out_does_not_count() -> None:
    assert "any_errors_fatal" in judge_batch(results(9, 1), any_errors_fatal=True, max_fail_percentage=90)
    assert judge_batch(results(0, 0, skipped=3), any_errors_fatal=True) == ""
    assert judge_batch(results(0, 1, skipped=9)).startswith("1 of 1 hosts")


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        (HostResult("a", "clean", armed=True), False),
        (HostResult("a", skipped="when: x"), False),
        (HostResult("a", error=BAD), True),
        (HostResult("a", refusals=(BAD,)), True),
        (HostResult("a", "conflict", conflicts=("x",)), True),
        (HostResult("a", "unknown"), True),
    ],
)
def test_what_counts_as_failed(result: HostResult, failed: bool) -> None:
    assert has_failed(result) is failed


def test_the_worse_outcome_wins_and_what_was_seen_adds_up() -> None:
    good = HostResult("a", "clean", "l1", True, True, True, True, sessions=2, lines=10, out="/run/a")
    cut = HostResult("a", "clean", "l2", True, True, True, complete=False, sessions=1, lines=5, out="/run/a-2")
    lost = HostResult("a", "unknown", "l3", True, error=BAD)
    merged = merge_results([good, cut])
    assert (merged.lease, merged.complete, merged.sessions, merged.lines) == ("l2", False, 3, 15)
    assert merge_results([cut, good]).lease == "l2"
    assert (merge_results([lost, good, cut]).state, merge_results([good, lost]).out) == ("unknown", "/run/a")
    assert merge_results([good]) == good
    ours, theirs = (replace(good, state="conflict", conflicts=(text,)) for text in ("x", "y"))
    assert merge_results([ours, good, theirs, lost]).conflicts == ("x", "y")
    assert [merge_results(two).state for two in ([ours, good], [lost, ours])] == ["conflict", "unknown"]


def test_a_host_that_was_changed_is_not_called_untouched_for_a_later_refusal() -> None:
    good = HostResult("a", "clean", "l1", True, True, True, True, sessions=2)
    merged = merge_results([good, HostResult("a", refusals=(BAD,))])
    assert (merged.state, merged.armed, merged.refusals, merged.sessions) == ("clean", True, (BAD,), 2)
    assert merge_results([HostResult("a", skipped="when: x"), good]) == good
