"""Run one of the system's programs for a private host and insist on its success."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pfremote.errors import PfremoteError
from pfremote.loopback.requirements import SEARCH_PATH, find_program


def run_program(*argv: str | Path, timeout: float = 30.0) -> str:
    """Run ``argv`` with the system's PATH and return what it printed on stdout.

    Raises:
        PfremoteError: it is not installed, took longer than ``timeout`` seconds, or failed (see the hint).
    """
    name = str(argv[0])
    program = find_program(name)
    if program is None:
        raise PfremoteError(f"{name} is not installed", hint=f"Install the package that has {name}.")
    try:
        done = subprocess.run(
            [program, *map(str, argv[1:])],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=make_environment(),
            cwd="/",
            check=True,
        )
    except subprocess.CalledProcessError as exc:
        words = (exc.stderr or exc.stdout or "it said nothing").strip()
        problem = f"{name} {argv[1]} failed with status {exc.returncode}"
        raise PfremoteError(problem, hint=words[-400:]) from exc
    except subprocess.TimeoutExpired as exc:
        raise PfremoteError(f"{name} {argv[1]} took longer than {timeout:g} s") from exc
    return done.stdout


def make_environment() -> dict[str, str]:
    """Return a small environment: no MAIL_CONFIG of the caller may reach the private host."""
    kept = {name: os.environ[name] for name in ("TZ",) if name in os.environ}
    return {**kept, "PATH": SEARCH_PATH, "LC_ALL": "C"}
