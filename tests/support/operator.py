"""The operator at the controller of a lab: pfremote as a process, its events read as they come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import Lab


@dataclass
class Window:
    """A ``pfremote debug --json`` that runs in the lab's controller namespace."""

    process: subprocess.Popen[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    #: Everything that it printed, stdout and stderr, as it was printed.
    printed: str = ""

    def wait_for(self, kind: str) -> dict[str, Any]:
        """Read events until one of this kind comes."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed += line
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == kind:
                return self.events[-1]
        assert self.process.stderr is not None
        raise AssertionError(f"no {kind} among {self.events}: {self.process.stderr.read()}")

    def finish(self, *, timeout: float = 120) -> tuple[int, dict[str, Any]]:
        """Wait for the end; return the exit code and the recap's hosts."""
        out, err = self.process.communicate(timeout=timeout)
        self.printed += out + err
        self.events += [json.loads(line) for line in out.splitlines()]
        assert self.events and self.events[-1]["event"] == "recap", (self.events, err)
        assert self.process.returncode == self.events[-1]["exit_code"]
        return self.process.returncode, self.events[-1]["hosts"]


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

    def start(self, *words: str) -> Window:
        """Start ``pfremote debug WORDS --json``."""
        process = subprocess.Popen(
            self.words("debug", *words, "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
        )
        return Window(process)

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
