"""What master.cf does to the levels: ``-o`` overrides that defeat or raise them, and ``-v`` flags (master(5)). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pfremote.errors import Reason
from pfremote.model.facts import Facts
from pfremote.postfix.levels import CONTENT_LEVEL, read_level, read_tls_level

#: Services whose programs never look at debug_peer_list (the callers of debug_peer_check are smtpd, smtp, lmtp, qmqpd),
#: under the names of the master.cf that Postfix ships.
_DEAF_SERVICES = frozenset(
    {
        *("anvil", "bounce", "cleanup", "defer", "discard", "dnsblog", "error", "flush", "local", "pickup"),
        *("postlog", "proxymap", "proxywrite", "qmgr", "retry", "rewrite", "scache", "showq", "tlsmgr"),
        *("tlsproxy", "trace", "verify", "virtual"),
    }
)


def warn_services(level: int, tls: Mapping[str, int], facts: Facts) -> Iterator[Reason]:
    """Yield what services do with ``level`` and the ``tls`` levels that are asked for (parameter to number)."""
    yield from _warn_overrides(level, tls, facts)
    yield from _warn_flags(facts)


def _warn_overrides(level: int, tls: Mapping[str, int], facts: Facts) -> Iterator[Reason]:
    for override in facts.overrides:
        setting = f"{override.service} has -o {override.parameter}={override.value} in master.cf"
        if override.parameter == "debug_peer_list":
            yield Reason("override-peers", f"{setting}: it does not see the peers of this request and stays quiet")
        elif override.parameter == "debug_peer_level":
            if read_level(override.value) != level:
                yield Reason("override-level", f"{setting}: that level is used there, not {level}")
        elif override.parameter in tls and read_tls_level(override.value) != tls[override.parameter]:
            yield Reason("override-tls", f"{setting}: that level is used there, not {tls[override.parameter]}")


def _warn_flags(facts: Facts) -> Iterator[Reason]:
    for service in facts.verbose_services:
        yield Reason(
            "verbose-service",
            f"{service.service} runs with {service.flags} -v in master.cf: it logs every peer, and "
            "louder than the level says",
            "Remove the -v from master.cf when this is over.",
        )


def refuse_services(level: int, facts: Facts, *, allow_content: bool) -> Iterator[Reason]:
    """Yield which services would log message content: ``-v`` flags and the level add up (debug_peer.c)."""
    if allow_content:
        return
    flags = {service.service: service.flags for service in facts.verbose_services}
    levels = {o.service: read_level(o.value) for o in facts.overrides if o.parameter == "debug_peer_level"}
    deaf_to_us = {o.service for o in facts.overrides if o.parameter == "debug_peer_list"}
    for service in dict.fromkeys([*flags, *levels]):
        used = levels.get(service, level) or level
        total = used + flags.get(service, 0)
        if total < CONTENT_LEVEL or service in deaf_to_us or service.partition("/")[0] in _DEAF_SERVICES:
            continue
        lower = CONTENT_LEVEL - 1 - flags.get(service, 0)
        quieter = f"Type --level {lower}" if lower >= 1 and service not in levels else "Change that in master.cf"
        yield Reason(
            "service-content",
            f"{service} would log the content of messages: level {used} and {flags.get(service, 0)} "
            f"-v in master.cf make {total}",
            f"{quieter}, or add --allow-content if you may read them.",
        )
