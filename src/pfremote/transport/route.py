"""The way to a host: the host itself and every jump host before it, each with its own ssh_config."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from pfremote.errors import UsageError
from pfremote.model.target import Target
from pfremote.paths import exists
from pfremote.transport.alike import ask_once
from pfremote.transport.options import ConnectOptions
from pfremote.transport.sshconfig import HostConfig, Query, has_ssh

_MAX_JUMPS = 8
_HOP = re.compile(
    r"^(?:ssh://)?(?:(?P<user>[^@]*)@)?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:/]+|[0-9a-fA-F:]+))(?::(?P<port>\d+))?/?$"
)


@dataclass(frozen=True, slots=True)
class Route:
    """The hosts on the way, the first to be contacted first, the target last."""

    hops: tuple[HostConfig, ...]

    @property
    def target(self) -> HostConfig:
        """The host that we want."""
        return self.hops[-1]

    @property
    def bastion(self) -> str:
        """``host:port`` of the first jump host, empty where there is none.

        All hosts behind one bastion share its MaxStartups, see :meth:`gate`.
        """
        return f"{self.hops[0].hostname}:{self.hops[0].port}" if len(self.hops) > 1 else ""

    def gate(self, number: int) -> str:
        """Return where the connection to hop ``number`` queues with others (:mod:`.backoff`).

        A hop is told apart by the way to it: one address behind two jump hosts is two machines. Those whose
        ProxyCommand reads the same most likely meet at the same jump host.
        """
        command = self.hops[0].first("proxycommand", "none")
        if command != "none" and number == 0:
            return command
        return ">".join(f"{hop.hostname}:{hop.port}" for hop in self.hops[: number + 1])

    def warnings(self) -> tuple[str, ...]:
        """Return what could not be read of ssh_config, each sentence once."""
        return tuple(dict.fromkeys(w for hop in self.hops for w in hop.warnings))


def make_query(target: Target, options: ConnectOptions) -> Query:
    """Return the look-up for a target: the inventory's word beats the command line's, as in Ansible."""
    extra, config = list(target.ssh_common_args), options.ssh_config
    while "-F" in extra[:-1]:  # the ssh program takes one -F only, and openssh.py gives it
        at = extra.index("-F")
        config = extra[at + 1]
        del extra[at : at + 2]
    return Query(
        name=target.host,
        user=target.user or options.user,
        port=target.port,
        private_key=target.private_key or options.private_key,
        ssh_config=config,
        extra=tuple(extra),
    )


def read_config(query: Query, timeout: float) -> HostConfig:
    """Return the effective ssh_config of one host, from OpenSSH where it is installed."""
    if has_ssh():
        return ask_once(query, timeout)
    # Paramiko is loaded only where there is no ssh program to ask.
    from pfremote.transport.sshconfig_fallback import read_with_paramiko

    return read_with_paramiko(query)


def find_route(target: Target, options: ConnectOptions) -> Route:
    """Return the way to the target.

    Raises:
        UsageError: a jump host is written wrong, the jumps go in a circle, or the private key is missing.
    """
    query = make_query(target, options)
    if query.private_key and not exists(Path(query.private_key).expanduser()):
        # ssh would only warn and go on with other keys
        raise UsageError(f"there is no private key at {query.private_key}", hint="Check --private-key.")
    config = read_config(query, options.connect_timeout)
    # A -F of the target holds for the jump hosts on its way too, as with ssh(1), which hands it on.
    inherited = replace(options, ssh_config=query.ssh_config)
    return Route((*_jumps_before(config, inherited, ()), config))


def _jumps_before(config: HostConfig, options: ConnectOptions, seen: tuple[str, ...]) -> tuple[HostConfig, ...]:
    """Resolve ProxyJump as ssh does: of ``a,b`` b is reached through a, and only a's own ProxyJump counts."""
    jump = config.first("proxyjump", "none")
    if jump.lower() == "none":
        return ()
    place = f"{config.hostname}:{config.port}"
    if place in seen or len(seen) >= _MAX_JUMPS:
        raise UsageError(
            f"ProxyJump goes in a circle at {place}",
            hint=f"Write 'ProxyJump none' for {config.name} in ssh_config.",
        )
    hops = [_read_hop(hop, options) for hop in jump.split(",")]
    return (*_jumps_before(hops[0], options, (*seen, place)), *hops)


def _read_hop(text: str, options: ConnectOptions) -> HostConfig:
    query = parse_hop(text.strip())
    return read_config(replace(query, ssh_config=options.ssh_config), options.connect_timeout)


def parse_hop(text: str) -> Query:
    """Return one jump host as ssh_config(5) writes it: ``[user@]host[:port]`` or an ssh URI.

    >>> parse_hop("ssh://ops@bastion:2222").port
    2222

    Raises:
        UsageError: it is neither.
    """
    match = _HOP.match(text)
    if match is None:
        raise UsageError(f"{text!r} is not a jump host", hint="Write user@host:port or ssh://user@host:port.")
    port = match["port"]
    return Query(match["v6"] or match["host"], user=match["user"] or None, port=int(port) if port else None)


def name_place(hop: HostConfig) -> str:
    """Return how messages call a host: by its name, with the address and port that it stands for.

    >>> name_place(HostConfig("mx1", "10.0.0.1", 22, "root"))
    'mx1 (10.0.0.1:22)'
    """
    return f"{hop.name} ({hop.hostname}:{hop.port})"


def describe_route(route: Route) -> str:
    """Return ``user@host:port via jump,jump`` for messages.

    >>> jump = HostConfig("gw", "192.0.2.1", 22, "ops")
    >>> describe_route(Route((jump, HostConfig("mx1", "10.0.0.1", 22, "root"))))
    'root@10.0.0.1:22 via ops@192.0.2.1:22'
    """
    names = [f"{hop.user}@{hop.hostname}:{hop.port}" for hop in route.hops]
    return names[-1] if len(names) == 1 else f"{names[-1]} via {','.join(names[:-1])}"
