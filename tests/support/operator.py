"""The operator at the controller of a lab: pfremote as a process, its events read as they come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import Lab
from tests.support.running import Running


@dataclass(frozen=True)
class Operator:
    """Runs pfremote where the lab's machines can be reached, with a home and perhaps an ssh_config of its own."""

    lab: Lab
    home: Path
    ssh_config: Path | None = None

    def words(self, command: str, *words: str) -> list[str]:
        """Return the argument vector of one pfremote command."""
        return [
            *("ip", "netns", "exec", self.lab.controller_namespace),
            *(sys.executable, "-m", "pfremote", command, *words, "--ssh-config"),
            str(self.ssh_config or self.lab.ssh_config),
        ]

    def environment(self) -> dict[str, str]:
        folders = {f"XDG_{kind}_HOME": str(self.home / kind.lower()) for kind in ("STATE", "DATA")}
        return {**os.environ, "HOME": str(self.home), **folders}

    def start(self, *words: str) -> Running:
        """Start ``pfremote debug WORDS --json``."""
        return Running.start(self.words("debug", *words, "--json"), env=self.environment())

    def run(self, command: str, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        """Run one command with ``--json`` to its end; return exit code, events and what it said on stderr."""
        done = subprocess.run(
            self.words(command, *words, "--json"),
            capture_output=True,
            text=True,
            env=self.environment(),
            timeout=180,
            check=False,
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def report(self, folder: str, form: str) -> str:
        """Return a run's report in one form, as ``pfremote report`` prints it."""
        argv = [sys.executable, "-m", "pfremote", "report", folder, "--format", form]
        return subprocess.run(argv, capture_output=True, text=True, env=self.environment(), check=True).stdout
