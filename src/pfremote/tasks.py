"""What can be done on one mail host, as Fabric tasks: one privileged command each, the agent on its stdin.

From ``fab``, with a fabfile that says ``from pfremote.tasks import *``::

    fab -H mx1.example.jp probe --peer client.example.jp
    fab -H mx1.example.jp arm --peer client.example.jp --seconds 600
    fab -H mx1.example.jp status
    fab -H mx1.example.jp revert --lease all

From Python, with a ``fabric.Connection`` or with a host opened by :func:`pfremote.agent.client.open_host`::

    reply = probe(connection, peer=["client.example.jp"])
    print(read_facts(reply).version)

Every task returns the agent's :class:`~pfremote.agent.protocol.Reply` and raises ``Refused``,
``AgentFailed`` (``ReplyCutError`` and ``ProtocolError`` among its kinds) or what the connection raises
(``Unreachable``, ``BecomeFailed``, …).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, cast

import fabric
from fabric.tasks import Task, task

from pfremote.agent.arguments import describe_arm, describe_probe
from pfremote.agent.client import OpenHost, ask_agent, new_lease
from pfremote.agent.protocol import Argument, Reply
from pfremote.agent.visit import probe_then_arm
from pfremote.errors import Refused
from pfremote.model.peer import Peer
from pfremote.model.request import DebugRequest
from pfremote.model.secret import Secret
from pfremote.postfix.peers import parse_peers
from pfremote.transport import Become
from pfremote.transport.fabric import adopt

__all__ = ["arm", "collect", "extend", "forget", "history", "probe", "restore", "revert", "status", "tail"]

P = ParamSpec("P")


class HostTask(Task):  # type: ignore[misc]  # Fabric ships no type information
    """A Fabric task that also takes a host of :func:`pfremote.agent.client.open_host`, whatever its transport."""

    def __call__(self, host: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the task's body; a ``fabric.Connection`` is adopted first (see transport)."""
        if isinstance(host, OpenHost):
            return self.body(host, *args, **kwargs)
        return super().__call__(host, *args, **kwargs)


def _host_task(*lists: str) -> Callable[[Callable[P, Reply]], Callable[P, Reply]]:
    """Make a task; parameters named in ``lists`` may be repeated for fab, which prints the reply."""

    def make(body: Callable[P, Reply]) -> Callable[P, Reply]:
        made = task(klass=HostTask, autoprint=True, iterable=list(lists))(body)
        return cast("Callable[P, Reply]", made)

    return make


def _opened(host: OpenHost | Any, instance: str) -> OpenHost:
    if isinstance(host, OpenHost):
        return replace(host, instance=instance) if instance else host
    if not isinstance(host, fabric.Connection):
        raise TypeError("a task needs a host: run it with fab -H HOST, or give it a fabric.Connection")
    password = host.config.sudo.password
    user = host.config.sudo.user or "root"
    become = Become(None, user, "sudo", Secret(password) if password else None)
    return OpenHost(adopt(host), become, instance)


@_host_task("peer")
def probe(host: OpenHost, peer: Iterable[str] | None = None, instance: str = "") -> Reply:
    """Ask the host for its facts; changes nothing. ``peer`` names patterns to resolve and check there."""
    return probe_request(_opened(host, instance), DebugRequest(_read_peers(peer), seconds=0))


@_host_task("peer")
def arm(
    host: OpenHost,
    peer: Iterable[str] | None = None,
    seconds: int = 600,
    level: int = 2,
    lease: str = "",
    smtpd_tls: int | None = None,
    smtp_tls: int | None = None,
    lmtp_tls: int | None = None,
    owner: str = "",
    origin: str = "",
    reason: str = "",
    stop_after: int | None = None,
    max_log: int = 256 * 1024 * 1024,
    min_free: int = 10,
    drain: int = 60,
    guard: str = "auto",
    log: str = "",
    volatile: bool = False,
    allow_content: bool = False,
    all_peers: bool = False,
    check: bool = False,
    instance: str = "",
) -> Reply:
    """Turn debugging on for ``peer``, for ``seconds``, with the guard that ends it armed first."""
    request = DebugRequest(
        peers=_read_peers(peer),
        seconds=seconds,
        level=level,
        smtpd_tls=smtpd_tls,
        smtp_tls=smtp_tls,
        lmtp_tls=lmtp_tls,
        allow_content=allow_content,
        all_peers=all_peers,
        volatile_guard=volatile,
        guard=guard,
        log=log,
        stop_after=stop_after,
        max_log=max_log,
        min_free=min_free,
        drain=drain,
        owner=owner,
        origin=origin,
        reason=reason,
    )
    return arm_request(_opened(host, instance), request, request.patterns, lease=lease or new_lease(), check=check)


