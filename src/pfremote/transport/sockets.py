"""Open the socket that SSH speaks through: TCP to the first hop, or the stdio of a ProxyCommand."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from contextlib import suppress

from pfremote.transport.sshconfig import HostConfig

_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}


def open_tcp(config: HostConfig, timeout: float, keepalive: float) -> socket.socket:
    """Return a connected socket, trying each address in turn within ``timeout`` seconds.

    Raises:
        OSError: the name does not resolve, or no address answered (the last error).
    """
    family = _FAMILIES.get(config.first("addressfamily"), socket.AF_UNSPEC)
    deadline = time.monotonic() + timeout
    last: OSError = OSError("the name has no address")
    for family_, kind, proto, _, address in socket.getaddrinfo(
        config.hostname, config.port, family, socket.SOCK_STREAM
    ):
        sock = socket.socket(family_, kind, proto)
        try:
            sock.settimeout(max(0.1, deadline - time.monotonic()))
            if config.first("bindaddress"):
                sock.bind((config.first("bindaddress"), 0))
            sock.connect(address)
        except OSError as exc:
            sock.close()
            last = exc
        else:
            _watch(sock, keepalive)
            return sock
    raise last


def _watch(sock: socket.socket, keepalive: float) -> None:
    """Let the kernel give up on a dead peer: Paramiko's keepalive sends, but never looks for an answer."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT") and keepalive > 0:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(keepalive * 3000))


def expand_proxy_command(config: HostConfig, command: str) -> str:
    """Fill in the tokens that ProxyCommand accepts; anything else after % stays (ssh_config(5), TOKENS).

    >>> expand_proxy_command(HostConfig("mx1", "192.0.2.1", 2222, "ops"), "nc %h %p")
    'nc 192.0.2.1 2222'
    """
    tokens = {"h": config.hostname, "p": str(config.port), "r": config.user, "n": config.name, "%": "%"}
    return re.sub(r"%([hprn%])", lambda match: tokens[match[1]], command)


class ProxySocket(socket.socket):
    """One end of a socket pair whose other end is the stdio of a ProxyCommand.

    A real socket, so that the end of the command is an end of file; Paramiko's own ``ProxyCommand``
    splits the command without a shell and spins when the command dies.
    """

    def __init__(self, command: str) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(fileno=ours.detach())
        with theirs:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def close(self) -> None:
        """Close the socket and end the command."""
        super().close()
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
