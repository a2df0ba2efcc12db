"""Every code by which a program tells one reason from another. Pure.

A code keeps its meaning; the sentence beside it may change.

docs/reference/exit-codes-and-events.md ("Codes") says what each means; tests hold both lists and the agent's together.
"""

from __future__ import annotations

from typing import Literal, cast

# A line for each kind of thing that is said; the formatter would make it a line for each code.
# fmt: off
#: Why a host was not served.
HostCode = Literal[
    "failed", "unreachable", "host-key", "auth", "become", "deadline", "unknown", "interrupted", "unexpected", "usage",
    "refused", "install", "protocol", "cut-off", "arming", "not-reverted", "not-clean", "not-drained", "not-collected",
    "not-forgotten", "evidence-changed", "lease-differs", "answer-too-long", "bad-value", "damaged", "when",
    "not-begun", "declined", "no-lease", "which-lease", "inventory",
]
#: What is wrong with a peer, or good to know of it.
PeerCode = Literal[
    "all-peers", "missing-file", "peer-address", "peer-all", "peer-braces", "peer-bracket", "peer-broad",
    "peer-characters", "peer-dot", "peer-empty", "peer-exact-name", "peer-file", "peer-host-bits", "peer-idn",
    "peer-leading-dot", "peer-logged", "peer-long", "peer-mail-address", "peer-mapped", "peer-mask", "peer-name",
    "peer-negation", "peer-netmask", "peer-nexthop", "peer-octets", "peer-only-negations", "peer-own-name",
    "peer-port", "peer-range", "peer-reverse", "peer-single-label", "peer-slash", "peer-table", "peer-unresolved",
    "peer-wildcard", "peer-zone", "peers-clash", "peers-kept", "peers-kept-bad", "table-type", "too-many-peers",
]
#: What a level or the state of a host forbids, or makes worth a word, before debugging is turned on.
StateCode = Literal[
    "guard-missing", "lease-present", "level-content", "level-high", "level-zero", "low-disk", "main-cf-hard-links",
    "main-cf-link", "no-log", "not-running", "override-level", "override-peers", "override-tls", "service-content",
    "tls-content", "tls-global", "tls-level", "unexplained", "verbose-service", "volatile-guard",
    "elsewhere-dirty", "elsewhere-unexplained", "log-elsewhere", "next-hop", "other-instances",
]
#: What happens while a window is open, or is said of its evidence.
WindowCode = Literal[
    "clock", "conflict", "cut-end", "cut-start", "draining", "fewer-sessions", "follow-gap", "guard-lost", "in-sight",
    "line-cut", "lines-lost", "no-match-yet", "no-session", "not-followed", "notify", "pid-reuse", "predating",
    "skipped", "straggler", "unmatched-peer", "unreadable", "withheld",
]
#: What the agent says (``refuse``, ``warn``, ``fail`` and ``die`` in ``agent/script``), where it is none of the above.
AgentCode = Literal[
    "agent", "audit", "bad-argument", "bad-duration", "bad-instance", "bad-lease", "bad-level", "bad-peer",
    "bad-position", "bad-table", "bad-verb", "baseline", "busy", "content", "cut", "disk-low", "forward-missed",
    "gap", "guard", "guard-fallback", "guard-weak", "instances-mixed", "internal", "lease-active", "lease-exists",
    "lease-over", "log-behind", "mail-server", "main-cf", "main-cf-immutable", "main-cf-mounted",
    "main-cf-readonly", "mark", "no-conflict", "no-guard", "no-instance", "no-peer", "no-postfix", "not-root",
    "pattern", "policy", "postfix-stopped", "private-file", "private-main-cf", "rate-limit", "reload",
    "reload-failed", "reload-unseen", "resource-limits", "revert", "rotated", "state-unwritable", "suppressed",
    "tail", "tmp", "undrained", "unknown-lease", "unsafe-file", "unsafe-instance", "unsafe-log", "unsafe-table",
    "unwell",
]
# fmt: on

Code = HostCode | PeerCode | StateCode | WindowCode | AgentCode


def read_code(text: str) -> Code:
    """Return a code that a host sent or a run folder holds; it may be of another version, and is taken as it is."""
    return cast("Code", text)
