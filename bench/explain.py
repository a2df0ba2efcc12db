"""``pfremote explain`` beside what else reads a Postfix log, each on the same files in one run.

The others are grep, postfix-collate (groups lines by session), pflogsumm (counts) and lnav (loads). They redact nothing
and join nothing over hosts. Two files: a verbose log of which no two parts are equal, and an ordinary one, of which one
message is wanted. Peak memory is that of the whole process. Processor time says more than the clock where other things
run on the same computer.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from pathlib import Path

from bench.maillog import FIXTURES, vary
from bench.measure import Row, Side, interleave, parse_arguments, report, say

VERBOSE_TARGET, FILTER_TARGET, MEMORY_TARGET = 15.0, 100.0, 256.0
#: What Postfix logs without debugging.
_QUIET = re.compile(
    r"\]: (?:[0-9A-F]{8,12}: |(?:dis)?connect from |NOQUEUE: |(?:warning|fatal|error): |lost |timeout )"
)
_WANTED = "0123456789"
#: What most of an ordinary log is: mail that comes in and goes out. One recording in so many is any other.
_FINE = ("delivered-inbound", "outbound-sent", "lmtp-sent", "tls-ok-inbound")
_ONE_IN = 50
#: So many clients are served by a process of Postfix (max_use).
_CLIENTS = 100
_FIRST_DAY = date(2026, 10, 1)
_PID, _MESSAGE, _DAY = re.compile(r"\[(\d+)\]: "), re.compile(r"\b[0-9A-F]{9,12}\b"), re.compile(r"(?m)^\w{3} [ \d]\d ")
#: So many MB are made at most, no two parts of them equal.
_PART = 128


def main() -> None:
    """Make both files and measure."""
    parser = parse_arguments((__doc__ or "").split("\n")[0], rounds=3)
    parser.add_argument("--once", action="store_true", help="each side once, and none to warm up: for large files")
    parser.add_argument("--verbose", type=int, default=20, help="MB of verbose log (default: %(default)s)")
    parser.add_argument("--ordinary", type=int, default=100, help="MB of ordinary log (default: %(default)s)")
    arguments = parser.parse_args()
    rounds = 0 if arguments.once else arguments.rounds
    say("explain")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        verbose, ordinary = Path(name) / "verbose.log", Path(name) / "mail.log"
        recorded = [path.read_text(errors="replace") for path in sorted(FIXTURES.glob("*-postfix-3.*.log"))]
        _write_apart(verbose, recorded, arguments.verbose)
        fine = [path.read_text() for name in _FINE for path in sorted(FIXTURES.glob(f"{name}-postfix-3.*.log"))]
        _write_apart(
            ordinary, _mix([_keep_quiet(text) for text in fine], list(map(_keep_quiet, recorded))), arguments.ordinary
        )
        report(
            [
                *_measure("all of a verbose log", verbose, (), rounds, VERBOSE_TARGET),
                *_measure("one message of an ordinary log", ordinary, ("--queue-id", _WANTED), rounds, FILTER_TARGET),
            ]
        )


def _keep_quiet(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if _QUIET.search(line))


def _mix(fine: list[str], others: list[str]) -> list[str]:
    """Return recordings of which one in so many is any of the others."""
    return fine * (_ONE_IN * len(others) // len(fine)) + others


def _write_apart(path: Path, recorded: list[str], megabytes: int) -> None:
    """Write it in a process of its own: what this one has held would count as the peak of each child that it starts."""
    with ProcessPoolExecutor(max_workers=1) as pool:
        pool.submit(_write, path, recorded, megabytes).result()


def _write(path: Path, recorded: list[str], megabytes: int) -> None:
    """Write recordings over and over, each with other names; the message that is wanted stands in the middle.

    Beyond the first part, which is made in a minute, the file has that part again, on other days, with other messages
    and processes.
    """
    rng = random.Random(1)  # noqa: S311  a log, not a key
    wanted = (FIXTURES / "way" / "mx.log").read_text().replace("4A1B2C3D4E", _WANTED)
    parts = -(-megabytes // _PART)
    size, number = megabytes * 1_000_000 // parts, 0
    part: list[str] = []
    while size > 0:
        text = vary(rng.choice(recorded), rng, number := number + 300)
        part.append(_serve(text, number // 300 // _CLIENTS))
        size -= len(part[-1])
    halves = "".join(part[: len(part) // 2]), "".join(part[len(part) // 2 :])
    with path.open("w", errors="surrogateescape") as stream:
        for place in range(parts):
            stream.write(_change(halves[0], place))
            stream.write(wanted if place == parts // 2 else "")
            stream.write(_change(halves[1], place))


def _serve(text: str, group: int) -> str:
    """Give a recording the processes of its group: each of them serves many clients before it ends."""
    pids = {pid: 100_000 + 20 * group + at for at, pid in enumerate(dict.fromkeys(_PID.findall(text)))}
    return _PID.sub(lambda found: f"[{pids[found[1]]}]: ", text)


def _change(text: str, place: int) -> str:
    """Give a part of the file messages, processes and a day that no other part has."""
    key, day = random.Random(place).randrange(16**8), _FIRST_DAY + timedelta(days=place)  # noqa: S311  names of a log
    text = _MESSAGE.sub(lambda found: f"{int(found[0], 16) ^ key:0{len(found[0])}X}", text)
    text = _PID.sub(lambda found: f"[{int(found[1]) + 101 * place}]: ", text)
    return _DAY.sub(f"{day:%b} {day.day:2d} ", text)


def _measure(what: str, path: Path, words: tuple[str, ...], rounds: int, target: float) -> list[Row]:
    program = [sys.executable, "-m", "pfremote", "explain", str(path), *words]
    peers = {
        "grep -c": ["grep", "-c", _WANTED if words else "client.example.jp", str(path)],
        "postfix-collate": ["postfix-collate", str(path)],
        "pflogsumm": ["pflogsumm", str(path)],
        "lnav -n": ["lnav", "-n", "-c", ":filter-in " + _WANTED, str(path)] if words else ["lnav", "-n", str(path)],
    }
    there = {name: argv for name, argv in peers.items() if shutil.which(argv[0])}
    for name in peers.keys() - there.keys():
        say(f"  {name} is not here: left out")
    peaks: dict[str, float] = {}
    used: dict[str, list[float]] = {"pfremote": [], **{name: [] for name in there}}
    sides = [
        Side(name, lambda name=name, argv=argv: _run(name, argv, peaks, used))
        for name, argv in (("pfremote", program), *there.items())
    ]
    medians = interleave(sides, rounds) if rounds else {side.name: _time(side) for side in sides}
    size = path.stat().st_size / 1e6
    speeds = {name: size / seconds for name, seconds in medians.items()}
    what = f"{what}, {size:.0f} MB"
    rows = [Row("explain", what, speeds["pfremote"], "MB/s", target=target, at_least=True)]
    rows += [Row("explain", what, speeds["pfremote"], "MB/s", name, speeds[name]) for name in there]
    memory = f"peak memory, {what}"
    rows.append(Row("explain", memory, peaks["pfremote"], "MB", target=MEMORY_TARGET))
    rows += [Row("explain", memory, peaks["pfremote"], "MB", name, peaks[name]) for name in there]
    cpu = {name: statistics.median(values) for name, values in used.items()}
    return [
        *rows,
        *(Row("explain", f"processor time, {what}", cpu["pfremote"], "s", name, cpu[name]) for name in there),
    ]


def _time(side: Side) -> float:
    """Run a side once; return its seconds."""
    began = time.perf_counter()
    side.work()
    took = time.perf_counter() - began
    say(f"  {side.name}: {took:.1f} s")
    return took


def _run(name: str, argv: list[str], peaks: dict[str, float], used: dict[str, list[float]]) -> None:
    """Run one program to its end, and note its largest resident size in MB and its processor time in seconds."""
    environment = {**os.environ, "LC_ALL": "C", "TERM": "dumb"}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as child:
        assert child.stdout is not None
        while child.stdout.read(2**20):
            pass
        _, _status, spent = os.wait4(child.pid, 0)
        child.returncode = 0
    peaks[name] = max(peaks.get(name, 0.0), spent.ru_maxrss / 1000)
    used[name].append(spent.ru_utime + spent.ru_stime)


if __name__ == "__main__":
    main()
