"""What a host's state forbids, or makes worth a word, before debugging is turned on there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pfremote.errors import Reason
from pfremote.model.facts import Facts
from pfremote.postfix.peer_list import active_leases
from pfremote.text.quantities import render_duration


class Conditions(Protocol):
    """The part of a debug request that the host's state is held against."""

    @property
    def volatile_guard(self) -> bool: ...
    @property
    def guard(self) -> str: ...
    @property
    def min_free(self) -> int: ...


def refuse_state(request: Conditions, facts: Facts) -> Iterator[Reason]:
    """Yield why nothing may be changed on this host now."""
    if not facts.running:
        yield Reason(
            "not-running",
            "Postfix is not running",
            f"Start it first, on the host, with: postfix -c {facts.config_directory} start",
        )
    if facts.log in ("", "none"):
        why = f" ({facts.log_why})" if facts.log_why else ""
        yield Reason(
            "no-log",
            f"it is not known where this Postfix logs{why}, so nothing could be brought back",
            "Let the host keep its mail log (journald, syslog, maillog_file); where it is kept elsewhere: --log none.",
        )
    yield from _refuse_guard(request, facts)
    free = _read_number(facts, "log_free_percent")
    if free is not None and free < request.min_free:
        yield Reason(
            "low-disk",
            f"only {free}% of the log's file system is free, {request.min_free}% must be",
            "Make room there, or lower --min-free.",
        )


def _refuse_guard(request: Conditions, facts: Facts) -> Iterator[Reason]:
    names = " ".join(facts.guards) or "none"
    if request.guard != "auto" and request.guard not in facts.guards:
        yield Reason(
            "guard-missing",
            f"this host has no guard of the kind {request.guard} (it has: {names})",
            "Leave out --guard.",
        )
        return
    lasting = request.guard != "process" if request.guard != "auto" else any(g != "process" for g in facts.guards)
    if not lasting and not request.volatile_guard:
        yield Reason(
            "volatile-guard",
            "the only guard here is a process: debugging would stay on if it is killed or the host restarts",
            "Start cron, at or systemd on the host, or add --allow-volatile-guard if you will watch it.",
        )


def warn_state(facts: Facts) -> Iterator[Reason]:
    """Yield what the operator should know of this host before debugging is on."""
    if facts.log == "elsewhere":
        yield Reason(
            "log-elsewhere",
            "the log of this Postfix is kept elsewhere, so nothing is brought back from here",
            "Read it there; the lines are those of the window.",
        )
    for lease in active_leases(facts):
        yield Reason(
            "lease-present",
            f"{lease.owner or 'someone'} debugs {', '.join(lease.peers)} here for another "
            f"{render_duration(lease.left)} "
            f"(lease {lease.id}); both stay in force, each until its own end",
        )
    for parameter, value in facts.unexplained:
        if parameter in ("debug_peer_list", "master.cf"):
            continue  # the kept list and the -v flags have their own, fuller words
        yield Reason(
            "unexplained",
            f"{parameter} = {value} is on already and belongs to no lease; it stays as it is",
            "If it was left on by hand, remove it on the host.",
        )
    if facts.main_cf_link:
        yield Reason(
            "main-cf-link",
            f"main.cf is a symbolic link to {facts.main_cf_link}; the link is kept, its target is changed",
        )
    links = _read_number(facts, "main_cf_links")
    if links is not None and links > 1:
        yield Reason(
            "main-cf-hard-links",
            f"main.cf has {links} hard links; the other names keep the old content while debugging is on",
        )


def _read_number(facts: Facts, key: str) -> int | None:
    values = facts.raw.get(key, ())
    number = values[0].partition(".")[0] if values else ""
    return int(number) if number.isdecimal() else None
