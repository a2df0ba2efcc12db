"""Limits that were reached, and conversations that broke off."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import Rule

RULES = (
    Rule(
        "limit.size",
        r"Message size exceeds fixed limit|message file too big|queue file size limit exceeded|message size \d+ exceeds size limit \d+ of server",
        "the message is larger than the limit",
        "message_size_limit here, or the SIZE that the remote server announced.",
        "postconf message_size_limit; for outbound mail split the message or ask the other side.",
    ),
    Rule(
        "limit.recipients",
        r"^45[02] 4\.5\.3 Error: too many recipients",
        "too many recipients in one message",
        "smtpd_recipient_limit was reached; a mail server sends the rest in another transaction.",
        "Raise smtpd_recipient_limit, or let the client send smaller batches.",
    ),
    Rule(
        "limit.connections",
        r"warning: Connection (?P<what>rate|concurrency) limit exceeded: (?P<count>\d+) from (?P<client>\S+) for service (?P<service>\S+)",
        "the client's connection {what} limit was exceeded",
        "{client} reached {count} on service {service} (smtpd_client_connection_rate_limit, smtpd_client_connection_count_limit).",
        "Raise the limit, or put the client into smtpd_client_event_limit_exceptions.",
    ),
    Rule(
        "limit.messages",
        r"warning: (?P<what>Message delivery request|Recipient address|New TLS session|AUTH command) rate limit exceeded: (?P<count>\d+) from (?P<client>\S+)",
        "the client's rate limit was exceeded ({what})",
        "{client} reached {count} within anvil_rate_time_unit.",
        "Raise the limit, or put the client into smtpd_client_event_limit_exceptions.",
    ),
    Rule(
        "limit.errors",
        r"too many errors after (?P<stage>\S+)|^421 4\.7\.0 \S+ Error: too many errors",
        "the session was ended after too many errors",
        "smtpd_hard_error_limit (20, or 1 under stress) wrong commands or refused recipients in one session.",
        "Read the replies before it in the transcript: the first refusal is the cause.",
    ),
    Rule(
        "limit.disk-full",
        r"Insufficient system storage|not enough free space in mail queue|[Qq]ueue file write error|No space left on device",
        "the mail queue's file system is full",
        "Less free space than queue_minfree or 1.5 times message_size_limit; all senders get 452 until there is room.",
        "df on queue_directory; then postconf queue_minfree message_size_limit.",
    ),
    Rule(
        "session.client-timeout",
        r"timeout after (?P<stage>.+?) from (?P<client>\S+)",
        "the client was silent for too long after {stage}",
        "smtpd waited for {client} until smtpd_timeout (300 s, 10 s under stress); the slow side is the client or the network between.",
        "Look at the client's log at this time; a firewall that drops the connection's state looks the same.",
    ),
    Rule(
        "session.lost",
        r"lost connection after (?P<stage>.+?) from (?P<client>\S+)",
        "the client hung up after {stage}",
        "{client} closed the connection without QUIT.",
        "Look at the reply before it in the transcript; with none of interest it is a port scan, a health check or a client that gave up.",
        certainty="likely",
        fallback=True,
    ),
)
