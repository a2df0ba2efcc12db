"""The seam to the hosts: ssh through Fabric, the system's own ssh, and this machine itself.

:func:`connect` picks the way; all three keep the contract of :class:`pfremote.transport.base.Connection`.
Importing this package is cheap: Fabric and Paramiko are loaded when a host is contacted.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pfremote.model.log_levels import ROUTE
from pfremote.transport.base import Completed, Connection, FollowUp, Prompt, Transport
from pfremote.transport.become import Become, run_as_root
from pfremote.transport.options import ConnectOptions

if TYPE_CHECKING:
    from pfremote.model.target import Target
    from pfremote.transport.route import Route

_log = logging.getLogger(__name__)

__all__ = [
    "Become",
    "Completed",
    "ConnectOptions",
    "Connection",
    "FollowUp",
    "Prompt",
    "Transport",
    "connect",
    "describe",
    "run_as_root",
]


def connect(target: Target, options: ConnectOptions) -> Connection:
    """Return an open connection to the target; the caller closes it.

    Raises:
        UsageError: ssh_config or an option is wrong.
        Unreachable, HostKeyRejected, AuthFailed: no connection; the message names the hop.
    """
    if target.connection == "local":
        # Each way to a host is loaded when it is taken: Fabric and Paramiko take a quarter of a second.
        from pfremote.transport.local import LocalConnection

        return LocalConnection(describe(target))
    from pfremote.transport.route import find_route

    route = find_route(target, options)
    began = time.monotonic()
    connection = _connect_over_ssh(target, options, route)
    _log_way(target, route, connection, time.monotonic() - began)
    return connection


def _log_way(target: Target, route: Route, connection: Connection, seconds: float) -> None:
    """Log how we got there, why it is not the usual way where it is not, and what was not understood."""
    about = {"host": target.name}
    why = getattr(connection, "why", "")
    through = f", through the ssh program: {why}" if why else ""
    _log.log(ROUTE, "connected as %s in %.2f s%s", describe(target, route), seconds, through, extra=about)
    for warning in route.warnings():
        _log.log(ROUTE, "ssh_config: %s", warning, extra=about)


def _connect_over_ssh(target: Target, options: ConnectOptions, route: Route) -> Connection:
    # Each way to a host is loaded when it is taken: Fabric and Paramiko take a quarter of a second.
    from pfremote.errors import HostError
    from pfremote.transport.choose_backend import find_need_for_ssh, find_second_chance
    from pfremote.transport.fabric import connect_with_fabric
    from pfremote.transport.sshconfig import has_ssh

    why = find_need_for_ssh(route, options)
    if not why:
        try:
            return connect_with_fabric(route, options)
        except HostError as error:
            why = find_second_chance(error, route)
            if not why or not has_ssh():
                raise
    from pfremote.transport.openssh import connect_with_ssh
    from pfremote.transport.route import make_query

    return connect_with_ssh(route, make_query(target, options), options, why)


def describe(target: Target, route: Route | None = None) -> str:
    """Return ``user@host:port via jump`` for messages; without a route only what the inventory knows."""
    if target.connection == "local":
        return f"{target.name} (this machine)"
    if route is not None:
        # Each way to a host is loaded when it is taken: Fabric and Paramiko take a quarter of a second.
        from pfremote.transport.route import describe_route

        return describe_route(route)
    user = f"{target.user}@" if target.user else ""
    port = f":{target.port}" if target.port is not None else ""
    return f"{user}{target.host}{port}"
