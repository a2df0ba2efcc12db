"""Parse, redact and prove on the client, beside ``grep -c`` and Postfix's own collate.pl on the same file.

The file is what a host sends: recorded debug logs of every kind, over and over, each time with other processes,
queue ids, addresses and times, since a cache would make equal ones free. collate.pl groups lines by
session and does nothing else; name it with PFREMOTE_COLLATE (it lies in Postfix's sources under
auxiliary/collate).
"""

from __future__ import annotations

import gc
import os
import random
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.maillog import FIXTURES, vary
from bench.measure import Row, Side, interleave, parse_arguments, report, say
from pfremote.__main__ import COLLECT_AFTER
from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.proof.table import redact_table
from pfremote.maillog.record_table import RecordTable

TARGET = 15.0


def main() -> None:
    """Make the file and measure."""
    parser = parse_arguments((__doc__ or "").split("\n")[0], rounds=5)
    parser.add_argument("--size", type=int, default=8, help="MB of evidence (default: %(default)s)")
    arguments = parser.parse_args()
    say("client")
    gc.set_threshold(COLLECT_AFTER)  # as where the command runs
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "evidence.log"
        recorded = [fixture.read_text(errors="surrogateescape") for fixture in sorted(FIXTURES.glob("*.log"))]
        rng = random.Random(1)  # noqa: S311  a log, not a key
        with path.open("w", errors="surrogateescape") as stream:
            while stream.tell() < arguments.size * 1_000_000:
                stream.writelines(vary(text, rng, number * 300) for number, text in enumerate(recorded))
        report(_measure(path, arguments.rounds))


def _measure(path: Path, rounds: int) -> list[Row]:
    sides = [Side("pfremote", lambda: _read(path)), Side("grep -c", lambda: _grep(path))]
    if collate := _find_collate():
        sides.append(Side("collate.pl", lambda: _collate(collate, path)))
    medians = interleave(sides, rounds)
    size = path.stat().st_size / 1e6
    speeds = {name: size / seconds for name, seconds in medians.items()}
    what = f"parse, redact, prove {size:.0f} MB"
    peers = [
        Row("client", what, speeds["pfremote"], "MB/s", name, speed)
        for name, speed in speeds.items()
        if name != "pfremote"
    ]
    return [Row("client", what, speeds["pfremote"], "MB/s", target=TARGET, at_least=True), *peers]


def _read(path: Path) -> None:
    records = parse_evidence((path.read_bytes(),), now=datetime.now(UTC), utc_offset=timedelta())
    redact_table(RecordTable.read(records))


def _grep(path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C"}
    # a pipe: GNU grep looks no further than the first match where its output is /dev/null
    subprocess.run(["grep", "-c", "client.example.jp", path], stdout=subprocess.PIPE, env=environment, check=False)


def _collate(program: str, path: Path) -> None:
    with path.open("rb") as log:
        subprocess.run(["perl", program], stdin=log, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def _find_collate() -> str | None:
    program = os.environ.get("PFREMOTE_COLLATE")
    if program and Path(program).exists() and shutil.which("perl"):
        return program
    say("  collate.pl is not available (perl, and its path in PFREMOTE_COLLATE): left out")
    return None


if __name__ == "__main__":
    main()
