"""How fast a capture is parsed, redacted and proven, beside ``grep -c`` on the same file in the same run.

    python bench/redact.py [MEGABYTES]

The file is the recorded sample over and over, each time with other queue ids, process ids, pointers,
addresses and times, since a cache would otherwise make every repetition free.
"""

from __future__ import annotations

import gc
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.proof.prove import prove
from pfremote.maillog.proof.table import redact_table
from pfremote.maillog.record_table import RecordTable
from pfremote.maillog.redact import Redactor

_SAMPLE = Path(__file__).parent.parent / "tests" / "fixtures" / "postfix-3.7-debug.log"
_NOW = datetime(2026, 12, 1, tzinfo=UTC)
_VARYING = re.compile(rb"\b[0-9A-F]{11}\b|\[\d{4,5}\]|0x5[0-9a-f]{11}|127\.0\.0\.1|\d\d:\d\d:\d\d")
_T = TypeVar("_T")


def vary(sample: bytes, rng: random.Random) -> bytes:
    """Return the sample with everything that differs between real sessions made different."""
    names: dict[bytes, bytes] = {}

    def other(found: re.Match[bytes]) -> bytes:
        old = found[0]
        if old not in names:
            names[old] = _another(old, rng)
        return names[old]

    return _VARYING.sub(other, sample)


def _another(old: bytes, rng: random.Random) -> bytes:
    if old.startswith(b"["):
        return b"[%d]" % rng.randrange(1000, 99999)
    if old.startswith(b"0x"):
        return b"0x5%011x" % rng.randrange(16**11)
    if old.startswith(b"127."):
        return b"10.%d.%d.%d" % (rng.randrange(256), rng.randrange(256), rng.randrange(1, 255))
    if b":" in old:
        return b"%02d:%02d:%02d" % (rng.randrange(24), rng.randrange(60), rng.randrange(60))
    return b"%011X" % rng.randrange(16**11)


def timed(label: str, size: float, work: Callable[[], _T]) -> _T:
    """Run ``work`` once and print its rate."""
    gc.collect()
    start = time.perf_counter()
    result = work()
    took = time.perf_counter() - start
    print(f"{label:24} {took:7.2f} s  {size / took:8.1f} MB/s")
    return result


def main() -> None:
    """Measure and print."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    rng = random.Random(7)  # noqa: S311 - test data, not keys
    sample = _SAMPLE.read_bytes()
    data = b"".join(vary(sample, rng) for _ in range(max(1, int(megabytes * 1e6 / len(sample)))))
    size = len(data) / 1e6
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        timed("grep -c", size, lambda: subprocess.run(["grep", "-c", "AUTH", file.name], capture_output=True))
    records = timed("parse", size, lambda: list(parse_evidence(data, now=_NOW, utc_offset=timedelta(0))))
    redactor = Redactor()
    redacted = timed("redact", size, lambda: [redactor.redact(record) for record in records])
    proof = timed("prove", size, lambda: prove([r.head + r.text for r in redacted], redactor.secrets))
    exposures = len(redactor.exposures)
    records.clear()
    redacted.clear()

    def everything() -> int:
        records = parse_evidence(data, now=_NOW, utc_offset=timedelta(0))
        return len(redact_table(RecordTable.read(records)).records)

    count = timed("parse, redact and prove", size, everything)
    print(f"{size:.1f} MB, {count} lines, {len(proof.withheld)} withheld, {exposures} exposures")


if __name__ == "__main__":
    main()
