"""How long ``pfremote --version`` and ``--help`` take beside an empty Python program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.measure import Side, compare, interleave, parse_arguments, report, say

TARGET = 2.5
_AT_ONCE = 10


def main() -> None:
    """Measure; ten starts count as one measurement, since one takes some 15 ms."""
    rounds = parse_arguments(__doc__ or "", rounds=15).parse_args().rounds
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
        ]
    )


def _start(*argv: str) -> None:
    for _ in range(_AT_ONCE):
        subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
