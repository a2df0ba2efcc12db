"""The evidence of one client out of a large log, on the host: the agent's filter beside ``grep -c``.

The filter runs as the agent runs it, under sh, its output packed. Peak memory is the largest of all its
processes' resident sizes added up, looked at every 20 ms.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from importlib import resources
from pathlib import Path

from bench.maillog import make_log
from bench.measure import Row, Side, compare, interleave, parse_arguments, report, say

TARGET, MEMORY_TARGET = 3.0, 64.0
_PEERS = {"grep -c client.example.jp": "client.example.jp", "grep -c '10\\.0\\.1\\.20'": r"10\.0\.1\.20"}
_CALL = """
set -u
LC_ALL=C
export LC_ALL
TMP=$(mktemp -d)
evidence_filter "file $(inode_of "$1") 0 $(log_sum "$1" 0) $1" | evidence_pack >"$2"
rm -rf -- "$TMP"
"""


def main() -> None:
    """Make the log, measure, and look at the memory of one more run."""
    parser = parse_arguments((__doc__ or "").split("\n")[0], rounds=5)
    parser.add_argument("--size", type=int, default=1024, help="MiB of log (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="where the log may lie")  # noqa: S108
    arguments = parser.parse_args()
    say("evidence")
    log = make_log(arguments.folder / f"pfremote-bench-{arguments.size}.log", arguments.size * 2**20)
    try:
        report(_measure(log, arguments.rounds))
    finally:
        log.unlink()


def _measure(log: Path, rounds: int) -> list[Row]:
    what = f"out of {log.stat().st_size / 2**20:.0f} MiB"
    sides = [Side("evidence_filter", lambda: _filter(log).wait())]
    sides += [Side(name, lambda text=text: _grep(log, text)) for name, text in _PEERS.items()]
    medians = interleave(sides, rounds)
    rows = compare("evidence", what, medians, "evidence_filter", dict.fromkeys(_PEERS, TARGET))
    return [*rows, Row("evidence", "peak memory", _peak(_filter(log)), "MB", target=MEMORY_TARGET)]


def _filter(log: Path) -> subprocess.Popen[bytes]:
    folder = resources.files("pfremote.agent") / "script"
    parts = sorted(part.name for part in folder.iterdir() if part.name.endswith(".sh"))
    script = "".join((folder / name).read_text() for name in parts if name < "60") + _CALL
    return subprocess.Popen(
        ["sh", "-c", script, "sh", str(log), "/dev/null"], stdin=subprocess.DEVNULL, start_new_session=True
    )


def _grep(log: Path, text: str) -> None:
    environment = {**os.environ, "LC_ALL": "C"}
    # a pipe: GNU grep looks no further than the first match where its output is /dev/null
    subprocess.run(["grep", "-c", text, log], stdout=subprocess.PIPE, env=environment, check=False)


def _peak(process: subprocess.Popen[bytes]) -> float:
    """Return the largest sum of resident megabytes of a process and all in its session, until it ends."""
    peak = 0
    ended = threading.Event()
    threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
    while not ended.is_set():
        peak = max(peak, sum(_resident(entry, process.pid) for entry in Path("/proc").glob("[0-9]*")))
        time.sleep(0.02)
    return peak / 1e6


def _resident(entry: Path, session: int) -> int:
    try:
        fields = (entry / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0
    # proc_pid_stat(5): fields 6 and 24, counted from the third one on
    return int(fields[21]) * os.sysconf("SC_PAGE_SIZE") if int(fields[3]) == session else 0


if __name__ == "__main__":
    main()
