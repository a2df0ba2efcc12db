"""The host key check as Paramiko takes it: a policy, and a transport that asks for the key type on file."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import paramiko

from pfremote.transport.algorithms import restrict
from pfremote.transport.hostkeys import HostKeyCheck

TransportFactory = Callable[..., paramiko.Transport]


class StrictPolicy(paramiko.MissingHostKeyPolicy):
    """Decides on every key: the client is given no keys of its own, so each one is "missing" to Paramiko."""

    def __init__(self, check: HostKeyCheck) -> None:
        self._check = check

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Return where the key is good.

        Raises:
            HostKeyRejected: it is not.
        """
        del client, hostname  # the check knows the name as ssh_config has it, HostKeyAlias included
        self._check.admit(key.get_name(), key.asbytes())


class PoliteTransport(paramiko.Transport):
    """A transport that tells a server that took its leave (RFC 4253, section 11.1) from a connection that broke."""

    said_goodbye = False

    def _parse_disconnect(self, m: paramiko.Message) -> None:
        self.said_goodbye = True
        super()._parse_disconnect(m)  # type: ignore[misc]


def make_transport_factory(check: HostKeyCheck, keepalive: float) -> TransportFactory:
    """Return what builds the transport: what ssh_config allows, known key types first, keepalives on.

    Otherwise a host with an Ed25519 and an RSA key, of which only RSA is on file, would look changed.
    """
    on_file = [key.kind for key in check.known_keys() if not key.marker]

    def build(sock: socket.socket, **kwargs: Any) -> paramiko.Transport:
        transport = PoliteTransport(sock, **kwargs)
        transport.set_log_channel(f"paramiko.transport.{check.config.name}")  # tells whose lines they are
        offer = transport.get_security_options()
        restrict(check.config, offer)
        wanted = [name for kind in on_file for name in _algorithms(kind)]
        offer.key_types = tuple(sorted(offer.key_types, key=lambda name: name not in wanted))
        if keepalive > 0:
            transport.set_keepalive(max(1, round(keepalive)))
        return transport

    return build


def _algorithms(kind: str) -> tuple[str, ...]:
    """An RSA key is used with SHA-2 signatures, which have names of their own (RFC 8332)."""
    return ("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)
