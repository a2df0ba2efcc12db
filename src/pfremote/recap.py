"""The last table: a line for each host, its state first, then counts as Ansible has them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pfremote.folding import Fold, Folds, join_hosts
from pfremote.inert import show_line
from pfremote.results import GUARD_SLACK, HostResult

#: A piece of a line and its style.
Piece = tuple[str, str]

#: Errors by which a host was not reached at all, as Ansible counts them.
UNREACHED = frozenset({"unreachable", "host-key", "auth"})

_STYLES = {"clean": "green", "armed": "yellow", "unknown": "bold red", "untouched": ""}


def render_recap(results: Sequence[HostResult]) -> list[list[Piece]]:
    """Return the lines of the recap, the errors after the hosts, equal ones together."""
    names = [show_line(row.host) for row in results]
    width = max(map(len, names), default=0)
    rows = [[(f"{name:<{width}}  ", "bold"), *_describe(row)] for name, row in zip(names, results, strict=True)]
    folds = fold_failures(results)
    return [*rows, *([[("", "")]] if folds else []), *render_folds(folds), *_render_left(results)]


def recap_text(result: HostResult) -> str:
    """Return one host's line in the recap, without its name."""
    return "".join(text for text, _ in _describe(result))


def count_parts(result: HostResult) -> dict[str, int]:
    """Return the counts of one host; ``captured`` is the number of sessions that were brought home."""
    unreached = result.error is not None and result.error.code in UNREACHED and result.state == "untouched"
    return {
        "armed": int(result.armed),
        "captured": result.sessions,
        "reverted": int(result.reverted),
        "drained": int(result.drained),
        "complete": int(result.complete),
        "unreachable": int(unreached),
        "failed": int(result.error is not None and not unreached),
    }


def _describe(result: HostResult) -> list[Piece]:
    counts = " ".join(f"{name}={number}" for name, number in count_parts(result).items())
    words = [counts]
    if result.armed and not result.reverted and result.error is None:
        words.append(f"lease {result.lease}, guard {result.guard}")
    elif result.armed:
        words.append(f"lines={result.lines}")
    if result.skipped:
        words.append(f"skipped: {result.skipped}")
    if result.refusals:
        words.append("refused: " + "; ".join(dict.fromkeys(reason.code for reason in result.refusals)))
    if result.error:
        words.append(result.error.code)
    if result.conflicts:
        words.append("conflict: " + "; ".join(result.conflicts))
    style = "red" if result.error and result.state != "unknown" else _STYLES[result.state]
    return [(f"{result.state:<9} ", style), (" ".join(words), "")]


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
    """Say which hosts nobody saw clean, and by when each ends by itself."""
    left = [row for row in results if row.state in ("armed", "unknown") and not row.reverted and row.error]
    named = [f"{row.host} until {_clock(row.deadline)}" for row in left if row.deadline is not None]
    if not named:
        return []
    return [[(f"left to their own guard: {', '.join(named)}", "bold red")]]


def _clock(moment: int) -> str:
    """Return when a guard with this deadline has acted, at the latest."""
    return datetime.fromtimestamp(moment + GUARD_SLACK, UTC).strftime("%H:%M:%SZ")
