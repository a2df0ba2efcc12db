"""Run the outer machine's commands and insist on their success."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path


class LabError(Exception):
    """Making or using the lab failed; the text has the command and its last words."""


def run(argv: Sequence[str | Path], *, stdin: str = "", timeout: float = 60.0) -> str:
    """Run ``argv`` and return what it printed on stdout.

    Raises:
        LabError: it failed.
        subprocess.TimeoutExpired: it took longer than ``timeout`` seconds.
    """
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()[-800:]
        raise LabError(f"{' '.join(map(str, argv))}: status {done.returncode}: {words}")
    return done.stdout
