"""ssh through Fabric: its connections, jump hosts and agent; our host keys, byte pump and deadlines."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import fabric
import paramiko
from paramiko.config import SSHConfig

from pfremote.errors import DeadlineExceeded, PfremoteError, Unreachable
from pfremote.transport.auth import Login
from pfremote.transport.base import ANSWER_LIMIT, Completed, FollowUp, Prompt
from pfremote.transport.exceptions import FOREIGN, translate, translated
from pfremote.transport.exchange import Exchange
from pfremote.transport.hostkeys import HostKeyCheck
from pfremote.transport.open_hop import open_patiently
from pfremote.transport.options import ConnectOptions
from pfremote.transport.policy import StrictPolicy, make_transport_factory
from pfremote.transport.pump import pump_channel
from pfremote.transport.route import Route, describe_route, name_place, read_config
from pfremote.transport.sshconfig import HostConfig, Query


class FabricConnection:
    """A :class:`pfremote.transport.base.Connection` over an open ``fabric.Connection`` (``cxn``).

    ``why`` says why this transport was chosen, empty where it is the default.
    """

    converses = True

    def __init__(self, cxn: fabric.Connection, place: str, *, owned: bool, warnings: tuple[str, ...] = ()) -> None:
        self.cxn = cxn
        self.place = place
        self.why = ""
        self.warnings = warnings
        self._owned = owned

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float,
        prompt: Prompt | None = None,
        limit: int = ANSWER_LIMIT,
        then: FollowUp | None = None,
    ) -> Completed:
        """Run ``argv`` on the host; see :meth:`pfremote.transport.base.Connection.run`."""
        begun = time.monotonic()
        talk = Exchange(stdin, prompt, limit, then)
        channel = self._open_channel(timeout)
        return pump_channel(channel, shlex.join(argv), talk, timeout, begun, self.place)

    def _open_channel(self, timeout: float) -> paramiko.Channel:
        transport: paramiko.Transport | None = self.cxn.transport
        if transport is None or not transport.is_active():
            raise Unreachable(f"the connection to {self.place} is closed", hint="Connect again.")
        begun = time.monotonic()
        try:
            return transport.open_session(timeout=timeout)
        except FOREIGN as exc:
            if time.monotonic() - begun >= timeout:
                raise DeadlineExceeded(
                    f"{self.place} did not answer within {timeout:g} s", hint="Try again, or raise --timeout."
                ) from exc
            raise translate(exc, self.place) from exc

    def close(self) -> None:
        """Close what we opened, jump hosts too; a connection that was adopted open stays open."""
        if self._owned:
            close_chain(self.cxn)


def close_chain(cxn: fabric.Connection) -> None:
    """Close a connection and then every gateway it goes through; closed ones are passed over.

    A hop says goodbye through its gateway. Where that one has died it cannot, and is closed all the same.
    """
    hop: Any = cxn
    while isinstance(hop, fabric.Connection):
        with suppress(*FOREIGN):
            hop.client.close()  # Fabric's close() leaves a client alone that never got as far as a session
        sock = hop.connect_kwargs.pop("sock", None)
        if sock is not None:
            with suppress(*FOREIGN):
                sock.close()
        hop = hop.gateway


def connect_with_fabric(route: Route, options: ConnectOptions) -> FabricConnection:
    """Return an open connection to the last hop of the route, through all the others.

    Raises:
        Unreachable, HostKeyRejected, AuthFailed: named for the hop that failed.
    """
    gateway: fabric.Connection | None = None
    try:
        for number, hop in enumerate(route.hops):
            place = name_place(hop)
            last = number == len(route.hops) - 1
            gateway = _build(hop, options, place, gateway, options.password if last else None)
            open_patiently(gateway, hop, options, place, route.gate(number))
    except BaseException:
        if gateway is not None:
            close_chain(gateway)
        raise
    return FabricConnection(gateway, describe_route(route), owned=True, warnings=route.warnings())


def _build(
    hop: HostConfig, options: ConnectOptions, place: str, gateway: fabric.Connection | None, password: Any
) -> fabric.Connection:
    """Return an unopened connection from plain values; no file of Fabric's or of the user's is read."""
    proxied = gateway is not None or hop.first("proxycommand", "none") != "none"
    check = HostKeyCheck(hop, options.host_key_checking, direct=not proxied)
    cxn = fabric.Connection(
        hop.hostname,
        user=hop.user,
        port=hop.port,
        config=_plain_config(),
        gateway=gateway if gateway is not None else False,
        forward_agent=False,
        connect_kwargs={"auth_strategy": Login(hop, password, place, options.connect_timeout)},
    )
    _force(cxn, check, options)
    return cxn


def _plain_config() -> fabric.Config:
    """Return Fabric's own settings, with no file read: new ones, since each connection writes into its settings."""
    return fabric.Config(ssh_config=SSHConfig(), lazy=True)


def _force(cxn: fabric.Connection, check: HostKeyCheck, options: ConnectOptions) -> None:
    """Put our rules on a connection that is not open yet; Fabric's own client accepts any host key."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(StrictPolicy(check))
    cxn.client = client
    cxn.forward_agent = False
    cxn.connect_timeout = None
    cxn.connect_kwargs.update(
        timeout=options.connect_timeout,
        banner_timeout=options.connect_timeout,
        auth_timeout=options.connect_timeout,
        channel_timeout=options.connect_timeout,
        compress=check.config.is_yes("compression"),
        transport_factory=make_transport_factory(check, options.keepalive),
    )


def adopt(cxn: fabric.Connection, options: ConnectOptions | None = None) -> FabricConnection:
    """Wrap a connection that the caller made with Fabric, and hold it and its gateways to our host keys.

    A connection that is open already is looked at afterwards, and closed when its key is not good.

    Raises:
        HostKeyRejected, AuthFailed, Unreachable: as :func:`pfremote.transport.connect`.
    """
    options = options or ConnectOptions()
    place = f"{cxn.user}@{cxn.host}:{cxn.port}"
    owned = not cxn.is_connected
    hop: Any = cxn
    while isinstance(hop, fabric.Connection):
        _adopt_hop(hop, options)
        hop = hop.gateway
    try:
        with translated(place):
            cxn.open()
    except PfremoteError:
        close_chain(cxn)
        raise
    return FabricConnection(cxn, place, owned=owned)


def _adopt_hop(cxn: fabric.Connection, options: ConnectOptions) -> None:
    path = getattr(cxn.config, "_runtime_ssh_path", None)  # what fab's -S/--ssh-config was given
    query = Query(cxn.original_host, user=cxn.user, port=cxn.port, ssh_config=path or options.ssh_config)
    check = HostKeyCheck(read_config(query, options.connect_timeout), options.host_key_checking, not cxn.gateway)
    if not cxn.is_connected:
        _force(cxn, check, options)
        return
    cxn.forward_agent = False
    key = cxn.transport.get_remote_server_key()
    try:
        check.admit(key.get_name(), key.asbytes())
    except PfremoteError:
        close_chain(cxn)
        raise
