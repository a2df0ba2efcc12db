"""Mail that smtp or lmtp could not deliver, by cause."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import Rule

RULES = (
    Rule(
        "delivery.no-socket",
        r"(?:^|\()connect to (?P<server>\S+\[/[^\]]+\]): (?P<why>No such file or directory|Permission denied|Connection refused)",
        "the LMTP socket cannot be reached",
        "{server}: {why}.",
        "See that Dovecot (or the LMTP server) runs, and the path, owner and mode of its socket as seen by Postfix (chroot).",
    ),
    Rule(
        "delivery.refused",
        r"(?:^|\()connect to (?P<server>\S+?): Connection refused",
        "the server refuses connections",
        "Nothing listens on {server}, or a firewall answers for it.",
        "Try nc or telnet to {server} from the mail host; see the port in transport_maps or relayhost.",
    ),
    Rule(
        "delivery.connect-timeout",
        r"(?:^|\()connect to (?P<server>\S+?): Connection timed out",
        "no answer from the server to our connection",
        "{server} did not answer within smtp_connect_timeout: a firewall that drops (outbound port 25 blocked?), or the host is down.",
        "Try another port and another host from here: nc -vz; ask the provider about outbound port 25.",
    ),
    Rule(
        "delivery.no-route",
        r"(?:^|\()connect to (?P<server>\S+?): (?P<why>No route to host|Network is unreachable)",
        "no route to the server",
        "{server}: {why}. With an IPv6 address this host may have no IPv6.",
        "ip route get ADDRESS; see inet_protocols and smtp_address_preference.",
    ),
    Rule(
        "delivery.dns-not-found",
        r"Name service error for name=(?P<name>\S+) type=\w+: (?:Host not found(?!, try)|Host found but no data record)",
        "the destination does not exist in DNS",
        "{name} has no MX and no address record.",
        "dig MX and A of {name}; see the spelling in the recipient, relayhost or transport_maps.",
    ),
    Rule(
        "delivery.dns-failed",
        r"Name service error for name=(?P<name>\S+) type=\w+: (?:Host not found, try again|.*SERVFAIL)",
        "DNS did not answer for the destination",
        "The resolver has no answer for {name} now; Postfix tries again.",
        "dig MX {name} on the mail host; look at its resolver and, with DANE, at DNSSEC.",
    ),
    Rule(
        "delivery.loop",
        r"mail for (?P<domain>\S+) loops back to myself",
        "mail for {domain} leads back to this host",
        "The MX of {domain} is this host, and Postfix does not know the domain as its own.",
        "Add {domain} to mydestination, virtual_mailbox_domains or relay_domains, or correct the MX.",
    ),
    Rule(
        "delivery.mailbox-full",
        r"said: [45]\d\d .*(?i:mailbox (?:is )?full|quota (?:exceeded|full)|over quota|insufficient (?:mailbox )?storage)|dsn=[45]\.2\.2",
        "the recipient's mailbox is full",
        "The server that keeps the mailbox says so.",
        "Raise the quota or empty the mailbox; a 4xx is tried again by itself.",
    ),
    Rule(
        "delivery.greylisted",
        r"said: 4\d\d .*(?i:gr[ae]y-?list|try again in \d)",
        "the remote server greylists us",
        "It puts the first attempt off; Postfix tries again by itself.",
        "Wait for the next attempt (minimal_backoff_time); look for status=sent of the same queue id.",
        certainty="likely",
    ),
    Rule(
        "delivery.unwelcome",
        r"host (?P<server>\S+) refused to talk to me: (?P<reply>\d{3}[^)]*)",
        "the remote server refuses this host",
        "{server} answered our connection with: {reply}",
        "Look up our address on block lists; with 421 lower the concurrency (smtp_destination_concurrency_limit).",
    ),
    Rule(
        "delivery.lost",
        r"lost connection with (?P<server>\S+) while (?P<stage>[^)]+)",
        "the remote server hung up while {stage}",
        "{server} closed the connection without a reply.",
        "Look at the last lines of the transcript; compare message size and contents with mail that passes.",
    ),
    Rule(
        "delivery.server-timeout",
        r"conversation with (?P<server>\S+) timed out while (?P<stage>[^)]+)",
        "the remote server was too slow while {stage}",
        "{server} did not answer in time; the slow side is the server or the network between (path MTU, if it was sending message body).",
        "The gap in the transcript shows how long we waited; compare with the smtp_*_timeout of this stage.",
    ),
    Rule(
        "delivery.unknown-recipient",
        r"said: 55\d 5\.1\.[1-6] .*|said: 550 .*(?i:user unknown|no such user|does not exist|recipient rejected)",
        "the remote server does not know the recipient",
        "A permanent answer from the server that is in charge of the domain.",
        "Correct the address; if it is right, ask the other side.",
    ),
    Rule(
        "delivery.bounced",
        r"status=bounced \((?P<why>.*)\)",
        "the message was returned to its sender",
        "A permanent failure: {why}",
        "Read the reply of the server; the address or the content must change before sending again.",
        fallback=True,
    ),
    Rule(
        "delivery.deferred",
        r"status=deferred \((?P<why>.*)\)",
        "delivery was put off",
        "A temporary failure: {why}. Postfix tries again until maximal_queue_lifetime.",
        "postqueue -p shows the next attempts; postqueue -i QUEUE_ID tries at once.",
        fallback=True,
    ),
)
