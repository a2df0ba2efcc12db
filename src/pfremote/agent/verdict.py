"""What a host's answer to ``revert`` or ``status`` means for the operator. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from pfremote.agent.protocol import Reply
from pfremote.agent.read_facts import read_leases
from pfremote.errors import AgentFailed, PfremoteError, Reason, StateUnknown
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult, State
from pfremote.model.typed import TYPED

#: States in which a lease no longer has a say in main.cf.
ENDED = ("reverted", "aborted")
#: Why a host that was reverted is not clean yet (:func:`explain_dirt`); it may be later.
DIRT = ("not-drained", "not-clean")


def judge_state(reply: Reply, conflicts: Sequence[str] = ()) -> State:
    """Return the state that a reply with lease blocks and ``clean=`` proves.

    ``conflicts`` are what the lease that is asked about left alone, for it had become another's.
    """
    state = _judge_reply(reply)
    return "conflict" if conflicts and state != "unknown" else state


def _judge_reply(reply: Reply) -> State:
    if reply.one("clean") == "yes":
        return "clean"
    leases = read_leases(reply)
    still_armed = any(lease.state in ("armed", "arming") for lease in leases)
    # "recomputed": our parameters left main.cf, those of other leases remain there on purpose.
    return "armed" if still_armed or any(lease.restored == "recomputed" for lease in leases) else "unknown"


def judge_revert(result: HostResult, reply: Reply, lease: Lease) -> HostResult:
    """Return ``result`` with what the host was seen to be after the revert of ``lease``."""
    conflicts = tuple(dict.fromkeys((*result.conflicts, *lease.conflicts)))
    state = judge_state(reply, conflicts)
    judged = replace(
        result,
        state=state,
        reverted=lease.state in ENDED,
        drained=lease.drained == "yes",
        why=lease.why,
        conflicts=conflicts,
    )
    return replace(judged, error=explain_dirt(result.host, reply, lease)) if state == "unknown" else judged


def explain_dirt(host: str, reply: Reply, lease: Lease | None = None) -> Reason:
    """Say why a host is not clean, and what to type."""
    look = f"Look again with: {TYPED.command('status', host)}"
    if lease is not None and lease.drained == "no" and lease.verbose:
        names = ", ".join(lease.verbose)
        return Reason(
            "not-drained",
            f"main.cf is reverted, but processes of the window are still verbose: {names}",
            f"{look}\nEach ends with its connection; to end them now, on the host, type: postfix stop && postfix start",
        )
    dirt = "; ".join(reply.every("dirty")) or "the host does not say why"
    return Reason("not-clean", f"not clean: {dirt}", look)


def explain_loss(result: HostResult, why: BaseException | str, until: str) -> PfremoteError:
    """Return the error for a host whose job ends before its time: its state, and what to type.

    ``until`` says when the host's own guard acts.
    """
    what = why if isinstance(why, str) else getattr(why, "message", "") or f"unexpected {type(why).__name__}: {why}"
    host, lease = result.host, result.lease
    if result.reverted and result.out:
        hint = "The host deletes it by itself after its keep_days (7 where /etc/pfremote.conf does not say)."
        return AgentFailed(
            f"all is brought home; the host may still keep its copy: {what}", code="not-forgotten", hint=hint
        )
    if result.reverted:
        hint = f"Fetch it later with: {TYPED.command('collect', host, '--lease', lease)}"
        return AgentFailed(f"reverted, but the evidence was not brought home: {what}", code="not-collected", hint=hint)
    if result.state in ("armed", "unknown"):
        hint = f"Its own guard ends the lease {until}; after that, look with: {TYPED.command('status', host)}"
        return StateUnknown(f"not seen clean: {what}", hint=hint)
    if isinstance(why, PfremoteError):
        return why
    return AgentFailed(f"not touched: {what}", code="interrupted" if isinstance(why, str) else "unexpected")


def describe_revert(reply: Reply, lease: Lease) -> dict[str, object]:
    """Return the details of the ``reverted`` event."""
    return {
        "why": lease.why,
        "restored": lease.restored,
        "reload": lease.reload,
        "drained": lease.drained == "yes",
        "clean": reply.one("clean") == "yes",
        "conflicts": list(lease.conflicts),
        "dirty": list(reply.every("dirty")),
    }


def diff_copies(reply: Reply, new: str = "main.cf.during", title: str = "main.cf while debugging") -> list[str]:
    """Return the unified diff between two copies of main.cf, one line each, without the secrets it may hold."""
    before, after = (_lines(reply, name) for name in ("main.cf.before", new))
    return list(difflib.unified_diff(before, after, "main.cf", title, n=1, lineterm=""))


def _lines(reply: Reply, name: str) -> list[str]:
    # What redacts is loaded where there is a diff to show: not before arming.
    from pfremote.maillog.redact.main_cf import redact_main_cf

    text = redact_main_cf(reply.payloads.get(name, b""))
    return text.decode("utf-8", "surrogateescape").rstrip("\n").split("\n")
