"""Read addresses and networks the way ``debug_peer_list`` does (Postfix util/cidr_match.c), and stricter
where it is silent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv6Address,
    ip_address,
    ip_network,
    summarize_address_range,
)
from itertools import islice

from pfremote.errors import Reason

#: Only digits, dots and what people put between them: never a host name, since a top level domain has a
#: letter.
IPV4_LIKE = re.compile(r"[0-9.]+(?:[/-][0-9./*]*)?\Z")
IPV6_LIKE = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[^/]*)?(?:/.*)?\Z")
_DOTTED = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+\Z")
_MASK = re.compile(r"[0-9]{1,3}\Z")


@dataclass(frozen=True, slots=True)
class Net:
    """An address (``prefix`` None) or a network, in the spelling that Postfix needs."""

    text: str
    prefix: int | None
    version: int


def read_ipv4(body: str) -> Net | Reason:
    """Read ``192.0.2.5`` or ``192.0.2.0/24``; say what to type instead of a range, a netmask or bare
    octets."""
    if "-" in body:
        return _explain_range(body)
    address, slash, mask = body.partition("/")
    if not _DOTTED.match(address):
        return _explain_octets(body, address)
    if slash and "." in mask:
        return _explain_netmask(body)
    if slash and not _MASK.match(mask):
        return _bad_mask(body, 32)
    return _read_net(body, address, mask if slash else None)


def read_ipv6(body: str) -> Net | Reason:
    """Read an IPv6 address or network without brackets; the result has them, as Postfix needs."""
    address, slash, mask = body.partition("/")
    if "%" in address:
        return Reason(
            "peer-zone",
            f"{body}: Postfix drops the interface name from an address before it compares",
            f"Type [{address.partition('%')[0]}].",
        )
    if slash and not _MASK.match(mask):
        return _bad_mask(body, 128)
    return _read_net(body, address, mask if slash else None)


def _read_net(body: str, address: str, mask: str | None) -> Net | Reason:
    try:
        ip = ip_address(address)
    except ValueError:
        return Reason(
            "peer-address",
            f"{body}: this is not an IP address",
            "Type an address such as 192.0.2.5 or [2001:db8::1].",
        )
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        plain = str(ip.ipv4_mapped)
        shown = plain if mask is None or not 96 <= int(mask) <= 128 else f"{plain}/{int(mask) - 96}"
        return Reason(
            "peer-mapped",
            f"{body}: Postfix reports such clients as plain IPv4, so this never matches",
            f"Type {shown}.",
        )
    if mask is None:
        return Net(_spell(ip), None, ip.version)
    if int(mask) > ip.max_prefixlen:
        return _bad_mask(body, ip.max_prefixlen)
    network = ip_network(f"{ip}/{int(mask)}", strict=False)
    right = f"{_spell(network.network_address)}/{network.prefixlen}"
    if network.network_address != ip:
        return Reason(
            "peer-host-bits",
            f"{body}: the address has bits set outside of the mask, and Postfix stops reading the list there",
            f"Type {right} for the network, or {_spell(ip)} for this one address.",
        )
    return Net(right, network.prefixlen, ip.version)


def _spell(ip: IPv4Address | IPv6Address) -> str:
    return str(ip) if ip.version == 4 else f"[{ip}]"


def _bad_mask(body: str, bits: int) -> Reason:
    return Reason(
        "peer-mask",
        f"{body}: the mask length is not a number from 0 to {bits}",
        f"Type the address and /0 to /{bits}.",
    )


def _explain_range(body: str) -> Reason:
    first, _, last = body.partition("-")
    if last.isdigit() and first.count(".") == 3:  # 192.0.2.1-9
        last = f"{first.rpartition('.')[0]}.{last}"
    hint = "List the addresses, or the networks that cover them, with one --peer each."
    try:
        covering = list(islice(summarize_address_range(IPv4Address(first), IPv4Address(last)), 9))
    except ValueError:
        covering = []
    if 0 < len(covering) < 9:
        names = (str(n.network_address) if n.prefixlen == 32 else str(n) for n in covering)
        hint = "Type " + " ".join(f"--peer {name}" for name in names) + "."
    return Reason("peer-range", f"{body}: Postfix knows no address ranges, this matches nothing", hint)


def _explain_octets(body: str, address: str) -> Reason:
    octets = [octet for octet in address.split(".") if octet]
    if 0 < len(octets) < 4 and all(len(octet) < 4 and int(octet) < 256 for octet in octets):
        network = ".".join([*octets, "0", "0", "0"][:4]) + f"/{8 * len(octets)}"
        return Reason("peer-octets", f"{body}: a part of an address matches nothing", f"Type {network}.")
    return Reason("peer-address", f"{body}: this is not an IP address", "Type an address such as 192.0.2.5.")


def _explain_netmask(body: str) -> Reason:
    try:
        right = str(ip_network(body, strict=False))
    except ValueError:
        return _bad_mask(body, 32)
    return Reason("peer-netmask", f"{body}: Postfix takes a mask length, not a dotted mask", f"Type {right}.")
