"""Mail that smtp or lmtp could not hand over: the way to the server."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import QUOTED, SIGN, Rule

#: Who connects to other servers, and who repeats what these met. Others connect to the services of tables and policies.
_SEND = frozenset(("smtp", "lmtp", "error", "retry", "qmgr"))
_CONNECT = r"(?:^|\(|: )connect to (?P<server>\S+?): "

RULES = (
    Rule(
        "delivery.no-socket",
        r"(?:^|\(|: )connect to (?P<server>\S+\[[^\]\s]*/[^\]\s]*\]): (?P<why>No such file or directory|Permission denied|Connection refused)",
        "the LMTP socket cannot be reached",
        "{server}: {why}.",
        "See that Dovecot (or the LMTP server) runs, and the path, owner and mode of its socket as seen by Postfix (chroot).",
        side="out",
        only=_SEND,
    ),
    Rule(
        "delivery.refused",
        _CONNECT + r"Connection refused",
        "the server refuses connections",
        "Nothing listens on {server}, or a firewall answers for it.",
        "Try nc or telnet to {server} from the mail host; see the port in transport_maps or relayhost.",
        side="out",
        only=_SEND,
    ),
    Rule(
        "delivery.connect-timeout",
        _CONNECT + r"(?:Connection|Operation) timed out",
        "no answer from the server to our connection",
        "{server} did not answer within smtp_connect_timeout: a firewall that drops (outbound port 25 blocked?), or the host is down.",
        "Try another port and another host from here: nc -vz; ask the provider about outbound port 25.",
        side="out",
        only=_SEND,
    ),
    Rule(
        "delivery.no-route",
        _CONNECT
        + r"(?P<why>No route to host|Network is (?:unreachable|down)|Host is down|Cannot assign requested address)",
        "no route to the server",
        "{server}: {why}. With an IPv6 address this host may have no IPv6.",
        "ip route get ADDRESS; see inet_protocols and smtp_address_preference.",
        side="out",
        only=_SEND,
    ),
    Rule(
        "delivery.connect-failed",
        _CONNECT + r"(?P<why>[^)]+)",
        "the connection to the server failed",
        "{server}: {why}.",
        "nc -vz HOST PORT from the mail host; look at the firewall's log, and at smtp_bind_address.",
        side="out",
        only=_SEND,
        weight=SIGN,
    ),
    Rule(
        "delivery.bind",
        r"warning: \S*: bind (?P<address>\S+): (?P<why>.*)",
        "smtp_bind_address is not an address of this host",
        "{address}: {why}. The connection was made from another address, which can fail at the other side.",
        "ip addr; then correct smtp_bind_address, smtp_bind_address6 or inet_interfaces.",
        side="out",
    ),
    Rule(
        "delivery.null-mx",
        r"Domain (?P<name>\S+) does not accept mail \(nullMX\)|null ?MX",
        "the domain takes no mail (null MX)",
        "{name} says so in DNS (RFC 7505).",
        "dig MX {name}; correct the address.",
    ),
    Rule(
        "delivery.dns-not-found",
        r"Name service error for name=(?P<name>\S+) type=\w+: (?:Host not found(?!, try)|Host found but no data record)|\((?P<host>\S+): host not found\)",
        "the destination does not exist in DNS",
        "{name}{host} has no MX and no address record.",
        "dig MX and A of {name}{host}; see the spelling in the recipient, relayhost or transport_maps.",
    ),
    Rule(
        "delivery.dns-malformed",
        r"Name service error for name=(?P<name>\S+) type=\w+: Malformed",
        "DNS has a malformed answer for the destination",
        "What the name servers of {name} say is not what DNS allows, such as an address where the MX record must have a name.",
        "dig MX {name}; tell the owner of the domain.",
    ),
    Rule(
        "delivery.dns-failed",
        r"Name service error for (?:name=|domain )(?P<name>[^\s:]+)(?: type=\w+)?: (?P<why>Host not found, try again|.*SERVFAIL|[Tt]emporary.*|.+)",
        "DNS did not answer for the destination",
        "The resolver has no answer for {name} now ({why}); Postfix tries again.",
        "dig MX {name} on the mail host; look at its resolver and, with DANE, at DNSSEC.",
    ),
    Rule(
        "delivery.mx-without-address",
        r"no (?:MX|SRV) host for (?P<domain>\S+) has a valid address record|unable to find primary relay for (?P<relay>\S+)",
        "the domain's MX has no address",
        "{domain}{relay}: the MX records name hosts without A or AAAA that this host may use.",
        "dig MX, then A and AAAA of each; see inet_protocols.",
    ),
    Rule(
        "delivery.loop",
        r"mail for (?P<domain>\S+) loops back to myself|greeted me with my own hostname|replied to HELO/EHLO with my own hostname",
        "mail for {domain} leads back to this host",
        "The MX of {domain} is this host, and Postfix does not know the domain as its own.",
        "Add {domain} to mydestination, virtual_mailbox_domains or relay_domains, or correct the MX; where two hosts share a name, set myhostname.",
    ),
    Rule(
        "delivery.protocols",
        r"all network protocols are disabled|network address conversion failed",
        "this host has no network protocol for the destination",
        "inet_protocols leaves nothing that fits.",
        "postconf inet_protocols; ip addr.",
    ),
    Rule(
        "delivery.our-settings",
        r"\([Ss]erver configuration error\)|mail system configuration error|warning: (?P<what>\S+ configuration problem)",
        "a setting of ours keeps the mail from being delivered",
        "The line that names it stands just before. {what}",
        "Look for the warning of the same process before this line; postconf -n.",
        weight=SIGN,
    ),
    Rule(
        "delivery.no-server-left",
        r"\(server unavailable or unable to receive mail\)",
        "none of the domain's servers took the mail",
        "Each was tried and failed; the lines before say how.",
        "Look at the attempts before this line in the log of the same process.",
        weight=SIGN,
    ),
    Rule(
        "delivery.transport-down",
        r"mail transport unavailable|unknown mail transport error|transport (?P<name>\S+) failure -- see|connect to transport private/(?P<private>\S+): (?P<why>.*)",
        "a transport of master.cf does not work",
        "{name}{private} {why}: its process dies, or master.cf has no such line.",
        "See the fatal: or warning: line of that daemon before this one; postconf -M lists the services.",
    ),
    Rule(
        "delivery.unwelcome",
        r"(?:host (?P<server>\S+)|connect to (?P<old>\S+?): server) refused to talk to me: (?P<reply>\d{3}"
        + QUOTED
        + ")",
        "the remote server refuses this host",
        "{server}{old} answered our connection with: {reply}",
        "Look up our address on block lists; with 421 lower the concurrency (smtp_destination_concurrency_limit).",
        side="out",
    ),
    Rule(
        "delivery.lost",
        r"lost connection with (?P<server>\S+) while (?P<stage>[^)]+)",
        "the remote server hung up while {stage}",
        "{server} closed the connection without a reply.",
        "Look at the last lines of the transcript; compare message size and contents with mail that passes.",
        side="out",
        yields=("tls.",),
    ),
    Rule(
        "delivery.server-timeout",
        r"conversation with (?P<server>\S+) timed out while (?P<stage>[^)]+)",
        "the remote server was too slow while {stage}",
        "{server} did not answer in time; the slow side is the server or the network between (path MTU, if it was sending message body).",
        "The gap in the transcript shows how long we waited; compare with the smtp_*_timeout of this stage.",
        side="out",
        yields=("tls.wrappermode-needed",),
    ),
    Rule(
        "delivery.server-broken",
        r"\(unexpected server message|local data error while talking to|unreadable mail queue entry|non-E?SMTP response from (?P<server>\S+?):|non-\S+ response from",
        "the remote server does not speak SMTP, or our queue file is damaged",
        "{server} sent something that is no reply.",
        "Try telnet to the server and port; for the queue file: postcat -q QUEUE_ID.",
        weight=SIGN,
    ),
    Rule(
        "delivery.smtputf8",
        r"SMTPUTF8 is required, but was not offered by host (?P<server>\S+?)(?:\)|$)|message requires SMTPUTF8",
        "the message needs SMTPUTF8, and the server does not know it",
        "An address or header has characters beyond ASCII. {server}",
        "Use an ASCII address for this recipient; smtputf8_autodetect_classes decides which mail needs it.",
    ),
    Rule(
        "delivery.address-syntax",
        r"status=\w+ \(bad address syntax\)",
        "the recipient's address is malformed",
        "Postfix itself says so; no server was asked. The address stands in to=, what was typed in orig_to=.",
        "Correct the address, or the alias or map that made it (orig_to= is what came in).",
    ),
    Rule(
        "delivery.expired",
        r"status=expired, returned to sender",
        "the message was given up after maximal_queue_lifetime",
        "Every attempt before failed for a while; their lines say why.",
        "Look for earlier attempts with the same queue id.",
    ),
)
