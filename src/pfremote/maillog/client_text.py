"""Where in a line of Postfix the words of a client may stand. Pure.

The rest is the server's own: names of clients and hosts, queue ids, what was decided and why. Nothing that is
known of a client only because the client said it is masked there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: First words of lines that begin like debug lines and hold what a client said in quotes only.
_SEVERITIES = frozenset(("warning:", "error:", "fatal:", "panic:", "NOQUEUE:"))
#: Debug lines begin with the function that writes them, or with one of these (util/attr_*.c).
_FUNCTION = re.compile(r"[a-z][a-z0-9_]*(?:\[\d+\])?:\Z")
_ATTRIBUTES = ("send attr ", "input attribute value: ")
#: Their words are Postfix's own: names of restrictions, and stages (smtpd/smtpd_check.c: generic_checks).
_NO_CLIENT = ("generic_checks: ", ">>> ", "input attribute name: ", "name_mask: ", "server features: ")
#: smtpd/smtpd.c, smtpd_sasl_glue.c: how a line that is no debug line quotes a client.
_QUOTED = re.compile(r'<([^<>]*)>|"([^"]*)"|\b(?:sasl_username|sasl_sender|user)=(.*?)(?=, \w+=|\Z)')
#: smtpd/smtpd.c, postscreen/*.c: what stands behind these was sent by the client.
_SAID = re.compile(
    r"(?:pipelining after \S{1,300} from [^\]]{0,300}\]\S{0,8}: |PREGREET \d+ after \S{1,20} from \S{1,300}: "
    r"|(?:COMMAND PIPELINING|NON-SMTP COMMAND) from \S{1,300} after |BARE NEWLINE from \S{1,300} after "
    r"|non-\S{1,20} command from \S{1,300}: |request longer than \d+: )"
)
#: smtpd/smtpd.c: replies that repeat what the client sent without quoting it (MAIL and RCPT options, VRFY).
_ECHOED = re.compile(r"> \S{1,300}: (?:555 5\.5\.4 Unsupported option: |252 2\.0\.0 )")
_COMMAND = re.compile(r"\s*(?:MAIL FROM|RCPT TO|[A-Z]{4,8}(?=[\s:]|\Z)):?\s?", re.IGNORECASE)


def client_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield from where to where a client's own words may stand.

    >>> [text[a:b] for text in ("NOQUEUE: reject: RCPT from a[192.0.2.1]: 554 <x@y>: no; helo=<z>",)
    ...  for a, b in client_spans(text)]
    ['x@y', 'z']
    """
    if text.startswith(_NO_CLIENT):
        return
    if text.startswith("< "):
        start = text.find(": ") + 2
        command = _COMMAND.match(text, start) if start > 1 else None
        yield (command.end() if command else max(start, 2)), len(text)
        return
    if is_debug(text):
        start = text.find(" = ") if text.startswith("send attr ") else text.find(": ")
        yield start + 2, len(text)
        return
    for found in _QUOTED.finditer(text):
        yield found.span(found.lastindex or 0)
    said = _ECHOED.match(text) or _SAID.search(text)
    if said is not None:
        yield said.end(), len(text)


def is_debug(text: str) -> bool:
    """Say whether this is a debug line, which begins with the function that wrote it."""
    word = text.partition(" ")[0]
    return text.startswith(_ATTRIBUTES) or (_FUNCTION.match(word) is not None and word not in _SEVERITIES)


def spans_without(text: str, spans: Iterator[tuple[int, int]], names: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield the spans without the places where one of ``names`` stands: what a client or a host is called stays.

    >>> list(spans_without("a: b[192.0.2.1] x", iter([(3, 17)]), ("b[192.0.2.1]",)))
    [(15, 17)]
    """
    if not names:
        yield from spans
        return
    taken = sorted((found.start(), found.end()) for name in names for found in _find(name, text))
    for start, end in spans:
        for first, last in taken:
            if last <= start or first >= end:
                continue
            if first > start:
                yield start, first
            start = max(start, last)
        if start < end:
            yield start, end


def _find(name: str, text: str) -> Iterator[re.Match[str]]:
    return re.finditer(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", text)


def shares_span(start: int, end: int, spans: Iterable[tuple[int, int]]) -> bool:
    """Say whether ``start`` to ``end`` lies in one of the spans."""
    return any(first <= start and end <= last for first, last in spans)
