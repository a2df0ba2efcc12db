"""What one host said of itself (the reply to the agent's ``probe``; docs/agent-protocol.md, "Facts")."""

from __future__ import annotations

from dataclasses import dataclass, field

#: The parameters a lease may touch, in the order in which they are shown (postconf(5)).
PARAMETERS = (
    "debug_peer_list",
    "debug_peer_level",
    "smtpd_tls_loglevel",
    "smtp_tls_loglevel",
    "lmtp_tls_loglevel",
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One main.cf parameter. ``raw`` is unexpanded and meaningful only when ``present``; ``effective`` is expanded."""

    name: str
    present: bool
    raw: str
    effective: str


@dataclass(frozen=True, slots=True)
class Override:
    """A ``-o parameter=value`` of one master.cf service, for example service ``submission/inet``."""

    service: str
    parameter: str
    value: str


@dataclass(frozen=True, slots=True)
class VerboseService:
    """A master.cf service with ``-v`` flags; each adds one to the level for every peer."""

    service: str
    flags: int


@dataclass(frozen=True, slots=True)
class Lease:
    """One lease as the host describes it (docs/agent-protocol.md, "Lease block"). Times are epoch seconds.

    ``extended`` is who gave it more time, empty where it ends as it began.
    ``connects``, ``nameless`` and ``deliveries`` count those of all clients, None before the host has looked;
    ``heard`` are ``ADDRESS NAME`` of the lease's own addresses that connected.
    """

    id: str
    state: str
    peers: tuple[str, ...] = ()
    owner: str = ""
    origin: str = ""
    reason: str = ""
    extended: str = ""
    since: int = 0
    deadline: int = 0
    left: int = 0
    level: int | None = None
    smtpd_tls: int | None = None
    smtp_tls: int | None = None
    lmtp_tls: int | None = None
    guard: str = ""
    log: str = ""
    log_why: str = ""
    sessions: int = 0
    bytes: int = 0
    why: str = ""
    ended: int | None = None
    restored: str = ""
    conflicts: tuple[str, ...] = ()
    reload: str = ""
    drained: str = ""
    verbose: tuple[str, ...] = ()
    evidence: int | None = None
    predating: int = 0
    connects: int | None = None
    nameless: int = 0
    deliveries: int = 0
    heard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that planning needs. ``resolved`` maps a host-name peer to its addresses (maybe none)."""

    version: str
    config_directory: str
    main_cf: str
    running: bool
    log: str
    guards: tuple[str, ...]
    parameters: dict[str, Parameter]
    myhostname: str = ""
    main_cf_link: str = ""
    log_why: str = ""
    overrides: tuple[Override, ...] = ()
    verbose_services: tuple[VerboseService, ...] = ()
    parent_domain: bool = True
    tables: frozenset[str] = frozenset()
    resolved: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reverse: dict[str, str] = field(default_factory=dict)
    missing_files: tuple[str, ...] = ()
    leases: tuple[Lease, ...] = ()
    unexplained: tuple[tuple[str, str], ...] = ()
    time: float = 0.0
    raw: dict[str, tuple[str, ...]] = field(default_factory=dict)


def show_left_on(name: str, value: str) -> str:
    """Return debugging that no lease explains, for people: a parameter and its value, or a service of master.cf.

    >>> show_left_on("debug_peer_list", "192.0.2.1"), show_left_on("master.cf", "smtp/inet has 2 -v")
    ('debug_peer_list = 192.0.2.1', 'master.cf: smtp/inet has 2 -v')
    """
    return f"{name}: {value}" if name == "master.cf" else f"{name} = {value}"
