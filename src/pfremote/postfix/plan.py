"""What a debug request means on one host: exact patterns, levels, warnings and refusals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pfremote.errors import Reason
from pfremote.model.facts import Facts
from pfremote.model.request import DebugRequest
from pfremote.postfix.conditions import refuse_state, warn_state
from pfremote.postfix.host_peers import fit_peers
from pfremote.postfix.levels import CONTENT_LEVEL, read_level, read_tls_level, read_version, validate_levels
from pfremote.postfix.peer_list import (
    active_leases,
    baseline_list,
    baseline_patterns,
    may_clash,
    merge_lists,
)
from pfremote.postfix.peers import read_peer
from pfremote.postfix.services import refuse_services, warn_services


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent to ``arm`` on one host, and what the operator should know first.

    ``peers`` are this request's own patterns; ``changes`` maps each parameter that will be written to its whole value,
    other leases and the baseline included (rule in :mod:`pfremote.postfix.peer_list`).
    """

    peers: tuple[str, ...]
    changes: dict[str, str]
    warnings: tuple[Reason, ...]
    refusals: tuple[Reason, ...]


def make_plan(request: DebugRequest, facts: Facts) -> Plan:
    """Judge the request against one host; with ``refusals`` nothing may be sent there."""
    fitted = fit_peers(request.peers, facts, all_peers=request.all_peers)
    tls = _asked_tls(request)
    level = _merge_level(request.level, facts)
    warnings = (
        *fitted.warnings,
        *_warn_list(fitted.patterns, facts),
        *_warn_tls(tls, facts),
        *warn_services(level, tls, facts),
        *warn_state(facts),
    )
    refusals = (
        *refuse_request(request),
        *fitted.refusals,
        *_refuse_merged_content(request, level),
        *refuse_services(level, facts, allow_content=request.allow_content),
        *refuse_state(request, facts),
    )
    changes = _make_changes(fitted.patterns, level, tls, facts)
    return Plan(fitted.patterns, changes, tuple(dict.fromkeys(warnings)), tuple(dict.fromkeys(refusals)))


def refuse_request(request: DebugRequest) -> tuple[Reason, ...]:
    """Return what is wrong with the request on any host: with it no host need be contacted."""
    return (*request.mistakes, *_refuse_nothing(request), *_refuse_levels(request))


def _refuse_nothing(request: DebugRequest) -> list[Reason]:
    if request.peers or request.mistakes:
        return []
    return [Reason("peer-empty", "no peer was named", "Type --peer with an address or a host name.")]


def _refuse_levels(request: DebugRequest) -> tuple[Reason, ...]:
    return validate_levels(
        request.level,
        smtpd_tls=request.smtpd_tls,
        smtp_tls=request.smtp_tls,
        lmtp_tls=request.lmtp_tls,
        allow_content=request.allow_content,
    )


def _asked_tls(request: DebugRequest) -> dict[str, int]:
    asked = {
        "smtpd_tls_loglevel": request.smtpd_tls,
        "smtp_tls_loglevel": request.smtp_tls,
        "lmtp_tls_loglevel": request.lmtp_tls,
    }
    return {parameter: value for parameter, value in asked.items() if value is not None}


def _merge_level(asked: int, facts: Facts) -> int:
    levels = [asked, *(lease.level for lease in active_leases(facts) if lease.level is not None)]
    if baseline_patterns(facts) and (current := facts.parameters.get("debug_peer_level")) is not None:
        levels.append(read_level(current.effective) or 0)
    return max(levels)


def _refuse_merged_content(request: DebugRequest, level: int) -> list[Reason]:
    """The level of main.cf or of another lease holds for our peers as well."""
    if level < CONTENT_LEVEL or request.level >= CONTENT_LEVEL or request.allow_content:
        return []
    return [
        Reason(
            "level-content",
            f"debug_peer_level is {level} on this host already, so message content of these peers would be logged too",
            "Wait until that ends, or add --allow-content if you may read it.",
        )
    ]


def _make_changes(patterns: tuple[str, ...], level: int, tls: dict[str, int], facts: Facts) -> dict[str, str]:
    blocks = [patterns, *(lease.peers for lease in active_leases(facts))]
    changes = {"debug_peer_list": merge_lists(blocks, baseline_list(facts)), "debug_peer_level": str(level)}
    for parameter, asked in tls.items():
        current = facts.parameters.get(parameter)
        present = (read_tls_level(current.effective) or 0) if current else 0
        # A louder value stays as it is written, since it may be made of names rather than a number.
        changes[parameter] = current.effective if current and present >= asked and present > 0 else str(asked)
    return changes


def _warn_list(patterns: Sequence[str], facts: Facts) -> list[Reason]:
    warnings = []
    kept = baseline_patterns(facts)
    if kept:
        warnings.append(Reason("peers-kept", f"debug_peer_list has {', '.join(kept)} already; it is kept and added to"))
    for pattern in kept:
        # A parameter reference is only known to Postfix, which expands it before it reads the list.
        if "$" not in pattern and isinstance(read := read_peer(pattern), Reason):
            warnings.append(Reason("peers-kept-bad", f"in the host's own debug_peer_list, {read.message}", read.hint))
    blocks = [patterns, *(lease.peers for lease in active_leases(facts)), kept]
    if may_clash(blocks):
        warnings.append(
            Reason(
                "peers-clash",
                "several requests on this host have exceptions (!): an earlier one may hide a peer of a later one",
                "Name the peers without exceptions, or wait until the other request ends.",
            )
        )
    return warnings


def _warn_tls(tls: dict[str, int], facts: Facts) -> list[Reason]:
    if not any(tls.values()):
        return []
    names = ", ".join(parameter for parameter, value in tls.items() if value)
    if read_version(facts.version) >= (3, 12):
        return [
            Reason(
                "tls-global",
                f"{names} affects all peers while the window is open",
                "This Postfix also has per-peer smtpd_tls_loglevel_maps and the like, if that is too much.",
            )
        ]
    return [
        Reason(
            "tls-global",
            f"{names} affects all peers while the window is open; Postfix {facts.version} has no per-peer TLS level",
        )
    ]