@dataclass(frozen=True, slots=True)
class ArmCall:
    """How to arm one host with a request: its patterns there, the lease's id, and whether it is only tried."""

    patterns: Sequence[str]
    lease: str
    check: bool = False


def probe_request(host: OpenHost, request: DebugRequest) -> Reply:
    """Do what :func:`probe` does, for the peers of a request."""
    return ask_agent(host, "probe", describe_probe(request))


def visit_request(host: OpenHost, request: DebugRequest, decide: Callable[[Reply], ArmCall | None]) -> Reply | None:
    """Do both in one visit: ``decide`` makes of the facts how to arm, or None for not at all.

    Return the reply to ``arm``.
    """

    def describe(facts: Reply) -> dict[str, Argument] | None:
        call = decide(facts)
        if call is None:
            return None
        return describe_arm(request, call.patterns, lease=call.lease, check=call.check)

    return probe_then_arm(host, describe_probe(request), describe)


def arm_request(
    host: OpenHost, request: DebugRequest, patterns: Sequence[str], *, lease: str, check: bool = False
) -> Reply:
    """Do what :func:`arm` does, for a whole request, whose peers are ``patterns`` on this host."""
    return ask_agent(host, "arm", describe_arm(request, patterns, lease=lease, check=check))


def _read_peers(texts: Iterable[str] | None) -> tuple[Peer, ...]:
    peers, mistakes = parse_peers(texts or ())
    if mistakes:
        raise Refused(mistakes)
    return peers


@_host_task()
def extend(host: OpenHost, lease: str, seconds: int, owner: str = "", origin: str = "", instance: str = "") -> Reply:
    """Let a lease end ``seconds`` from now; ``owner`` and ``origin`` say in the host's record who wanted that."""
    who: dict[str, Argument] = {"owner": owner or None, "from": origin or None}
    return ask_agent(_opened(host, instance), "extend", {"lease": lease, "seconds": seconds, **who})


@_host_task()
def status(host: OpenHost, lease: str = "", instance: str = "") -> Reply:
    """Ask for the leases and for debugging that no lease explains; changes nothing."""
    return ask_agent(_opened(host, instance), "status", {"lease": lease or None})


@_host_task()
def revert(host: OpenHost, lease: str = "all", why: str = "request", drain: int = 60, instance: str = "") -> Reply:
    """Let the host end a lease, or ``all``, now: the same code that its guard runs at the deadline."""
    return ask_agent(
        _opened(host, instance), "revert", {"lease": lease, "why": why, "drain": drain}, waiting=int(drain)
    )


@_host_task()
def collect(host: OpenHost, lease: str, instance: str = "") -> Reply:
    """Bring back a lease's evidence (payload ``evidence``, not redacted yet) and the copies of main.cf."""
    return ask_agent(_opened(host, instance), "collect", {"lease": lease})


@_host_task()
def tail(host: OpenHost, lease: str, position: str = "", instance: str = "") -> Reply:
    """Bring what a window's log says that is new (payload ``lines``, not redacted); changes nothing.

    ``position`` is what the reply before this one said; none begins at the window's start.
    """
    return ask_agent(_opened(host, instance), "tail", {"lease": lease, "position": position or None})


@_host_task()
def forget(host: OpenHost, lease: str, instance: str = "") -> Reply:
    """Delete a lease's folder on the host. Only after its evidence is stored safely."""
    return ask_agent(_opened(host, instance), "forget", {"lease": lease})


@_host_task()
def history(host: OpenHost, lines: int = 50, instance: str = "") -> Reply:
    """Ask for the last ``lines`` of what was done on the host's instance, oldest first; changes nothing."""
    return ask_agent(_opened(host, instance), "history", {"lines": lines})


@_host_task()
def restore(
    host: OpenHost, lease: str, owner: str = "", origin: str = "", check: bool = False, instance: str = ""
) -> Reply:
    """After a revert with conflicts: put the values of before the window over another's edit."""
    arguments = {"lease": lease, "owner": owner or None, "from": origin or None, "check": check}
    return ask_agent(_opened(host, instance), "restore", arguments)
