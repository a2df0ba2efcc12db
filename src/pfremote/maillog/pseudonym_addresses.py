"""Addresses → addresses that are nobody's, with the subnets kept. Pure.

IPv4 goes into 240.0.0.0/4 (RFC 1112 class E, never assigned), IPv6 into 3fff::/20 (RFC 9637, for documentation),
so that nobody takes a token for a real host. Two addresses of one /16 (IPv6: /48) share exactly as many leading
bits as before; which /16 it was only the map knows. Private and link-local networks keep the bits that
everybody has there, since "is it one of ours" is what one debugs; loopback stays as it is.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
#: ``allocate(kind, value)`` returns the value's number, from 1, a new one where it has none.
Allocate = Callable[[str, str], int]

_FIXED4 = tuple(map(IPv4Network, ("127.0.0.0/8", "0.0.0.0/32", "255.255.255.255/32")))
_CLASSES4 = tuple(
    map(
        IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
    )
)
_TOKENS4 = IPv4Network("240.0.0.0/4")
_FIXED6 = tuple(map(IPv6Network, ("::/128", "::1/128")))
_CLASSES6 = tuple(map(IPv6Network, ("fe80::/64", "fc00::/8", "fd00::/8", "ff00::/8")))
_TOKENS6 = IPv6Network("3fff::/20")
_MAPPED6 = IPv6Network("::ffff:0:0/96")
_GROUPS4, _GROUPS6 = 16, 48


class PseudonymsFullError(ValueError):
    """More networks than there are tokens for."""


def disguise_address(address: Address, key: bytes, allocate: Allocate) -> Address:
    """Return the token of an address; the same for the same key and the same numbers.

    Raises:
        PseudonymsFullError: there is no token left.
    """
    if isinstance(address, IPv4Address):
        return IPv4Address(_disguise4(address, key, allocate))
    if address in _MAPPED6:
        inner = _disguise4(IPv4Address(int(address) & 0xFFFFFFFF), key, allocate)
        return IPv6Address(int(_MAPPED6.network_address) | inner)
    if address in _TOKENS6 or any(address in net for net in _FIXED6):
        return address
    for known in _CLASSES6:
        if address in known:
            return IPv6Address(_scramble(int(address), known.prefixlen, 128, key))
    group = int(address) >> (128 - _GROUPS6)
    number = _number(allocate, "net6", str(IPv6Address(group << (128 - _GROUPS6))), 28)
    head = int(_TOKENS6.network_address) | number << (128 - _GROUPS6)
    return IPv6Address(head | _tail(_scramble(int(address), _GROUPS6, 128, key), 128 - _GROUPS6))


def disguise_network(address: Address, length: int, key: bytes, allocate: Allocate) -> Address:
    """Return the token of a network's base address, with the host bits clear as Postfix demands them.

    A network wider than /16 (IPv6: /48) gets the token of its first subnet: which tokens lie in it is not kept.
    """
    token = disguise_address(address, key, allocate)
    width = address.max_prefixlen
    shift = width - min(length, width)
    if int(address) & ((1 << shift) - 1):
        return token  # not a network: the host bits are what is wrong with it
    if token == address:
        return address
    keeps = _kept_bits(address)
    return type(token)(int(token) >> (width - max(length, keeps)) << (width - max(length, keeps)))


def _kept_bits(address: Address) -> int:
    """Return how many bits of an address are decided by its class or its numbered group."""
    classes: tuple[IPv4Network | IPv6Network, ...] = _CLASSES4 if address.version == 4 else _CLASSES6
    for known in classes:
        if address in known:
            return known.prefixlen
    return _GROUPS4 if address.version == 4 else _GROUPS6


def _disguise4(address: IPv4Address, key: bytes, allocate: Allocate) -> int:
    if address in _TOKENS4 or any(address in net for net in _FIXED4):
        return int(address)
    for known in _CLASSES4:
        if address in known:
            return _scramble(int(address), known.prefixlen, 32, key)
    group = int(address) >> 16
    number = _number(allocate, "net4", f"{group >> 8}.{group & 255}", 12)
    return int(_TOKENS4.network_address) | number << 16 | _tail(_scramble(int(address), 16, 32, key), 16)


def _number(allocate: Allocate, kind: str, value: str, bits: int) -> int:
    number = allocate(kind, value)
    if number >= 1 << bits:
        raise PseudonymsFullError(f"more than {(1 << bits) - 1} networks")
    return number


def _tail(value: int, bits: int) -> int:
    return value & ((1 << bits) - 1)


def _scramble(value: int, start: int, width: int, key: bytes) -> int:
    """Flip each bit after the first ``start`` by a keyed function of all bits before it.

    That is prefix-preserving (Xu, Fan, Ammar, Moon 2002, "Crypto-PAn"), and one to one.
    """
    flips = 0
    for bit in range(start, width):
        before = value >> (width - bit)
        digest = hmac.digest(key, f"{width}/{bit}/{before:x}".encode(), "sha256")
        flips = flips << 1 | digest[0] & 1
    return value ^ flips
