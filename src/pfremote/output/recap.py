"""The last table: a line for each host, its state first, then what there is to say of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pfremote.model.result import GUARD_SLACK, HostResult
from pfremote.text.grouping import Fold, Folds, join_hosts
from pfremote.text.terminal import Piece, show_line
from pfremote.text.times import show_clock

_STYLES = {"clean": "green", "armed": "yellow", "conflict": "red", "unknown": "bold red", "untouched": "", "read": ""}


def render_recap(results: Sequence[HostResult], folds: Sequence[Fold] | None = None) -> list[list[Piece]]:
    """Return the lines of the recap: the hosts, then ``folds``, or why hosts failed, equal reasons together."""
    names = [show_line(row.host) for row in results]
    width = max(map(len, names), default=0)
    rows = [[(f"{name:<{width}}  ", "bold"), *_describe(row)] for name, row in zip(names, results, strict=True)]
    folds = fold_failures(results) if folds is None else folds
    return [*rows, *([[("", "")]] if folds else []), *render_folds(folds), *_render_left(results)]


def recap_text(result: HostResult) -> str:
    """Return one host's line in the recap, without its name."""
    return "".join(text for text, _ in _describe(result))


def count_parts(result: HostResult) -> dict[str, int]:
    """Return the counts of one host; ``captured`` is the number of sessions that were brought home.

    Of a host that was armed and reverted, what went as it should is not said: its state says that.
    """
    if not result.armed:
        return {}
    left = {} if result.reverted else {"armed": 1, "reverted": 0}
    if not result.reverted and result.error is None:  # armed, and to be collected later
        return {"armed": 1}
    drained = {} if result.drained else {"drained": 0}
    if not (result.out or result.sessions):  # ``revert`` brings nothing home
        return {**left, **drained}
    return {"captured": result.sessions, "lines": result.lines, **left, **drained, "complete": int(result.complete)}


def _describe(result: HostResult) -> list[Piece]:
    words = [f"{name}={number}" for name, number in count_parts(result).items()]
    if result.armed and not result.reverted and result.error is None:
        words.append(f"lease {result.lease}, guard {result.guard}")
    if result.skipped:
        words.append(f"skipped: {result.skipped}")
    if result.refusals:
        words.append("refused: " + ", ".join(dict.fromkeys(reason.code for reason in result.refusals)))
    if result.error:
        words.append(result.error.code)
    if result.conflicts:
        words.append("conflict: " + "; ".join(result.conflicts))
    style = "red" if result.error and result.state != "unknown" else _STYLES[result.state]
    state = f"{result.state_word:<9}  " if words else result.state_word
    return [(state, style), (" ".join(words), "")]


def fold_failures(results: Sequence[HostResult]) -> list[Fold]:
    """Return why hosts were not served, each reason once."""
    folds = Folds()
    for result in results:
        for reason in result.refusals:
            folds.add("refused", result.host, reason)
        if result.error:
            folds.add("error", result.host, result.error)
    return list(folds)


def render_folds(folds: Sequence[Fold]) -> list[list[Piece]]:
    """Return each message as lines that begin with the hosts that it is about."""
    styles = {"warning": "yellow", "hint": "cyan"}
    return [
        [(f"{join_hosts(fold.hosts)}: ", "bold"), (f"{word}: {text}", styles.get(word, "red"))]
        for fold in folds
        for word, text in fold.lines()
    ]


def _render_left(results: Sequence[HostResult]) -> list[list[Piece]]:
    """Say which hosts were not seen clean, and by when each ends by itself."""
    left = [row for row in results if row.state in ("armed", "unknown") and not row.reverted and row.error]
    named = [f"{row.host} until {_clock(row.deadline)}" for row in left if row.deadline is not None]
    if not named:
        return []
    return [[(f"left to their own guard: {', '.join(named)}", "bold red")]]


def _clock(moment: int) -> str:
    """Return when a guard with this deadline has acted, at the latest."""
    return f"{show_clock(datetime.fromtimestamp(moment + GUARD_SLACK, UTC))} UTC"
