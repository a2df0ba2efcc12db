"""What a machine's journald says that it dropped, or could not pass on."""

from __future__ import annotations

import re
import time

from tests.lab import Lab, Machine


def find_notices(machine: Machine, begins: str) -> list[str]:
    """Return journald's own lines of this boot that begin with the pattern."""
    told = machine.run(["journalctl", "-q", "-b", "-o", "cat", "_TRANSPORT=driver"]).stdout
    return [line for line in told.splitlines() if re.match(begins, line)]


def wait_for_notices(lab: Lab, machine: Machine, begins: str, *, beside: int = 0) -> list[str]:
    """Let programs log a line each second until journald has told more losses than ``beside``; return what it told.

    It tells what it dropped when the service logs again after an interval that had enough.
    """
    deadline = time.monotonic() + 60
    while len(said := find_notices(machine, begins)) <= beside:
        assert time.monotonic() < deadline, "journald did not say what it dropped"
        time.sleep(1)
        lab.other.hold_session(machine).quit()
        machine.run(["logger", "a line of another program"])
    return said
