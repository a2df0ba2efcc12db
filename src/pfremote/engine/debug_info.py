"""Look at a host and change nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.agent.protocol import Reply
from pfremote.agent.read_facts import read_facts, read_leases
from pfremote.agent.verdict import judge_state
from pfremote.model.facts import Facts, Lease
from pfremote.model.result import State
from pfremote.store.encode import to_json

#: What of the facts an engine gets; the leases and what is on by hand stand beside them.
_FACTS = (
    *("version", "myhostname", "config_directory", "main_cf", "main_cf_link", "running"),
    *("log", "log_why", "guards", "overrides", "verbose_services", "time"),
)


@dataclass(frozen=True, slots=True)
class Look:
    """A host as it was seen. ``left_on`` is debugging that no lease explains: parameter and value."""

    state: State
    clean: bool
    dirty: tuple[str, ...]
    leases: tuple[Lease, ...]
    left_on: tuple[tuple[str, str], ...]
    facts: dict[str, Any] = field(default_factory=dict)


def look_at(host: OpenHost, *, facts: bool = True) -> Look:
    """Ask the host for its leases, and with ``facts`` also for what it says of itself."""
    reply = tasks.status(host)
    return read_look(reply, encode_facts(read_facts(tasks.probe(host))) if facts else {})


def read_look(reply: Reply, facts: dict[str, Any] | None = None) -> Look:
    """Return what a reply to ``status`` says."""
    return Look(
        state=judge_state(reply),
        clean=reply.one("clean") == "yes",
        dirty=reply.every("dirty"),
        leases=read_leases(reply),
        left_on=reply.named("unexplained"),
        facts=facts or {},
    )


def encode_facts(facts: Facts) -> dict[str, Any]:
    """Return the facts as plain values, the effective parameters by name."""
    known = {name: to_json(getattr(facts, name)) for name in _FACTS}
    return {**known, "parameters": {name: item.effective for name, item in facts.parameters.items()}}
