"""Arm a window and come back; the host ends it by itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.agent.read_facts import find_lease, read_facts
from pfremote.codes import read_code
from pfremote.errors import Reason, Refused
from pfremote.model.event import Kind
from pfremote.model.facts import Facts, Lease
from pfremote.model.request import DebugRequest
from pfremote.model.result import HostResult
from pfremote.postfix.host_peers import fit_peers
from pfremote.run.evidence import EvidenceStore
from pfremote.window import Window, WindowOptions


@dataclass(frozen=True, slots=True)
class Armed:
    """What became of a request to arm. ``in_force`` are the parameters as the host reads them now.

    ``result`` has the state, the deadline by this machine's clock, and why it failed where it did;
    ``diff`` how main.cf changes, without secrets.
    """

    result: HostResult
    changed: bool = False
    seconds: int = 0
    peers: tuple[str, ...] = ()
    in_force: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Reason, ...] = ()
    diff: tuple[str, ...] = ()


def arm_window(host: OpenHost, request: DebugRequest, *, lease: str = "", check: bool = False) -> Armed:
    """Arm ``request`` on the host, or with ``check`` let the host try it on a private copy.

    A lease is armed once: where ``lease`` is there already, nothing is done, and it is returned as it is.
    """
    if lease and (known := ask_for_lease(host, lease)) is not None:
        return _describe_known(host.name, *known, request)
    events = _Events()
    options = WindowOptions(request, check=check, detach=True, diff=True, lease=lease)
    window = Window(host.name, options, reach=lambda: nullcontext(host), emit=events, keep=EvidenceStore(None, events))
    while (pause := window.advance()) is not None:
        time.sleep(pause)
    return events.describe(window.result, check=check)


def extend_window(
    host: OpenHost, lease: str, seconds: int, *, check: bool = False, owner: str = "", origin: str = ""
) -> Armed:
    """Let an armed lease end ``seconds`` from now.

    Raises:
        Refused: there is no such lease, or it is over.
    """
    known = ask_for_lease(host, lease)
    if known is None or known[0].state != "armed":
        what = "is over" if known else "is not on this host"
        hint = "Arm a new window with another lease id, or with none."
        raise Refused((Reason("lease-over" if known else "unknown-lease", f"lease {lease} {what}", hint),))
    found, facts = known
    if not check:
        reply = tasks.extend(host, lease=lease, seconds=seconds, owner=owner, origin=origin)
        found = find_lease(reply, lease) or found
    return _describe(host.name, found, facts, changed=True)


def ask_for_lease(host: OpenHost, lease: str) -> tuple[Lease, Facts] | None:
    """Return one lease as the host has it now, and what the host says of itself; None where it has no such lease."""
    facts = read_facts(tasks.probe(host))
    return next(((item, facts) for item in facts.leases if item.id == lease), None)


def _describe(name: str, lease: Lease, facts: Facts, *, changed: bool, warnings: tuple[Reason, ...] = ()) -> Armed:
    armed = lease.state == "armed"
    result = HostResult(
        name,
        state="armed" if armed else "untouched",
        lease=lease.id,
        armed=armed,
        guard=lease.guard,
        deadline=int(time.time()) + lease.left if armed else None,
        why=lease.why,
    )
    in_force = {parameter.name: parameter.effective for parameter in facts.parameters.values()}
    return Armed(result, changed, lease.left, lease.peers, in_force, warnings)


def _describe_known(name: str, lease: Lease, facts: Facts, request: DebugRequest) -> Armed:
    """Say what the lease is; whose id stands for another request is refused.

    Raises:
        Refused: it was armed with other levels or peers.
    """
    asked = (request.level, request.smtpd_tls, request.smtp_tls, request.lmtp_tls)
    differ = "levels" if (lease.level, lease.smtpd_tls, lease.smtp_tls, lease.lmtp_tls) != asked else ""
    # These facts resolve no name: addresses may have changed since, and are no other request.
    if not set(fit_peers(request.peers, facts, all_peers=True).patterns) <= set(lease.peers):
        differ = "peers"
    if differ:
        message = f"lease {lease.id} is on this host with other {differ} than those asked for"
        hint = "An id stands for one request: give another lease id, or none."
        raise Refused((Reason("lease-differs", message, hint),))
    warnings: tuple[Reason, ...] = ()
    if lease.state != "armed":
        message = f"lease {lease.id} was armed before and is over ({lease.why or 'unknown'}); it is not armed again"
        warnings = (Reason("lease-over", message, "Give another lease id, or none, to debug once more."),)
    return _describe(name, lease, facts, changed=False, warnings=warnings)


class _Events:
    """Hears what the window tells, and makes the value of it."""

    def __init__(self) -> None:
        self._details: dict[Kind, dict[str, Any]] = {}
        self._warnings: list[Reason] = []

    def __call__(self, kind: Kind, _host: str = "", _lease: str = "", /, **details: object) -> None:
        """Take one event."""
        if kind == "warning":
            code, message, hint = (str(details.get(key, "")) for key in ("code", "message", "hint"))
            self._warnings.append(Reason(read_code(code), message, hint))
        else:
            self._details.setdefault(kind, {}).update(details)

    def describe(self, result: HostResult, *, check: bool) -> Armed:
        """Return what was heard as one value."""
        plan, armed = self._details.get("plan", {}), self._details.get("armed", {})
        served = result.error is None and not result.refusals
        return Armed(
            result,
            changed=result.armed or (check and served),
            seconds=armed.get("seconds", 0),
            peers=tuple(plan.get("peers", ())),
            in_force=armed.get("in_force") or plan.get("changes", {}),
            warnings=tuple(dict.fromkeys(self._warnings)),
            diff=tuple(armed.get("diff") or plan.get("diff") or ()),
        )
