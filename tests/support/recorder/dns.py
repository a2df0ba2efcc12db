"""A DNS server for the recorder's namespace: answers from a table, NXDOMAIN for the rest."""

from __future__ import annotations

import socket
import struct
from threading import Thread

A, PTR, MX, TXT = 1, 12, 15, 16
SERVFAIL, NXDOMAIN = 2, 3

RECORDS: dict[tuple[str, int], str] = {
    ("mx.example.jp", A): "192.0.2.1",
    ("1.2.0.192.in-addr.arpa", PTR): "mx.example.jp",
    ("client.example.jp", A): "192.0.2.10",
    ("10.2.0.192.in-addr.arpa", PTR): "client.example.jp",
    ("11.2.0.192.in-addr.arpa", PTR): "mismatch.example.jp",
    ("mismatch.example.jp", A): "192.0.2.99",
    ("listed.example.jp", A): "192.0.2.13",
    ("13.2.0.192.in-addr.arpa", PTR): "listed.example.jp",
    ("13.2.0.192.rbl.example.jp", A): "127.0.0.2",
    ("13.2.0.192.rbl.example.jp", TXT): "listed for the recording",
    ("10.2.0.192.refuses.example.jp", A): "127.255.255.254",
    ("10.2.0.192.refuses.example.jp", TXT): "Error: open resolver; https://www.example.org/returnc/pub/192.0.2.10",
    ("relay.example.jp", A): "192.0.2.20",
    ("20.2.0.192.in-addr.arpa", PTR): "relay.example.jp",
    ("loop.example.jp", MX): "mx.example.jp",
    ("blackhole.example.jp", A): "203.0.113.9",
    ("example.jp", MX): "mx.example.jp",
}


def _name(labels: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in labels.split(".")) + b"\0"


def _question(packet: bytes) -> tuple[str, int, int]:
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode().lower())
        at += packet[at] + 1
    return ".".join(labels), struct.unpack(">H", packet[at + 1 : at + 3])[0], at + 5


def _data(kind: int, value: str) -> bytes:
    if kind == A:
        return socket.inet_aton(value)
    if kind == MX:
        return struct.pack(">H", 10) + _name(value)
    if kind == TXT:
        return bytes([len(value)]) + value.encode()
    return _name(value)


def answer(packet: bytes) -> bytes:
    """The reply to one query packet (RFC 1035 section 4.1)."""
    name, kind, end = _question(packet)
    value = RECORDS.get((name, kind))
    known = any(owner == name for owner, _ in RECORDS)
    code = 0 if known else SERVFAIL if name.startswith("servfail.") else NXDOMAIN
    head = packet[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, 1 if value else 0, 0, 0)
    body = packet[12:end]
    if value:
        data = _data(kind, value)
        body += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    return head + body


def start_dns() -> None:
    """Serve UDP 127.0.0.1:53 from a thread until the program ends."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))

    def serve() -> None:
        while True:
            packet, client = server.recvfrom(4096)
            server.sendto(answer(packet), client)

    Thread(target=serve, daemon=True).start()
