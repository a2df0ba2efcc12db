"""Addresses → addresses that belong to no one, with the subnets kept. Pure.

IPv4 goes into 240.0.0.0/4 (RFC 1112 class E, never assigned), IPv6 into 3fff::/20 (RFC 9637, for documentation),
so that no reader takes a token for a real host. Two addresses of one /16 (IPv6: /48) share exactly as many leading
bits as before; which /16 it was only the map knows. Private and link-local addresses go to 250.0.0.0 and up
(3fff:800:: and up), since "is it one of ours" is what one debugs; loopback stays as it is. A token's own token
is itself.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from pfremote.errors import PfremoteError

Address = IPv4Address | IPv6Address
#: ``allocate(kind, value)`` returns the value's number, from 1, a new one where it has none.
Allocate = Callable[[str, str], int]

_FIXED4 = tuple(map(IPv4Network, ("127.0.0.0/8", "0.0.0.0/32", "224.0.0.0/4", "240.0.0.0/4")))
_PRIVATE4 = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"))
)
_FIXED6 = tuple(map(IPv6Network, ("::/128", "::1/128", "ff00::/8", "3fff::/20")))
_PRIVATE6 = tuple(map(IPv6Network, ("fe80::/10", "fc00::/7")))
_MAPPED6 = IPv6Network("::ffff:0:0/96")
_TOKENS4 = int(IPv4Address("240.0.0.0"))
_TOKENS6 = int(IPv6Address("3fff::"))
#: Where the numbers of private groups begin (12 bits of number for IPv4, 28 for IPv6).
_FIRST_PRIVATE4, _END4 = 0xA00, 1 << 12
_FIRST_PRIVATE6, _END6 = 1 << 27, 1 << 28


class PseudonymsFull(PfremoteError):
    """More networks than there are tokens for."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"There is no token left: the map of pseudonyms has more than {most} networks.",
            hint="Move pseudonyms.json away to start a new map.",
        )


def disguise_address(address: Address, key: bytes, allocate: Allocate) -> Address:
    """Return the token of an address; the same for the same key and the same numbers.

    Raises:
        PseudonymsFull: there is no token left.
    """
    if isinstance(address, IPv4Address):
        return IPv4Address(_disguise4(address, key, allocate))
    if address in _MAPPED6:
        inner = _disguise4(IPv4Address(int(address) & 0xFFFFFFFF), key, allocate)
        return IPv6Address(int(_MAPPED6.network_address) | inner)
    if any(address in net for net in _FIXED6):
        return address
    group = int(address) >> 80 << 80
    if any(address in net for net in _PRIVATE6):
        number = _FIRST_PRIVATE6 + _number(allocate, "private6", str(IPv6Address(group)), _END6 - _FIRST_PRIVATE6)
    else:
        number = _number(allocate, "net6", str(IPv6Address(group)), _FIRST_PRIVATE6)
    return IPv6Address(_TOKENS6 | number << 80 | _tail(_scramble(int(address), 48, 128, key), 80))


def disguise_network(address: Address, length: int, key: bytes, allocate: Allocate) -> Address:
    """Return the token of a network's base address, with the host bits clear as Postfix demands them.

    A network wider than /16 (IPv6: /48) gets the token of its first subnet: which tokens lie in it is not kept.
    """
    own: tuple[IPv4Network | IPv6Network, ...] = _PRIVATE4 if address.version == 4 else _PRIVATE6
    if any(address == net.network_address and length == net.prefixlen for net in own):
        return address
    token = disguise_address(address, key, allocate)
    width = address.max_prefixlen
    shift = width - min(length, width)
    if token == address or int(address) & ((1 << shift) - 1):
        return token  # with host bits set it is no network, and one wants to see that
    kept = width - max(length, 16 if width == 32 else 48)
    return type(token)(int(token) >> kept << kept)


def _disguise4(address: IPv4Address, key: bytes, allocate: Allocate) -> int:
    if any(address in net for net in _FIXED4):
        return int(address)
    group = str(IPv4Address(int(address) >> 16 << 16))
    if any(address in net for net in _PRIVATE4):
        number = _FIRST_PRIVATE4 + _number(allocate, "private4", group, _END4 - _FIRST_PRIVATE4)
    else:
        number = _number(allocate, "net4", group, _FIRST_PRIVATE4)
    return _TOKENS4 | number << 16 | _tail(_scramble(int(address), 16, 32, key), 16)


def _number(allocate: Allocate, kind: str, value: str, most: int) -> int:
    number = allocate(kind, value)
    if number >= most:
        raise PseudonymsFull(most - 1)
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
