"""All rules in one order: specific before general; within a family the first that fits a line is taken."""

from __future__ import annotations

from pfremote.maillog.findings import (
    auth,
    auth_outbound,
    breaches,
    delivery,
    dispositions,
    filters,
    frontdoor,
    judgements,
    limits,
    local_delivery,
    policy,
    process,
    replies,
    startup,
    surroundings,
    tables,
    tls_alerts,
    tls_files,
    tls_library,
    tls_trust,
    vague_replies,
)
from pfremote.maillog.findings.rule import Rule

RULES: tuple[Rule, ...] = (
    *process.FIRST,
    *startup.RULES,
    *auth.RULES,
    *auth_outbound.RULES,
    *tls_alerts.RULES,
    *tls_files.RULES,
    *tls_trust.RULES,
    *tls_library.RULES,
    *frontdoor.RULES,
    *filters.RULES,
    *policy.RULES,
    *breaches.RULES,
    *dispositions.RULES,
    *surroundings.RULES,
    *tables.RULES,
    *limits.RULES,
    *local_delivery.RULES,
    *replies.RULES,
    *judgements.RULES,
    *vague_replies.RULES,
    *delivery.RULES,
    *process.RULES,
)

#: Where a remote server's reply is quoted, only rules about replies may read it: what it says of its disk, its
#: tables or its users is not said of ours.
ABOUT_REPLIES: tuple[Rule, ...] = (
    *auth_outbound.RULES,
    *(rule for rule in tls_trust.RULES if rule.code in ("tls.refused-by-server", "tls.requiretls")),
    *(rule for rule in filters.RULES if rule.code in ("filter.amavis", "filter.no-way-back")),
    *replies.RULES,
    *judgements.RULES,
    *vague_replies.RULES,
    *(rule for rule in delivery.RULES if rule.code in ("delivery.unwelcome", "delivery.other-protocol")),
)
