"""What became of one host: the value that every step hands on and the recap is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from pfremote.codes import Code
from pfremote.errors import AgentFailed, ExitCode, HostError, PfremoteError, Reason, Refused, StateUnknown
from pfremote.model.cause import Cause
from pfremote.model.clock import UNMEASURED, Clock
from pfremote.model.typed import TYPED

#: ``read``: a log file was read, and no host was contacted.
#: ``untouched``: not changed by this run. ``clean``: seen with debugging off and nothing of ours left.
#: ``conflict``: ours is gone, and another's value of one of our parameters stands in main.cf.
State = Literal["clean", "armed", "conflict", "unknown", "untouched", "read"]
STATES: tuple[State, ...] = get_args(State)


#: The host acts at its deadline within this many seconds (promise P3: debugging is off no later).
GUARD_SLACK = 5


@dataclass(frozen=True, slots=True)
class HostResult:
    """One host's part in a run. ``deadline`` is epoch seconds by the operator's clock; ``out`` is a folder.

    ``error`` is why the host failed (code, sentence, hint), ``refusals`` why it was left alone on purpose;
    ``predating`` counts mail processes that began before the window and stayed quiet, ``cut`` sessions that
    the evidence does not have whole, ``clock`` is how far the host's clock is off;
    ``skipped`` says why nothing was wanted of it or nothing was there to do, which is no trouble at all;
    ``findings`` are the causes that its log shows, ``outcomes`` how many sessions came out how.
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
    findings: tuple[Cause, ...] = ()
    outcomes: tuple[tuple[str, int], ...] = ()
    #: Debugging that no lease explains was on before the window, and stays.
    by_hand: bool = False
    #: What was matched on the host is not all kept here, so the host must not forget its copy.
    host_keeps: bool = False

    @property
    def state_word(self) -> str:
        """The state for people: a host is not called clean beside debugging that no lease explains."""
        return "by hand" if self.state == "clean" and self.by_hand else self.state

    def as_json(self) -> dict[str, object]:
        """Return all that is known of this host; the recap, ``--tree``, hooks and run folder take their part of it.

        ``error`` is the first reason for which it was not served, a refusal among them.
        """
        error = self.error or next(iter(self.refusals), None)
        return {
            "host": self.host,
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
            "by_hand": self.by_hand,
            "outcomes": dict(self.outcomes),
            "findings": [cause.as_json() for cause in self.findings],
            "clock_ahead": self.clock.ahead,
            "out": self.out or None,
            "skipped": self.skipped or None,
            "error": reason_as_json(error) if error else None,
            "conflicts": list(self.conflicts),
            "why": self.why or None,
            "guard": self.guard or None,
            "deadline": self.deadline,
            "clock_error": self.clock.error,
            "refusals": reasons_as_json(self.refusals),
            "warnings": reasons_as_json(self.warnings),
        }

    def recap_as_json(self) -> dict[str, object]:
        """Return what the recap event says of this host (docs/reference/exit-codes-and-events.md, "recap")."""
        return {name: value for name, value in self.as_json().items() if name not in _NOT_IN_RECAP}


#: What only the files of a host hold: ``--tree`` and the run folder. Findings have events of their own.
_NOT_IN_RECAP = frozenset({"host", "why", "guard", "deadline", "clock_error", "refusals", "warnings", "findings"})


def reason_as_json(reason: Reason) -> dict[str, str]:
    """Return a reason as JSON sees it; the hint only where there is one."""
    shown = {"code": reason.code, "message": reason.message}
    return {**shown, "hint": reason.hint} if reason.hint else shown


def reasons_as_json(reasons: Iterable[Reason]) -> list[dict[str, str]]:
    """Return reasons as an event carries them."""
    return [reason_as_json(reason) for reason in reasons]


def fail(result: HostResult, error: PfremoteError) -> HostResult:
    """Return ``result`` with what the error says of the host's state."""
    if isinstance(error, Refused):
        return replace(result, refusals=tuple(name_host(reason, result.host) for reason in error.reasons))
    reason = name_host(Reason(error_code(error), error.message, error.hint), result.host)
    if isinstance(error, StateUnknown):
        return replace(result, state="unknown", error=reason)
    return replace(result, error=reason)


def name_host(reason: Reason, host: str) -> Reason:
    """Return the reason with a hint that names this host where it says ``pfremote VERB HOST``."""
    return replace(reason, hint=TYPED.name_host(reason.hint, host))


def error_code(error: PfremoteError) -> Code:
    """Return the stable word for an error, as events carry it."""
    if isinstance(error, AgentFailed | HostError):
        return error.code
    if isinstance(error, Refused):
        return "refused"
    if error.exit_code is ExitCode.USAGE:
        return "usage"
    return "interrupted" if error.exit_code is ExitCode.INTERRUPTED else "unexpected"


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
    if interrupted or any(result.error is not None and result.error.code == "interrupted" for result in served):
        return ExitCode.INTERRUPTED
    if served and all(result.refusals for result in served):
        return ExitCode.REFUSED
    if any(result.refusals or result.error for result in served):
        return ExitCode.HOST_FAILED
    return ExitCode.OK


def _is_unknown(result: HostResult, *, may_stay_armed: bool) -> bool:
    if result.state in ("unknown", "conflict") or result.conflicts:
        return True
    return result.state == "armed" and not result.reverted and not may_stay_armed
