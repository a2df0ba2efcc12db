"""Which lines of a log are plainly ordinary: they teach no secret, and nothing of them explains another line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pfremote.maillog.parse.patterns import OF_MESSAGE

_MONTH = rb"(?:J(?:an|u[nl])|Feb|Ma[ry]|A(?:pr|ug)|Sep|Oct|Nov|Dec)"
_STAMP = _MONTH + rb" [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d"
_HOST = rb"[A-Za-z0-9][\w.-]*"
#: Most programs of Postfix log under its own name: the first way costs a third of the other.
_TAG = rb"(?:postfix/[a-z]+|[\w./-]{1,60}/[a-z]+)"
ID = rb"(?:[0-9A-F]{6,14}+|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}+)"
_TLS = rb"(?:Anonymous|Untrusted|Trusted|Verified) TLS connection established "
#: What an ordinary line says: it teaches no secret, and its process is in no exchange.
_SAYS = (
    rb" " + _TAG + rb"\[\d+\]: (?:" + ID + rb": (?:from=<|to=<|removed|client=|message-id=|uid=|sender )"
    rb"|connect from |disconnect from |statistics: (?:max |start |domain |address )|(?:lost connection|timeout) after "
    rb"|NOQUEUE: reject: |SSL_accept error from "
    rb"|warning: (?:hostname |TLS library problem: |[\w.-]+\[[0-9a-fA-F.:]+\]: SASL [A-Za-z0-9-]+ authentication f)"
    rb"|" + _TLS + rb").*+\n"
)
_ORDINARY = re.compile(rb"(?:" + _STAMP + rb") (" + _HOST + rb")" + _SAYS)
#: A daemon of whose lines some mean nothing without others of the same process.
DAEMON = rb"(smtpd|smtp|lmtp|cleanup|local|virtual|pipe|bounce|error|discard|pickup)"
#: The stamp alone, and the head of a line: its host, its process and the daemon of that.
STAMP = re.compile(_STAMP)
HEAD = re.compile(
    rb"(?:" + _STAMP + rb")( (" + _HOST + rb") "
    rb"((?:postfix|[\w./-]{1,60})/" + DAEMON + rb"\[\d+\]): )"
)
#: What lines of smtpd, smtp and lmtp say that mean the same without the lines before them: no client's command.
_ALONE = re.compile(
    ID + rb": |NOQUEUE: |(?:warning|fatal|error|panic): (?!non-|\S+: request longer)|(?:dis)?connect from "
    rb"|(?:lost connection|timeout) after |SSL_accept error |" + _TLS
)
#: What lines say after which the readers of their process are where they were: in no exchange, with no value announced.
#: A process of which a table has changed ends.
_PLAIN = re.compile(
    ID
    + rb": |NOQUEUE: |(?:warning|fatal|error|panic): |(?:dis)?connect from |SSL_accept error |"
    + _TLS
    + rb"|(?:lost connection|timeout|too many errors|improper command pipelining) after |statistics: "
    rb"|table \S+ has changed "
)
#: What announces the value of a later line, tells a table's result, or quotes a command in the rest of a line.
_ANNOUNCES = (b": wanted attribute: ", b'" = "')
_QUOTES = b": replacing "
_OF_MESSAGE = re.compile(OF_MESSAGE.pattern.encode())
CONVERSES = frozenset((b"smtpd", b"smtp", b"lmtp"))


def find_quoted(block: bytes) -> Iterator[int]:
    """Yield where something is quoted in a way that would make a reader look at the rest of an ordinary line.

    A quotation mark is what such lines hardly have, and a single sign is found fastest. What else is rare stands behind
    the first word of a line, where an ordinary one has something else.
    """
    at = block.find(b'"')
    while at >= 0:
        if block.startswith(b' = "', at + 1) or block.endswith(b": ", 0, at):
            yield at
        at = block.find(b'"', at + 1)


def find_others(block: bytes, hosts: set[str]) -> Iterator[tuple[int, int]]:
    """Yield where the lines stand that are not ordinary, and note the first two hosts that the ordinary ones name."""
    ordinary, at = _of_hosts(frozenset(hosts)), 0
    while True:
        if found := ordinary.match(block, at):
            at = found.end()
        if at >= len(block):
            return
        end = block.find(b"\n", at) + 1
        if other := _ORDINARY.match(block, at):
            hosts.add(other[1].decode())
            ordinary = _of_hosts(frozenset(hosts))
        else:
            yield at, end
        at = end


@cache
def _of_hosts(hosts: frozenset[str]) -> re.Pattern[bytes]:
    """Return the expression of as many ordinary lines as follow each other, of one host or, from two on, of any."""
    names = _HOST if len(hosts) > 1 else b"".join(re.escape(host.encode()) for host in hosts) or rb"(?!)"
    return re.compile(rb"(?:(?:" + _STAMP + rb") " + names + _SAYS + rb")*+")


def needs_process(said: bytes, daemon: bytes) -> bool:
    """Say whether what a line teaches depends on other lines of its process; ``said`` is the line without its head."""
    if not is_plain(said):
        return True
    return daemon in CONVERSES and (_ALONE.match(said) is None or _QUOTES in said)


def names_message(said: bytes) -> bool:
    """Say whether a line begins with the message that it is about."""
    return _OF_MESSAGE.match(said) is not None


def is_plain(said: bytes) -> bool:
    """Say whether the readers of a process are after this line where they were before it."""
    return _PLAIN.match(said) is not None and not any(word in said for word in _ANNOUNCES)
