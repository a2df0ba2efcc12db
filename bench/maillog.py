"""A large mail log: ordinary lines of other clients, made from recorded ones, around one recorded debug session."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

from bench.measure import say

FIXTURES = Path(__file__).resolve().parent.parent / "tests/fixtures"
#: What one matched client did: a refused login, and a message that was delivered; both debugged.
_MATCHED = ("sasl-bad-password-postfix-3.7.log", "delivered-inbound-postfix-3.7.log")
#: One ordinary message and one ordinary rejection, as Postfix logs them without debugging.
_DAEMON = re.compile(r"postfix/(?:submission/)?(\w+)\[(\d+)\]: ")
_VERBOSE = re.compile(r"\]: (?:[<>] |[a-z_]+: |[a-z]+ attr |connecting to )|: match_|watchdog")
_BLOCK_MESSAGES = 4000


def make_log(path: Path, size: int, *, seed: int = 1) -> Path:
    """Write a log of ``size`` bytes with the matched sessions in its middle, unless it is there already."""
    if path.exists() and abs(path.stat().st_size - size) < size // 100 + 200_000:
        return path
    say(f"  writing {size / 2**20:.0f} MiB of log")
    ordinary = list(_ordinary_messages())
    rng = random.Random(seed)  # noqa: S311  a log, not a key
    written, matched = 0, False
    with path.open("wb") as stream:
        while written < size:
            block = "".join(vary(rng.choice(ordinary), rng, written + n) for n in range(_BLOCK_MESSAGES)).encode()
            written += stream.write(block)
            if not matched and written >= size // 2:
                matched = True
                for name in _MATCHED:
                    written += stream.write((FIXTURES / name).read_bytes())
    return path


def _ordinary_messages() -> Iterator[str]:
    """Yield recorded sessions without their debug lines."""
    for path in sorted(FIXTURES.glob("*-postfix-3.7.log")):
        lines = path.read_text(errors="replace").splitlines()
        kept = [line for line in lines if _DAEMON.search(line) and not _VERBOSE.search(line)]
        if 3 <= len(kept) <= 40:
            yield "\n".join(kept) + "\n"


def vary(text: str, rng: random.Random, number: int) -> str:
    """Give recorded lines other processes, queue ids, addresses and times, none of which the matched ones have."""
    ids = {qid: f"{rng.randrange(16**8, 16**10):010X}" for qid in set(re.findall(r"\b[0-9A-F]{7,12}\b", text))}
    text = re.sub(r"\b[0-9A-F]{7,12}\b", lambda found: ids[found[0]], text)
    pids = {pid: str(rng.randrange(100_000, 4_000_000)) for pid in set(re.findall(r"\[(\d+)\]: ", text))}
    text = re.sub(r"\[(\d+)\]: ", lambda found: f"[{pids[found[1]]}]: ", text)
    address = f"198.51.{rng.randrange(256)}.{rng.randrange(256)}"
    text = re.sub(r"client\.example\.jp", f"host{rng.randrange(9999)}.example.net", text)
    text = re.sub(r"\[(?:127\.0\.0\.\d+|10\.\d+\.\d+\.\d+|192\.0\.2\.\d+)\]", f"[{address}]", text)
    second = number // 300 % 86400
    stamp = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return re.sub(r"(?m)^(\w{3} [ \d]\d) \d\d:\d\d:\d\d", rf"\1 {stamp}", text)
