"""pfremote's side on a lab's machines, as a program and as a library."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.lab import Lab

from bench.measure import run

ASK = {"peer": ["10.0.1.20"], "level": 2, "smtpd_tls": 1}
#: Wait for what a guard does after a revert: evidence, its own end.
_SETTLE = "for i in 1 2 3 4 5 6 7 8 9 10; do systemctl --quiet is-active pfremote-etc-postfix.service || break; sleep 0.2; done"


class Ours:
    """``pfremote`` with a home of its own, on ``names``. Call it in the lab's controller namespace."""

    def __init__(self, lab: Lab, names: Sequence[str], folder: Path, ssh_config: Path) -> None:
        self._lab = lab
        self.names = list(names)
        self._home = folder / "home"
        self._home.mkdir()
        self._ssh_config = ssh_config
        self._environment = {**os.environ, "HOME": str(self._home), "XDG_STATE_HOME": str(self._home / "state")}

    def run(self, command: str, *words: str) -> str:
        """Run one command of the program on all machines, ten at a time; return its stdout."""
        program = Path(sys.executable).with_name("pfremote")
        argv = [program, command, *self.names, "-f", "10", "--ssh-config", self._ssh_config, *words]
        return run(argv, env=self._environment).stdout

    def arm(self) -> None:
        """Arm for five minutes and come back."""
        self.run("debug", "--peer", "10.0.1.20", "--level", "2", "--smtpd-tls", "1", "--minutes", "5", "--detach")

    def put_back(self) -> None:
        """Revert on every machine, directly and not over the network, and forget."""
        from pfremote.agent import load_agent

        script = load_agent().decode()
        for name in self.names:
            machine = self._lab.machines[name]
            machine.run(["sh", "-s", "--", "revert", "lease=all", "why=request", "drain=0"], stdin=script)
            machine.run(["sh", "-c", f"{_SETTLE}; rm -rf /var/lib/pfremote/etc-postfix"])
        shutil.rmtree(self._home / "state", ignore_errors=True)
