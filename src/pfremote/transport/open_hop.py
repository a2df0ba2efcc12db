"""Open one hop: its socket, the SSH handshake, and another attempt where a busy server dropped us."""

from __future__ import annotations

import logging
import socket
import time

import fabric
import paramiko

from pfremote.errors import PfremoteError
from pfremote.transport.backoff import admitted, wait_for_next
from pfremote.transport.exceptions import FOREIGN, translate
from pfremote.transport.options import ConnectOptions
from pfremote.transport.sockets import ProxySocket, expand_proxy_command, open_tcp
from pfremote.transport.sshconfig import HostConfig

_log = logging.getLogger(__name__)


def open_patiently(cxn: fabric.Connection, hop: HostConfig, options: ConnectOptions, place: str, gate: str) -> None:
    """Open, and try again where a busy sshd dropped us before its greeting (MaxStartups).

    ``gate`` is where we queue with the other connections of this run, see :meth:`Route.gate`. Neither the
    queue nor the first look at it counts as time to connect.
    """
    attempt, deadline = 0, 0.0
    while True:
        attempt += 1
        with admitted(gate):
            began = time.monotonic()
            deadline = deadline or began + options.connect_timeout
            try:
                return _open_once(cxn, hop, options)
            except FOREIGN as exc:
                cxn.client.close()
                failure: BaseException = exc
        timed_out = time.monotonic() - began >= options.connect_timeout
        if not _is_transient(failure) or not wait_for_next(attempt, deadline):
            raise _explain(failure, place, timed_out=timed_out) from failure
        _log.info("%s dropped us before its greeting, attempt %d", place, attempt)


def _open_once(cxn: fabric.Connection, hop: HostConfig, options: ConnectOptions) -> None:
    if not cxn.gateway:
        command = hop.first("proxycommand", "none")
        cxn.connect_kwargs["sock"] = (
            open_tcp(hop, options.connect_timeout, options.keepalive)
            if command == "none"
            else ProxySocket(expand_proxy_command(hop, command))
        )
    cxn.open()


def _is_transient(exc: BaseException) -> bool:
    dropped = isinstance(exc, (EOFError, ConnectionResetError, BrokenPipeError))
    return dropped or (type(exc) is paramiko.SSHException and "banner" in str(exc))


def _explain(exc: BaseException, place: str, *, timed_out: bool) -> PfremoteError:
    # Paramiko gives up on a silent handshake without saying so; what it raises next blames something else.
    return translate(TimeoutError() if timed_out and not isinstance(exc, socket.gaierror) else exc, place)
