"""Mail that smtpd refused, by the rule that refused it."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import Rule

_REJECT = r"(?<!-)\breject: \w+ from \S+: "

RULES = (
    Rule(
        "policy.relay-denied",
        r"Relay access denied|Recipient address rejected: Access denied.*relay",
        "relaying was refused",
        "The recipient's domain is not ours, and the client is neither in mynetworks nor logged in (smtpd_relay_restrictions).",
        "Let the client log in, add its network to mynetworks, or add the domain to relay_domains or mydestination if it is ours.",
    ),
    Rule(
        "policy.rdns",
        r"Client host rejected: cannot find your (?:reverse )?hostname, \[(?P<address>[^\]]+)\]",
        "the client has no valid host name",
        "reject_unknown_client_hostname: {address} has no PTR, or its name does not lead back to {address}.",
        "The owner of {address} must make PTR and A/AAAA agree; to accept it meanwhile, list it in a check_client_access before the rule.",
    ),
    Rule(
        "policy.rdns-mismatch",
        r"warning: hostname (?P<name>\S+) does not resolve to address (?P<address>[0-9a-fA-F.:]+)(?:: (?P<why>.*))?",
        "reverse and forward DNS of the client disagree",
        "The PTR of {address} is {name}, which does not lead back; Postfix calls such a client unknown, so rules and debug_peer_list patterns by name miss it.",
        "Use the address {address} as the peer; the owner of the zone must add the address to {name}.",
    ),
    Rule(
        "policy.helo",
        r"(?:<(?P<helo>[^>]*)>: )?Helo command rejected: (?P<why>[^;]+)",
        "the client's HELO name was refused",
        "HELO {helo}: {why} (smtpd_helo_restrictions).",
        "Give the client a HELO name that is a full host name with an A record.",
    ),
    Rule(
        "policy.helo-missing",
        r"^503 5\.5\.1 Error: send HELO/EHLO first",
        "the client sent no HELO",
        "smtpd_helo_required = yes.",
        "Correct the client; a sender that skips HELO is rarely a mail server.",
    ),
    Rule(
        "policy.rbl",
        r"blocked using (?P<list>[^;\s]+)(?:; (?P<why>[^;]*))?",
        "the client or sender is on a block list",
        "{list} lists it: {why}",
        "Look the address up at {list}; have it removed there, or put an exception before the rule.",
    ),
    Rule(
        "policy.greylisted",
        _REJECT + r"4\d\d .*(?i:gr[ae]y-?list|try again (?:later|in)|come back later)",
        "greylisting: the client must come back later",
        "The first attempt is put off on purpose; a mail server tries again and is let in.",
        "Wait for the next attempt of the same client, sender and recipient; if none comes, the client does not retry.",
        certainty="likely",
    ),
    Rule(
        "policy.service-down",
        r"warning: (?:problem talking to server|connect to) (?P<service>\S+?): (?P<why>.+)|451 4\.3\.5 .*Server configuration problem",
        "a policy service does not answer",
        "smtpd could not ask {service} ({why}) and puts the mail off with 451 4.3.5.",
        "Start the policy service, or see check_policy_service in the restrictions and its socket.",
    ),
    Rule(
        "policy.service",
        r"^policy service (?P<service>\S+) answered: (?P<answer>(?:REJECT|DEFER(?!_IF)|(?!451 4\.3\.5)[45]\d\d)\b.*)",
        "a policy service refused",
        "{service} answered: {answer}",
        "Look at the policy service's own log at this second (postfwd, policyd-spf, postgrey).",
    ),
    Rule(
        "policy.milter-down",
        r"warning: (?:connect to Milter service (?P<milter>\S+): (?P<why>.+)|milter (?P<lost>\S+): can't read)",
        "a milter does not answer",
        "{milter}{lost}: {why}. milter_default_action decides what happens then (tempfail unless set).",
        "Start the milter; see smtpd_milters and the owner and mode of its socket.",
    ),
    Rule(
        "policy.milter",
        r"milter-reject: (?P<stage>\S+) from \S+: (?P<reply>\d{3} (?!4\.7\.1 Service unavailable)[^;]*)",
        "a milter refused at {stage}",
        "The reply is the milter's own: {reply}",
        "Look at the milter's log (rspamd, opendkim, amavis) for this queue id or time.",
    ),
    Rule(
        "policy.unknown-recipient",
        r"Recipient address rejected: User unknown(?P<table> in [^;]+)?|<(?P<to>[^>]*)>: Recipient address rejected: undeliverable address",
        "the recipient does not exist here",
        "Not found{table}.",
        "postmap -q ADDRESS on the table named; see local_recipient_maps, virtual_mailbox_maps, relay_recipient_maps.",
    ),
    Rule(
        "policy.domain-not-found",
        r"(?P<side>Sender|Recipient) address rejected: (?:Domain not found|Malformed DNS server reply|Domain \S+ does not accept mail)",
        "{side} domain does not exist in DNS",
        "Neither MX nor A/AAAA could be found; with 450 it may also be our resolver that failed.",
        "dig MX DOMAIN on the mail host itself; see its resolver if the domain is fine elsewhere.",
    ),
    Rule(
        "policy.address-form",
        r"(?P<side>Sender|Recipient) address rejected: need fully-qualified address",
        "{side} address has no full domain",
        "reject_non_fqdn_sender or reject_non_fqdn_recipient.",
        "Correct the address in the sending program.",
    ),
    Rule(
        "policy.pipelining",
        r"Improper use of SMTP command pipelining|improper command pipelining after (?!CONNECT from \S+: \\026)",
        "the client talks without waiting for replies",
        "The client sent commands before the server allowed it (RFC 2920): spamware, or a broken load balancer check.",
        "Use EHLO before pipelining in the client; if it is a proxy, look at what it sends before us.",
    ),
    Rule(
        "policy.content",
        r"(?<!-)\breject: (?:header|body|mime-header|END-OF-MESSAGE) .*|milter-reject: END-OF-MESSAGE",
        "the content was refused",
        "A header or body check, or a content filter, refused the message after DATA.",
        "See the pattern in header_checks, body_checks or the filter's log.",
    ),
    Rule(
        "policy.access",
        _REJECT
        + r"(?P<reply>\d{3} \S+) (?P<what>.*?): (?P<side>Client host|Sender address|Recipient address|Data command|Helo command) rejected: (?P<why>[^;]*)",
        "{side} refused: {why}",
        "A restriction or table refused it with {reply}; the transcript names the restriction and the table entry.",
        "Look the key up with postmap -q in the table that the transcript names.",
        fallback=True,
    ),
)
