"""The exit codes of pfremote, and the one place that chooses between them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pfremote.results import HostResult


#: The code of the error of a host that was not served because the operator wanted out.
INTERRUPTED = "interrupted"


class ExitCode(IntEnum):
    """What the process returns (docs/reference.md, "Exit codes")."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    REFUSED = 3
    HOST_FAILED = 4
    UNKNOWN_STATE = 5
    INTERRUPTED = 130


def choose_exit_code(
    results: Iterable[HostResult], *, interrupted: bool = False, may_stay_armed: bool = False
) -> ExitCode:
    """Return the exit code of a run: the worst news wins, and "not known to be clean" is the worst.

    ``may_stay_armed`` is for ``--detach`` and for the commands that only look: there, armed is an answer.
    A host that another operator's lease keeps armed after ours was reverted is no trouble of ours.
    """
    served = tuple(results)
    if any(_is_unknown(result, may_stay_armed=may_stay_armed) for result in served):
        return ExitCode.UNKNOWN_STATE
    if interrupted or any(result.error is not None and result.error.code == INTERRUPTED for result in served):
        return ExitCode.INTERRUPTED
    if served and all(result.refusals for result in served):
        return ExitCode.REFUSED
    if any(result.refusals or result.error for result in served):
        return ExitCode.HOST_FAILED
    return ExitCode.OK


def _is_unknown(result: HostResult, *, may_stay_armed: bool) -> bool:
    if result.state == "unknown" or result.conflicts:
        return True
    return result.state == "armed" and not result.reverted and not may_stay_armed
