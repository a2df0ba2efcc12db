"""Decide whether a peer is in ``debug_peer_list``, step by step as Postfix does (util/match_list.c,
util/match_ops.c)."""

from __future__ import annotations

import string
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

_V4_CHARS = frozenset(string.digits + ".")
_V6_CHARS = _V4_CHARS | frozenset("abcdefABCDEF:")
_PATTERN_CHARS = _V6_CHARS | frozenset("[]/")


class _PatternError(Exception):
    """The pattern is in error: Postfix warns, answers "no" and reads no further (MATCH_FLAG_RETURN)."""


def match_peer(peers: Sequence[str], name: str, address: str, *, parent_domain: bool = True) -> bool | None:
    """Tell whether Postfix debugs this peer.

    ``peers`` are the patterns in their order, ``name`` is the verified client name (``unknown`` where
    there is
    none) or the server's host name, ``address`` its IP address without brackets. ``parent_domain`` says
    whether
    parent_domain_matches_subdomains holds debug_peer_list. None where a file or a lookup table decides.
    """
    folded_name, folded_address = name.lower(), address.lower()
    for pattern in peers:
        body = pattern.lstrip("!")
        positive = (len(pattern) - len(body)) % 2 == 0
        if body.startswith("static:"):
            return positive
        if body.startswith("/") or _is_table(body):
            return None
        body = body.lower()
        try:
            if _match_name(body, folded_name, parent_domain) or _match_address(body, folded_address):
                return positive
        except _PatternError:
            return False
    return False


def _is_table(body: str) -> bool:
    return not body.startswith("[") and ":" in body


def _match_name(pattern: str, name: str, parent_domain: bool) -> bool:
    if name == pattern:
        return True
    if parent_domain:
        return name.endswith("." + pattern)
    return pattern.startswith(".") and len(name) > len(pattern) and name.endswith(pattern)


def _match_address(pattern: str, address: str) -> bool:
    if not set(address) <= _V6_CHARS:
        return False  # "noaddr" and socket paths
    if address in (pattern, pattern[1:-1] if pattern[:1] + pattern[-1:] == "[]" else pattern):
        return True
    chars = set(pattern)
    if (":" in address) != (":" in pattern) or not chars & {":", "/"} or not chars <= _PATTERN_CHARS:
        return False
    return _match_network(pattern, address)


def _match_network(pattern: str, address: str) -> bool:
    if pattern.startswith("["):
        inner, bracket, rest = pattern[1:].partition("]")
        if not bracket or (rest and not rest.startswith("/")):
            raise _PatternError
        pattern = inner + rest
    network, slash, mask = pattern.partition("/")
    if slash and not mask.isdigit():
        raise _PatternError
    try:
        wanted = ip_network(f"{network}/{mask}") if slash else ip_network(network)
    except ValueError as exc:
        raise _PatternError from exc
    try:
        return ip_address(address) in wanted
    except ValueError:
        return False
