"""Free TCP ports on loopback, and waiting for the server that was to listen there."""

from __future__ import annotations

import random
import socket
import time

from pfremote.errors import PfremoteError

LOOPBACK = "127.0.0.1"
#: Below the start of net.ipv4.ip_local_port_range: no outgoing connection can take one of these between our
#: look and the server's bind.
_FIRST, _LAST = 10_000, 32_000


def pick_ports(count: int) -> tuple[int, ...]:
    """Return ``count`` different ports that no program listens on now."""
    found: list[int] = []
    dice = random.SystemRandom()
    while len(found) < count:
        port = dice.randint(_FIRST, _LAST)
        if port not in found and _is_free(port):
            found.append(port)
    return tuple(found)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def wait_for_banner(port: int, expected: bytes, *, farewell: bytes = b"", timeout: float) -> None:
    """Return when a server on ``port`` greets with ``expected`` (for example ``b"220 "``).

    ``farewell`` is what we answer.

    Raises:
        PfremoteError: it did not within ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((LOOPBACK, port), timeout=timeout) as connection:
                if connection.recv(64).startswith(expected):
                    connection.sendall(farewell)
                    return
        except OSError:  # refused, or closed while the server starts
            pass
        time.sleep(0.02)
    raise PfremoteError(f"no {expected.decode()!r} from port {port} on loopback within {timeout:g} s")
