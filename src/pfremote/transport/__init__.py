"""The seam to the hosts: ssh through Fabric, the system's own ssh, and this machine itself.

:func:`connect` picks the way; all three keep the contract of :class:`pfremote.transport.base.Connection`.
Importing this package is cheap: Fabric and Paramiko are loaded when a host is contacted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfremote.transport.base import Completed, Connection, Prompt
from pfremote.transport.become import Become, run_as_root
from pfremote.transport.options import ConnectOptions

if TYPE_CHECKING:
    from pfremote.target import Target
    from pfremote.transport.route import Route

__all__ = [
    "Become",
    "Completed",
    "ConnectOptions",
    "Connection",
    "Prompt",
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
        from pfremote.transport.local import LocalConnection

        return LocalConnection(describe(target))
    from pfremote.transport.route import find_route

    route = find_route(target, options)
    return _connect_over_ssh(target, options, route)


def _connect_over_ssh(target: Target, options: ConnectOptions, route: Route) -> Connection:
    from pfremote.errors import HostError
    from pfremote.transport.choice import find_need_for_ssh, find_second_chance
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
        from pfremote.transport.route import describe_route

        return describe_route(route)
    user = f"{target.user}@" if target.user else ""
    port = f":{target.port}" if target.port is not None else ""
    return f"{user}{target.host}{port}"
