"""Mail that was accepted and did not take its usual way: held, thrown away, sent elsewhere."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import Rule

#: Where a check said so (smtpd.c, cleanup_message.c, milter8.c); a transport may be called filter, too.
_STAGE = r"(?P<stage>[A-Z][A-Z-]+|header|body|content|mime-header|nested-header) (?:from \S+: )?(?P<why>[^;]*)"

RULES = (
    Rule(
        "disposition.discarded",
        r"(?:^|: )(?:milter-(?:header-)?)?discard: " + _STAGE,
        "the message was accepted and thrown away",
        "The client got 250, and a milter or a check said DISCARD: {why}. Neither side is told.",
        "Look at the milter's log, or for DISCARD in the access tables, header_checks and body_checks.",
        group="disposition",
    ),
    Rule(
        "disposition.held",
        r"(?:^|: )(?:milter-(?:header-)?)?hold: " + _STAGE,
        "the message was accepted and put on hold",
        "It lies in the hold queue until an operator releases it: a milter or a check said HOLD: {why}.",
        "postqueue -p shows it with an exclamation mark; postcat -q QUEUE_ID, then postsuper -H QUEUE_ID releases it, postsuper -d deletes it.",
        group="disposition",
    ),
    Rule(
        "disposition.quarantined",
        r"(?:^|: )(?:milter-)?quarantine: (?P<why>[^;]*)",
        "a milter put the message into quarantine",
        "It lies in the hold queue: {why}",
        "postqueue -p shows it with an exclamation mark; postsuper -H QUEUE_ID releases it.",
        group="disposition",
    ),
    Rule(
        "disposition.redirected",
        r"(?:^|: )(?:milter-(?:header-)?)?redirect: " + _STAGE,
        "the message was sent to another address instead",
        "A check said REDIRECT: {why}",
        "Look for REDIRECT in the access tables, header_checks and body_checks.",
        group="disposition",
    ),
    Rule(
        "disposition.filtered",
        r"(?:^|: )(?:milter-(?:header-)?)?filter: " + _STAGE,
        "the message was handed to a content filter",
        "A check said FILTER: {why}",
        "Follow the filter's own log; the filtered message comes back under another queue id.",
        group="disposition",
    ),
    Rule(
        "policy.content-warned",
        r": warning: (?P<part>header|body|mime-header|nested-header) (?P<what>(?:(?! from (?:\S+\[\S*\]|local); ).){0,60})",
        "a {part} check only warned",
        "header_checks or body_checks has WARN for it, so nothing was refused: {what}",
        "Nothing to do for this message.",
        side="in",
        group="note",
    ),
    Rule(
        "policy.warned-only",
        r"reject_warning: (?P<stage>\S+) from \S+: (?P<reply>[^;]*)",
        "a rule would have refused this, and only warned",
        "warn_if_reject stands before the rule, so nothing was refused: {reply}",
        "Nothing to do for this message; take warn_if_reject out when the rule is to be enforced.",
        side="in",
        group="note",
    ),
)
