"""The events of one window, each made of what the host said."""

from __future__ import annotations

from pfremote.agent.protocol import Reply
from pfremote.agent.verdict import describe_revert, diff_copies
from pfremote.errors import PfremoteError, Reason, Refused
from pfremote.model.event import EventSink
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult, error_code, reason_as_json, reasons_as_json
from pfremote.model.typed import TYPED
from pfremote.postfix.plan import Plan
from pfremote.text.times import format_epoch


class HostEvents:
    """Emit events of one host; ``diff`` adds how main.cf changes to those that know it."""

    def __init__(self, host: str, emit: EventSink, *, diff: bool = False) -> None:
        self._host = host
        self._emit = emit
        self._diff = diff

    def plan(self, plan: Plan) -> None:
        """Tell what would be sent to the host, or why nothing will be."""
        self._emit(
            "plan",
            self._host,
            peers=list(plan.peers),
            changes=plan.changes,
            warnings=reasons_as_json(plan.warnings),
            refusals=reasons_as_json(plan.refusals),
        )
        self.warn(plan.warnings)

    def checked(self, reply: Reply) -> None:
        """Tell what the host itself found out on a private copy of main.cf."""
        reasons = (*reply.warnings, *warn_instances(self._host, reply.every("instance")))
        self._emit("plan", self._host, checked=True, diff=self._lines(reply), warnings=reasons_as_json(reasons))
        self.warn(reasons)

    def armed(self, lease: Lease, reply: Reply, deadline: int) -> None:
        """Tell that the host is seen armed."""
        self._emit(
            "armed",
            self._host,
            lease.id,
            deadline=format_epoch(deadline),
            seconds=lease.left,
            guard=lease.guard,
            in_force=dict(reply.named("value")),
            predating=lease.predating,
            diff=self._lines(reply),
        )
        self.warn(reply.warnings, lease.id)

    def seen(self, lease: Lease) -> None:
        """Tell how many matching sessions began so far."""
        self._emit(
            "session",
            self._host,
            lease.id,
            seen=lease.sessions,
            log_bytes=lease.bytes,
            connections=lease.connects,
        )

    def lost_sight(self, exc: PfremoteError, lease: str, until: str) -> None:
        """Tell that the host cannot be asked just now, which ends nothing."""
        hint = f"The host's own guard ends the lease {until}; pfremote goes on looking."
        self._emit("warning", self._host, lease, code=error_code(exc), message=exc.message, hint=hint)

    def regained_sight(self, lease: str) -> None:
        """Tell that the host answers again."""
        self.warn((Reason("in-sight", "answers again; following goes on where it was, nothing is missed"),), lease)

    def reverted(self, reply: Reply, lease: Lease, *, by_hand: bool) -> None:
        """Tell that the host was seen reverted, and whether it is as it was with debugging that no lease explains."""
        self._emit("reverted", self._host, lease.id, by_hand=by_hand, **describe_revert(reply, lease))

    def warn(self, reasons: tuple[Reason, ...], lease: str = "") -> None:
        """Tell of things that are no errors."""
        for reason in reasons:
            self._emit("warning", self._host, lease, **reason_as_json(reason))

    def failed(self, result: HostResult, error: PfremoteError) -> None:
        """Tell why the host was not served, and in what state it is."""
        refused = isinstance(error, Refused)
        for reason in error.reasons if isinstance(error, Refused) else (result.error,):
            if reason is not None:
                details = reason_as_json(reason)
                self._emit("failed", self._host, result.lease, state=result.state, refused=refused, **details)

    def _lines(self, reply: Reply) -> list[str]:
        return diff_copies(reply) if self._diff else []


def warn_instances(host: str, directories: tuple[str, ...]) -> tuple[Reason, ...]:
    """Return that ``host`` has more Postfix instances, at ``directories``, and how to look at the first of them."""
    if not directories:
        return ()
    return (
        Reason(
            "other-instances",
            f"this host has other Postfix instances, not looked at here: {', '.join(directories)}",
            f"Look at one with: {TYPED.command('check', host, '--instance', directories[0])}",
        ),
    )
