"""The exit codes of pfremote, and the one place that chooses between them."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns (docs/reference.md, "Exit codes")."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    REFUSED = 3
    HOST_FAILED = 4
    UNKNOWN_STATE = 5
    INTERRUPTED = 130
