"""What `make coverage` prints: lines and branches of each room that were run, and an error where it is too little.

``python -m tests.support.coverage_by_room LEAST`` reads the .coverage of the run before.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import coverage


def measure() -> dict[str, Counter[str]]:
    """Return the counts of each room (a folder below src/pfremote)."""
    data = coverage.Coverage()
    data.load()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        data.json_report(outfile=report.name)
        files = json.loads(Path(report.name).read_text())["files"]
    rooms: dict[str, Counter[str]] = {}
    for name, entry in files.items():
        rooms.setdefault(Path(name).parent.name, Counter()).update(entry["summary"])
    return rooms


def percent(done: float, of: float) -> float:
    """Return a percentage; of nothing all is done."""
    return 100.0 * done / of if of else 100.0


def main(least: float) -> int:
    """Print the table and return the exit code."""
    failed = 0
    for room, counts in sorted(measure().items()):
        lines = percent(counts["covered_lines"], counts["num_statements"])
        branches = percent(counts["covered_branches"], counts["num_branches"])
        failed |= min(lines, branches) < least
        sys.stdout.write(f"{room:<8} lines {lines:5.1f} %  branches {branches:5.1f} %  (at least {least:g} %)\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
