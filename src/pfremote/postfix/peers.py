"""Read one pattern of ``debug_peer_list`` as Postfix would, and refuse what it would silently ignore. Pure.

Postfix accepts almost anything there without a word (``postconf``, ``postfix check`` and ``reload`` all succeed) and
then matches nothing, or stops reading the list, or (a lone ``!``) refuses to start. So every pattern is read here
first, once, when the command line or the playbook is read.

>>> parse_peer("2001:DB8::1").text
'[2001:db8::1]'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from pfremote.errors import Reason, UsageError
from pfremote.model.peer import Peer
from pfremote.postfix.peer_address import IPV4_LIKE, IPV6_LIKE, Net, read_ipv4, read_ipv6
from pfremote.postfix.peer_mistakes import (
    explain_character,
    explain_file,
    explain_logged,
    explain_port,
    explain_table,
)
from pfremote.postfix.peer_name import read_name, read_nexthop

#: Shorter prefixes than these cover so much of the Internet that they need ``--all-peers``.
BROAD_PREFIX = {4: 8, 6: 16}

#: Kept from every pattern: quoting and expansion in main.cf (postconf(5), "parameter substitution"), shells, comments.
_FORBIDDEN = re.compile(r"[$#\"'`\\;|<>&^]")
#: The characters that the agent lets pass as well; braces are for inline tables only.
_TABLE = re.compile(
    r"(?P<type>[a-z][a-z0-9_-]*):(?P<name>[A-Za-z0-9._:/@%+~=-]+|(?<=inline:)\{[A-Za-z0-9._:/@%+~=, -]+\})\Z"
)
_FILE = re.compile(r"/[A-Za-z0-9_.@%+=:~/-]+\Z")
_WITH_PORT = re.compile(r"[0-9.]+\.[0-9]+:[0-9]+\Z")
_LOGGED = re.compile(r"[^\[\]]+\[(?P<address>[0-9A-Fa-f:.]+)\](?::\d+)?\Z")


def split_peers(text: str) -> tuple[str, ...]:
    """Split a list at commas and blanks but not inside braces, as mystrtokq() does for ``inline:{a=x, b=x}``."""
    items: list[str] = []
    item = ""
    depth = 0
    for char in text:
        depth += (char == "{") - (char == "}")
        if char in ", \t\r\n" and depth <= 0:
            items.append(item)
            item = ""
        else:
            item += char
    items.append(item)
    return tuple(item for item in items if item)


def parse_peers(texts: Iterable[str]) -> tuple[tuple[Peer, ...], tuple[Reason, ...]]:
    """Read what the ``--peer`` options say (each may list several); one Reason per item that is wrong.

    The same pattern given twice counts once.
    """
    peers: dict[str, Peer] = {}
    reasons: list[Reason] = []
    for text in texts:
        for item in _items(text):
            read = read_peer(item)
            if isinstance(read, Reason):
                reasons.append(read)
            else:
                peers.setdefault(read.text, read)
    return tuple(peers.values()), tuple(reasons)


def parse_peer(text: str) -> Peer:
    """Read exactly one pattern.

    Raises:
        UsageError: it is none; the hint says what to type instead.
    """
    items = _items(text)
    if len(items) != 1:
        raise UsageError(
            f"{text}: these are {len(items)} patterns, one is wanted here", hint="Give each its own --peer."
        )
    read = read_peer(items[0])
    if isinstance(read, Reason):
        raise UsageError(read.message, hint=read.hint)
    return read


def _items(text: str) -> tuple[str, ...]:
    """The items of one option; a text that must be refused whole stays whole, so that it is named once."""
    if not text.strip(" ,") or any(not char.isprintable() for char in text) or text.count("{") != text.count("}"):
        return (text,)
    return split_peers(text)


def read_peer(text: str) -> Peer | Reason:
    """Read one pattern without separators; return why not where it cannot stand in ``debug_peer_list``."""
    if not text.strip(" ,"):
        return Reason("peer-empty", "an empty --peer names no peer", "Type an address, a network or a host name.")
    if any(not char.isprintable() for char in text):
        return Reason(
            "peer-characters",
            f"{text!r}: a pattern holds no line breaks or control characters",
            "Give each its own --peer.",
        )
    body = text.lstrip("!")
    negated = (len(text) - len(body)) % 2 == 1
    if not body:
        return Reason(
            "peer-negation",
            f"{text}: without a pattern after it, '!' keeps every smtpd and smtp process from starting",
            "Write the pattern right after it, as in !192.0.2.5.",
        )
    if bad := _FORBIDDEN.search(body):
        return explain_character(body, bad.group())
    read = _read_body(body)
    if isinstance(read, Reason):
        return read
    if negated:
        return replace(read, text=f"!{read.text}", negated=True, broad="", typed=text)
    return replace(read, typed=text)


def _read_body(body: str) -> Peer | Reason:
    if body.startswith("/"):
        return _read_file(body)
    if body.startswith("["):
        return _read_bracketed(body)
    if IPV4_LIKE.match(body):
        return _from_net(read_ipv4(body))
    if _WITH_PORT.match(body):
        return explain_port(body)
    if IPV6_LIKE.match(body):
        return _from_net(read_ipv6(body))
    if logged := _LOGGED.match(body):
        return explain_logged(body, logged["address"])
    if ":" in body:
        return _read_table(body)
    name = read_name(body)
    if isinstance(name, Reason):
        return name
    broad = f"{name.text} is every client whose name and address do not agree in DNS" if name.text == "unknown" else ""
    return Peer(
        "domain" if name.text.startswith(".") else "hostname",
        name.text,
        name.text,
        broad=broad,
        note=name.note,
    )


def _read_bracketed(body: str) -> Peer | Reason:
    inner, bracket, rest = body[1:].partition("]")
    if not bracket:
        return Reason("peer-bracket", f"{body}: the bracket is not closed, this matches nothing", f"Type {body}].")
    if rest and not rest.startswith("/"):
        return _from_nexthop(body, inner, rest)
    address = inner + rest
    if IPV6_LIKE.match(address):
        return _from_net(read_ipv6(address))
    if IPV4_LIKE.match(address):
        return _from_net(read_ipv4(address))
    return _from_nexthop(body, inner, rest)


def _from_nexthop(body: str, inner: str, rest: str) -> Peer | Reason:
    reason = read_nexthop(body, inner, rest)
    return reason or Peer("nexthop", body.lower(), body.lower())


def _from_net(net: Net | Reason) -> Peer | Reason:
    if isinstance(net, Reason):
        return net
    if net.prefix is None:
        return Peer("address", net.text, net.text)
    broad = f"{net.text} covers a large part of the Internet" if net.prefix < BROAD_PREFIX[net.version] else ""
    return Peer("network", net.text, net.text, broad=broad)


def _read_file(body: str) -> Peer | Reason:
    if body.endswith("/") or not _FILE.match(body):
        return explain_file(body)
    return Peer("file", body, body)


def _read_table(body: str) -> Peer | Reason:
    match = _TABLE.match(body)
    host, _, port = body.partition(":")
    if port.isdigit() and (match is None or "." in host or host in ("localhost", "smtp", "mail")):
        return explain_port(body)
    if match is None or match["name"].startswith("//"):
        return explain_table(body)
    broad = f"{body} matches every peer" if match["type"] == "static" else ""
    return Peer("table", body, body, table=match["type"], broad=broad)
