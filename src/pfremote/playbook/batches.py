"""Which hosts go together, and when a batch has failed so badly that the rest is left alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from pfremote.model.result import HostResult
from pfremote.playbook.scalars import BatchSize

T = TypeVar("T")


def split_batches(items: Sequence[T], sizes: Sequence[BatchSize]) -> list[Sequence[T]]:
    """Return the items in batches; the last size repeats, a percentage is of all items and at least one.

    >>> split_batches(["a", "b", "c", "d"], [BatchSize(1), BatchSize(50, percent=True)])
    [['a'], ['b', 'c'], ['d']]
    """
    if not sizes:
        return [items] if items else []
    batches: list[Sequence[T]] = []
    begin = 0
    while begin < len(items):
        size = sizes[min(len(batches), len(sizes) - 1)]
        number = max(1, len(items) * size.number // 100) if size.percent else size.number
        batches.append(items[begin : begin + number])
        begin += number
    return batches


def has_failed(result: HostResult) -> bool:
    """Tell whether a host counts as failed: not served, refused, not seen clean, or left with a conflict."""
    return bool(result.error or result.refusals or result.conflicts or result.state == "unknown")


def judge_batch(
    results: Sequence[HostResult], *, max_fail_percentage: float | None = None, any_errors_fatal: bool = False
) -> str:
    """Return why the rest must be left alone after this batch; empty where it may go on.

    Hosts that ``when`` left out do not count. Without limits a batch that failed as a whole stops the rest.
    """
    served = [result for result in results if not result.skipped]
    failed = [result.host for result in served if has_failed(result)]
    if not failed:
        return ""
    count = f"{len(failed)} of {len(served)} hosts of the batch before failed"
    if any_errors_fatal:
        return f"{count}, and any_errors_fatal is set"
    if max_fail_percentage is None:
        return count if len(failed) == len(served) else ""
    if 100 * len(failed) > max_fail_percentage * len(served):
        return f"{count}, more than {max_fail_percentage:g} %"
    return ""


def merge_results(results: Sequence[HostResult]) -> HostResult:
    """Return one result for a host that was in several plays: the worst, with what was seen in all of them.

    Of two that are as good the later one counts.
    """
    worst = max(enumerate(results), key=lambda item: (_severity(item[1]), item[0]))[1]
    touched = [result for result in results if result.state != "untouched"]
    if touched and worst.state == "untouched":
        # It was not served there, and changed elsewhere: "not changed by this run" would be untrue.
        worst = replace(touched[-1], error=worst.error, refusals=worst.refusals)
    return replace(
        worst,
        out=worst.out or next((result.out for result in reversed(results) if result.out), ""),
        sessions=sum(result.sessions for result in results),
        lines=sum(result.lines for result in results),
        conflicts=tuple(dict.fromkeys(text for result in results for text in result.conflicts)),
    )


def _severity(result: HostResult) -> int:
    if result.state == "unknown":
        return 8
    if result.conflicts:
        return 7
    if result.error:
        # Why it was not begun is some other failure, maybe its own in an earlier play.
        return 4 if result.error.code in ("not-begun", "interrupted") else 6
    if result.refusals:
        return 5
    if result.armed:
        return 2 if result.complete else 3
    return 0 if result.skipped else 1
