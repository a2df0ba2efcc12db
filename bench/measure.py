"""Interleaved rounds, medians, and one table of both sides."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Side:
    """One way of doing the work: ``work`` is measured, ``reset`` puts things back outside the measured time."""

    name: str
    work: Callable[[], object]
    reset: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``ours`` and ``theirs`` have the same ``unit``; ``target`` bounds their ratio.

    Where ``peer`` is empty there is nothing to compare with, and ``target`` bounds ``ours`` itself.
    """

    part: str
    what: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    target: float | None = None
    at_least: bool = False

    @property
    def value(self) -> float:
        """What the target bounds."""
        return self.ours / self.theirs if self.theirs else self.ours

    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if (self.value >= self.target if self.at_least else self.value <= self.target) else "missed"


def parse_arguments(description: str, rounds: int) -> argparse.ArgumentParser:
    """Return the parser with the options that every part has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds, help="interleaved rounds (default: %(default)s)")
    return parser


def interleave(sides: Sequence[Side], rounds: int) -> dict[str, float]:
    """Run every side once a round, the order turning with the rounds; return medians in seconds.

    One more round before them warms caches and is not counted.
    """
    times: dict[str, list[float]] = {side.name: [] for side in sides}
    for number in range(rounds + 1):
        turn = number % len(sides)
        for side in (*sides[turn:], *sides[:turn]):
            began = time.perf_counter()
            side.work()
            took = time.perf_counter() - began
            side.reset()
            if number:
                times[side.name].append(took)
        say(f"  round {number}/{rounds}" + ("" if number else " (warming up, not counted)"))
    for name, values in times.items():
        spread = " ".join(f"{value:.3f}" for value in sorted(values))
        say(f"  {name}: median {statistics.median(values):.3f} s of {spread}")
    return {name: statistics.median(values) for name, values in times.items()}


def compare(part: str, what: str, medians: dict[str, float], ours: str, targets: dict[str, float | None]) -> list[Row]:
    """Return one row for each peer in ``targets`` that was measured."""
    return [
        Row(part, what, medians[ours], "s", peer, medians[peer], target)
        for peer, target in targets.items()
        if peer in medians
    ]


def run(argv: Sequence[str | Path], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and insist on success; what it said is in the error."""
    done = subprocess.run(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=600,
        **options,  # type: ignore[call-overload]
    )
    if done.returncode != 0:
        raise SystemExit(f"{argv[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:]}")
    return done


def say(text: str) -> None:
    """Print progress on stderr: stdout is the table's."""
    print(text, file=sys.stderr, flush=True)


def report(rows: Sequence[Row]) -> None:
    """Print the rows, and add them to the file of the whole run where there is one (``PFREMOTE_BENCH_ROWS``)."""
    if path := os.environ.get("PFREMOTE_BENCH_ROWS"):
        with Path(path).open("a") as stream:
            stream.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
    print(render(rows), flush=True)


def render(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    lines = [
        f"On {describe_machine()}:",
        "",
        "| part | what | pfremote | peer | peer's figure | ratio | target | |",
        "|---|---|---:|---|---:|---:|---:|---|",
    ]
    for row in rows:
        sign = "≥" if row.at_least else "≤"
        target = "" if row.target is None else f"{sign} {row.target:g}" + ("×" if row.theirs else f" {row.unit}")
        theirs = "" if row.theirs is None else f"{row.theirs:.3g} {row.unit}"
        ratio = f"{row.ours / row.theirs:.2f}×" if row.theirs else ""
        cells = (row.part, row.what, f"{row.ours:.3g} {row.unit}", row.peer, theirs, ratio, target, row.verdict())
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def describe_machine() -> str:
    """Return the machine without its name: cores, memory, kernel, Python, load."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )
