"""Commands and lines with which a client breaks the protocol."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import SIGN, Rule

RULES = (
    Rule(
        "policy.address-syntax",
        r"^501 5\.1\.[37] Bad (?P<side>sender|recipient) address syntax|warning: Illegal address syntax from \S+ in (?P<command>\w+) command: (?P<address>.*)",
        "an address is malformed",
        "It is no address as RFC 5321 has it: {address}",
        "Correct the sending program; strict_rfc821_envelopes = yes makes more of them errors.",
        side="in",
    ),
    Rule(
        "policy.smtputf8",
        r"^553 5\.6\.7 Must declare SMTPUTF8",
        "an address with characters beyond ASCII came without SMTPUTF8",
        "The client did not ask for the extension in MAIL FROM.",
        "Correct the client; strict_smtputf8 = no accepts more.",
        side="in",
    ),
    Rule(
        "policy.bare-newline",
        r"bare (?:<LF>|newline) received|bare newline|\bBare LF",
        "the client ends lines with LF alone",
        "smtpd_forbid_bare_newline refuses that, because it is how mail is smuggled (SMTP smuggling).",
        "Correct the client, or list it in smtpd_forbid_bare_newline_exclusions.",
        side="in",
    ),
    Rule(
        "policy.pipelining",
        r"Improper use of SMTP command pipelining|Error: SMTP protocol synchronization|improper command pipelining after (?!CONNECT from \S+: (?:\\026|PROXY ))",
        "the client talks without waiting for replies",
        "The client sent commands before the server allowed it (RFC 2920): spamware, or a broken load balancer check.",
        "Use EHLO before pipelining in the client; if it is a proxy, look at what it sends before us.",
        side="in",
    ),
    Rule(
        "policy.non-smtp",
        r"(?:non-SMTP command from \S+|warning: \S+ sent \S+ header instead of SMTP command): (?!PROXY |\\026|\?\?\?)(?P<what>.*)|^221 2\.7\.0 Error: I can break rules",
        "the client does not speak SMTP",
        "It sent: {what}. smtpd_forbidden_commands ends such a session: a web browser, a proxy or an attack.",
        "Look at what connects from this address.",
        side="in",
        weight=SIGN,
        yields=("policy.", "table.", "filter.", "milter.", "tls."),
    ),
    Rule(
        "policy.bounce-recipients",
        r"(?:Data command|Recipient address) rejected: Multi-recipient bounce",
        "a bounce has more than one recipient",
        "reject_multi_recipient_bounce: a message with the null sender goes to one recipient.",
        "Correct the sending program.",
        side="in",
    ),
    Rule(
        "policy.xclient",
        r"^550 5\.7\.0 Error: insufficient authorization|^501 5\.5\.4 Bad (?:NAME|ADDR|PORT|PROTO|HELO|LOGIN|DESTADDR|DESTPORT|IDENT|SOURCE|DOMAIN|XCLIENT|XFORWARD)\b",
        "XCLIENT or XFORWARD was refused",
        "The client is not in smtpd_authorized_xclient_hosts (or _xforward_hosts), or an attribute is malformed.",
        "Add the proxy's address there, on this service only.",
        side="in",
    ),
)
