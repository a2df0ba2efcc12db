"""What became of one host: the value that every step hands on and the recap is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pfremote.clock import UNMEASURED, Clock
from pfremote.errors import AgentFailed, HostError, PfremoteError, Reason, Refused, StateUnknown

#: ``untouched``: not changed by this run. ``clean``: seen with debugging off and nothing of ours left.
State = Literal["clean", "armed", "unknown", "untouched"]


#: The host acts at its deadline within this many seconds (promise P3: debugging is off no later).
GUARD_SLACK = 5


@dataclass(frozen=True, slots=True)
class HostResult:
    """One host's part in a run. ``deadline`` is epoch seconds by the operator's clock; ``out`` is a folder.

    ``error`` is why the host failed (code, sentence, hint), ``refusals`` why it was left alone on purpose;
    ``predating`` counts mail processes that began before the window and stayed quiet, ``cut`` sessions that
    the evidence does not have whole, ``clock`` is how far the host's clock is off;
    ``skipped`` is the condition of a playbook by which nothing was wanted of it, which is no trouble at all.
    """

    host: str
    state: State = "untouched"
    lease: str = ""
    armed: bool = False
    reverted: bool = False
    drained: bool = False
    complete: bool = False
    sessions: int = 0
    lines: int = 0
    out: str = ""
    guard: str = ""
    deadline: int | None = None
    why: str = ""
    skipped: str = ""
    predating: int = 0
    cut: int = 0
    clock: Clock = UNMEASURED
    error: Reason | None = None
    refusals: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Tell whether this host was neither served nor refused."""
        return self.error is not None

    def as_json(self) -> dict[str, object]:
        """Return what the recap event says of this host (docs/reference.md, "Events")."""
        error = self.error or next(iter(self.refusals), None)
        return {
            "state": self.state,
            "lease": self.lease or None,
            "armed": self.armed,
            "reverted": self.reverted,
            "drained": self.drained,
            "complete": self.complete,
            "sessions": self.sessions,
            "lines": self.lines,
            "predating": self.predating,
            "cut": self.cut,
            "clock_ahead": self.clock.ahead,
            "out": self.out or None,
            "skipped": self.skipped or None,
            "error": reason_as_json(error) if error else None,
        }


def reason_as_json(reason: Reason) -> dict[str, str]:
    """Return a reason as JSON sees it; the hint only where there is one."""
    shown = {"code": reason.code, "message": reason.message}
    return {**shown, "hint": reason.hint} if reason.hint else shown


def fail(result: HostResult, error: PfremoteError) -> HostResult:
    """Return ``result`` with what the error says of the host's state."""
    if isinstance(error, Refused):
        return replace(result, refusals=error.reasons)
    reason = Reason(error_code(error), error.message, error.hint)
    if isinstance(error, StateUnknown):
        return replace(result, state="unknown", error=reason)
    return replace(result, error=reason)


def error_code(error: PfremoteError) -> str:
    """Return the stable word for an error, as events carry it."""
    if isinstance(error, AgentFailed | HostError):
        return error.code
    if isinstance(error, Refused):
        return "refused"
    return {2: "usage", 130: "interrupted"}.get(error.exit_code, "unexpected")
