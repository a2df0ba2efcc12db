"""How long ``pfremote --version`` and ``--help`` take beside an empty Python program, and what ``debug`` costs before contact.

The second is processor time: of ``debug --detach`` until a host that refuses connections is told of, beside a program
that imports Fabric and does nothing.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measure import Row, Side, compare, interleave, parse_arguments, report, say

TARGET = 2.5
#: Seconds of processor time that ``debug`` may take before the first contact.
TARGET_BEFORE_CONTACT = 0.2
_AT_ONCE = 10


def main() -> None:
    """Measure; ten starts count as one measurement, since one takes some 15 ms."""
    rounds = parse_arguments((__doc__ or "").split("\n")[0], rounds=15).parse_args().rounds
    say("startup")
    pfremote = str(Path(sys.executable).with_name("pfremote"))
    medians = interleave(
        [
            Side("python -c pass", lambda: _start(sys.executable, "-c", "pass")),
            Side("--version", lambda: _start(pfremote, "--version")),
            Side("--help", lambda: _start(pfremote, "--help")),
        ],
        rounds,
    )
    medians = {name: seconds / _AT_ONCE for name, seconds in medians.items()}
    report(
        [
            *compare("startup", "pfremote --version", medians, "--version", {"python -c pass": TARGET}),
            *compare("startup", "pfremote --help", medians, "--help", {"python -c pass": TARGET}),
            *_measure_before_contact(pfremote, rounds),
        ]
    )


def _measure_before_contact(pfremote: str, rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        refused = ("debug", "127.0.0.1:1", "--peer", "192.0.2.1", "--detach", "--no-inventory-check")
        commands = {
            "debug": ("env", f"HOME={folder}", f"XDG_STATE_HOME={folder}", pfremote, *refused),
            "fabric": (sys.executable, "-c", "import fabric"),
        }
        spent: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, argv in commands.items():
                spent[name].append(_spend(argv))
    what = "debug --detach, before contact: CPU"
    ours, theirs = (statistics.median(spent[name]) for name in ("debug", "fabric"))
    return [
        Row("startup", what, ours, "s", target=TARGET_BEFORE_CONTACT),
        Row("startup", what, ours, "s", "python -c 'import fabric'", theirs),
    ]


def _spend(argv: tuple[str, ...]) -> float:
    """Return the seconds of processor time that a program takes, whatever its exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _start(*argv: str) -> None:
    for _ in range(_AT_ONCE):
        subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
