"""Which lines of a log are plainly ordinary: they teach no secret, and nothing of them explains another line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_MONTH = rb"(?:J(?:an|u[nl])|Feb|Ma[ry]|A(?:pr|ug)|Sep|Oct|Nov|Dec)"
_STAMP = _MONTH + rb" [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d"
_HOST = rb"[A-Za-z0-9][\w.-]*"
#: Most programs of Postfix log under its own name: the first way costs a third of the other.
_TAG = rb"(?:postfix/[a-z]+|[\w./-]{1,60}/[a-z]+)"
ID = rb"(?:[0-9A-F]{6,14}+|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}+)"
#: What an ordinary line says: it teaches no secret, and its process is in no exchange.
_SAYS = (
    rb" " + _TAG + rb"\[\d+\]: (?:" + ID + rb": (?:from=<|to=<|removed|client=|message-id=|uid=|sender )"
    rb"|connect from |disconnect from |statistics: (?:max |start |domain |address )|(?:lost connection|timeout) after "
    rb"|NOQUEUE: reject: |SSL_accept error from "
    rb"|warning: (?:hostname |TLS library problem: |[\w.-]+\[[0-9a-fA-F.:]+\]: SASL [A-Za-z0-9-]+ authentication f)"
    rb"|(?:Anonymous|Untrusted|Trusted|Verified) TLS connection established )[^\n]*\n"
)
_ORDINARY = re.compile(rb"(?:" + _STAMP + rb") (" + _HOST + rb")" + _SAYS)
#: What would make a reader look at the rest of a line.
_RARE = (b": replacing ", b": wanted attribute: ", b'" = "', b': "')
#: Lines of smtpd, smtp and lmtp that mean the same without the lines before them: they quote no client's command.
_ALONE = re.compile(
    rb"\]: (?:"
    + ID
    + rb": |NOQUEUE: |(?:warning|fatal|error|panic): (?!non-|\S+: request longer)|(?:dis)?connect from "
    rb"|(?:lost connection|timeout) after |SSL_accept error |\w+ TLS connection )"
)
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


def needs_process(line: bytes, daemon: bytes) -> bool:
    """Say whether what the line teaches, or whose it is, depends on the other lines of its process."""
    if any(word in line for word in _RARE):
        return True
    alone = _ALONE if daemon in CONVERSES else _ORDINARY
    return alone.search(line) is None
