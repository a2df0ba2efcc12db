"""What stands before smtpd: proxies, load balancers, postscreen."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import FAILURE, Rule

RULES = (
    Rule(
        "policy.rdns-failed",
        r"warning: hostname (?P<name>\S+) does not resolve to address (?P<address>[0-9a-fA-F.:]*[0-9a-fA-F]): (?P<why>(?i:temporary failure|.*try again|server failure|.*timed? ?out).*)|warning: (?:smtpd_peer_init: )?(?P<old>[0-9a-fA-F.:]*[0-9a-fA-F]): hostname (?P<host>\S+) verification failed: (?P<reason>(?i:temporary failure|.*try again|server failure|.*timed? ?out).*)",
        "DNS did not answer for the client's host name",
        "The PTR of {address}{old} is {name}{host}, and looking that name up failed ({why}{reason}); Postfix calls such a client unknown until it works, so rules and debug_peer_list patterns by name miss it.",
        "dig A {name}{host} on the mail host, with time; look at its resolver and at the chroot's resolv.conf.",
    ),
    Rule(
        "frontdoor.proxy-protocol-missing",
        r"haproxy read: (?P<why>.*)|haproxy_srvr_\w+: (?P<parse>.*)|fatal: (?:missing (?:client|server) (?:address|port)|bad \S+ (?:client|server) (?:address|port\w*)(?: number)? syntax) from proxy",
        "this service expects the PROXY protocol and did not get it",
        "{why}{parse}: the client connected directly, or the load balancer sends no PROXY header.",
        "Switch the header on at the load balancer (HAProxy: send-proxy), or take smtpd_upstream_proxy_protocol (postscreen_upstream_proxy_protocol) from this port.",
        side="in",
    ),
    Rule(
        "frontdoor.proxy-protocol-unexpected",
        r"^PROXY (?:TCP[46]|UNKNOWN)|(?:after CONNECT from \S+|non-SMTP command from \S+): (?:PROXY |\\r\\n\\r\\n\\000)",
        "the load balancer sends a PROXY header, and this service does not expect it",
        "smtpd read the header as a command.",
        "Set smtpd_upstream_proxy_protocol = haproxy for this port, or switch the header off at the load balancer.",
        side="in",
    ),
    Rule(
        "frontdoor.health-check",
        r"lost connection after CONNECT from (?P<client>\S+)",
        "{client} connected and said nothing",
        "A port scan, a health check of a load balancer or monitoring, or a client that gave up while it waited for the banner.",
        "If it is a load balancer, let its check send QUIT; else nothing is wrong here.",
        "likely",
        side="in",
        group="session",
        weight=FAILURE,
    ),
    Rule(
        "screen.pregreet",
        r"PREGREET \d+ after (?P<after>\S+) from (?P<client>\S+): (?P<what>.*)",
        "postscreen: the client talked before its turn",
        "{client} sent something {after} s after it connected, before the greeting: spamware. postscreen_greet_action decides.",
        "Put a client that must be let in into postscreen_access_list.",
    ),
    Rule(
        "screen.listed",
        r"DNSBL rank (?P<rank>\d+) for (?P<client>\S+)",
        "postscreen: the client is on block lists",
        "{client} has a score of {rank}, which is postscreen_dnsbl_threshold or more.",
        "Look the address up at the lists of postscreen_dnsbl_sites; an exception goes into postscreen_access_list.",
    ),
    Rule(
        "screen.denied",
        r"(?:BLACK|DENY|BLOCK)LISTED (?P<client>\S+)",
        "postscreen: the client is in postscreen_access_list with reject",
        "{client} was refused by our own list.",
        "postmap -q ADDRESS on the table in postscreen_access_list.",
    ),
    Rule(
        "screen.busy",
        r"reject: (?:CONNECT|connect) from (?P<client>\S+): (?:all (?:server|screening) ports busy|too many connections)|entering STRESS mode",
        "postscreen: too many connections",
        "All smtpd processes or the client's share are in use.",
        "See postscreen_client_connection_count_limit and smtpd's process limit in master.cf (STRESS_README).",
    ),
    Rule(
        "screen.first-visit",
        r"reject: RCPT from (?P<client>\[\S+\]:\d+): 450 4\.3\.2 Service currently unavailable",
        "postscreen: a new client must come back",
        "The deep protocol tests end with 450 once; the client is let in at its next attempt. Senders with many addresses come back from another one.",
        "Wait for PASS NEW and the next attempt; leave postscreen_bare_newline_enable, _non_smtp_command_enable and _pipelining_enable off if it takes too long.",
    ),
    Rule(
        "screen.protocol",
        r"(?P<what>BARE NEWLINE|NON-SMTP COMMAND|COMMAND PIPELINING|COMMAND (?:TIME|COUNT|LENGTH) LIMIT) from (?P<client>\S+)",
        "postscreen: the client breaks the protocol ({what})",
        "{client} did what mail servers do not do.",
        "Put a client that must be let in into postscreen_access_list.",
    ),
    Rule(
        "screen.protocol",
        r"reject: RCPT from (?P<client>\[\S+\]:\d+): 550 5\.5\.1 Protocol error",
        "postscreen: the client broke the protocol before",
        "{client} failed a test, which stands in its lines before; postscreen refused its mail at the end of the dialogue.",
        "Put a client that must be let in into postscreen_access_list.",
    ),
    Rule(
        "screen.handover",
        r"warning: (?:timeout|problem|error) (?:sending|passing) connection to service (?P<service>\S+)",
        "postscreen cannot hand a client over to smtpd",
        "{service} did not take the connection in time: all its processes are busy, or none starts.",
        "Look for fatal: and throttling lines of smtpd, and at its process limit in master.cf (postconf -M smtpd/pass).",
    ),
    Rule(
        "screen.hangup",
        r"HANGUP after (?P<after>\S+) from (?P<client>\S+) in (?P<when>.*)",
        "postscreen: the client hung up during the tests",
        "{client} closed after {after} s ({when}).",
        "Nothing is wrong here; a client that waits too short fails postscreen_greet_wait.",
        "likely",
    ),
    Rule(
        "screen.no-lists",
        r"dnsblog reply timeout (?P<after>\S+) for (?P<list>\S+)|warning: dnsblog_query: lookup error for DNS query (?P<query>\S+): (?P<why>.*)",
        "a block list of postscreen does not answer",
        "{list}{query} {why}",
        "dig the name on the mail host; take lists out that have shut down.",
        group="note",
    ),
)
