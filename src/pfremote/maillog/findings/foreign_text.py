"""What strangers wrote into a line: a subject, an address, a command. No cause may be read from it. Pure."""

from __future__ import annotations

import re

_MILTER_SAID = (
    "policy.milter",
    "policy.milter-setting",
    "policy.milter-unavailable",
    "policy.milter-rate-limit",
    "policy.milter-tempfail",
    "policy.milter-deferred",
    "policy.dmarc",
)
_CLIENT_SENT = ("policy.non-smtp", "policy.pipelining", "tls.to-plain-port", "frontdoor.proxy-protocol-unexpected")
_ACTION = r"(?:\w+: )?(?:milter-header-)?{}: (?:header|body|content|mime-header|nested-header) "
#: The kinds of lines that quote a stranger, and the codes (or the families, with their dot) of the rules that know what
#: is quoted there.
_KINDS: dict[str, tuple[str, ...]] = {
    # What is said of a message: cleanup, qmgr, pickup and smtpd tell of it, and nothing failed.
    r"\w+: (?:(?:resent-)?message-id=|from=<.*>, size=|uid=\d+ from=<|client=)": (),
    # cleanup_message.c, header_body_checks.c: the action, where, and up to 200 characters of the message.
    _ACTION.format("reject"): ("policy.content",),
    _ACTION.format("warning"): ("policy.content-warned",),
    _ACTION.format("(?:hold|discard|redirect|filter)"): ("disposition.",),
    _ACTION.format("(?:info|pass|delay|prepend|replace|bcc|strip)"): (),
    # milter8.c: the reply is the filter's, in words of its own.
    r"(?:\w+: )?milter-reject: ": _MILTER_SAID,
    # smtpd.c, postscreen_smtpd.c, postscreen_early.c, haproxy_srvr.c: what the client sent.
    r"(?:warning: )?(?:non-SMTP command from|improper command pipelining after) ": _CLIENT_SENT,
    r"warning: \S+ sent \S+ header instead of SMTP command: ": _CLIENT_SENT,
    r"warning: Illegal address syntax from ": ("policy.address-syntax",),
    r"warning: haproxy read: ": ("frontdoor.proxy-protocol-missing", "frontdoor.proxy-protocol-family"),
    r"PREGREET \d": ("screen.pregreet",),
    # dnsblog.c: the name that was asked for is made of the client's address.
    r"warning: dnsblog_query: lookup error": ("screen.no-lists",),
    r"(?:NON-SMTP COMMAND|COMMAND [A-Z ]+|BARE NEWLINE) from ": ("screen.protocol", "screen.limit"),
    # pipe_command.c: what the delivery command printed.
    r"\w+: to=<.*? status=\w+ \([^()]*Command output: ": ("local.", "delivery.mailbox-full"),
}
#: A transcript names the daemon where it is another one than the session's.
_KIND = re.compile("(?:[a-z-]+: )?(?:" + "|".join(f"({pattern})" for pattern in _KINDS) + ")")
_ALLOWED = tuple(_KINDS.values())
#: smtpd_check.c and postscreen_smtpd.c tell the envelope behind the reply, others the addresses before the status.
_ENVELOPE = re.compile(r"; (?:from|to|proto|helo|client|sasl_method|sasl_username)=.*", re.DOTALL)
_ADDRESS = re.compile(r"(?<=: )(?:to=<.*>(?=, relay=)|from=<.*>(?=, status=))")


def leave_out(text: str) -> tuple[str, tuple[str, ...] | None]:
    """Return what rules may read of a line, and of which codes they must be; None: of any.

    >>> leave_out("NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 no; from=<a b@c> to=<d@e> proto=SMTP helo=<f>")
    ('NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 no', None)
    >>> leave_out("5AB0C11D22E: message-id=<disk.full@example.org>")[1]
    ()
    """
    kind = _KIND.match(text)
    if kind is not None:
        return text, _ALLOWED[(kind.lastindex or 1) - 1]
    if "=<" in text or "; proto=" in text:
        text = _ADDRESS.sub("<>", _ENVELOPE.sub("", text))
    return text, None


def is_about(code: str, about: tuple[str, ...]) -> bool:
    """Say whether a rule with this code may read a line of such a kind.

    >>> is_about("screen.protocol", ("screen.",)), is_about("policy.content-warned", ("policy.content",))
    (True, False)
    """
    return code in about or any(part.endswith(".") and code.startswith(part) for part in about)
