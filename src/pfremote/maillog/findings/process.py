"""Postfix processes that died, and settings that keep debugging or mail from working."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import Rule

RULES = (
    Rule(
        "process.debug-list",
        r"warning: debug_peer_list: (?P<pattern>.+): table lookup problem|warning: debug_peer_list: (?P<why>non-null host address bits.*|bad .*)|fatal: debug_peer_list: (?P<fatal>.*)",
        "debug_peer_list has a pattern that Postfix cannot use",
        "{pattern}{why}{fatal}: patterns after it are never reached, so some sessions were not debugged.",
        "pfremote check --peer PATTERN says what to write instead.",
    ),
    Rule(
        "process.throttled",
        r"warning: (?P<program>\S+): bad command startup -- throttling",
        "a Postfix service does not start",
        "master starts {program} only once a minute because it died at once; clients get no banner meanwhile.",
        "Correct the setting named in the fatal: line before; the wait of up to 60 s stays.",
    ),
    Rule(
        "process.fatal",
        r"^(?P<what>(?:fatal|panic): (?!no SASL|debug_peer_list).*)",
        "a Postfix process ended with an error",
        "{what}",
        "Correct what the line names; postconf -n and postfix check help.",
    ),
    Rule(
        "process.died",
        r"warning: process (?P<program>\S+) pid (?P<pid>\d+) (?P<how>killed by signal \d+)",
        "a Postfix process was killed",
        "{program} (pid {pid}) was {how}: out of memory, or a fault in a library.",
        "Look at the kernel log for the same second.",
    ),
    Rule(
        "process.lost-lines",
        r"Suppressed \d+ messages from|begin to drop messages|due to rate-limiting",
        "the log of this host has holes",
        "The logging service dropped lines, so transcripts may miss some.",
        "Use the journal as source, or raise RateLimitBurst / imjournal ratelimit for the next window.",
    ),
)
