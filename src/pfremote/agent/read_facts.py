"""From a decoded reply to the values the client works with: :class:`Facts` and :class:`Lease`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from pfremote.agent.protocol import ProtocolError, Reply, read_number
from pfremote.agent.reply import LAST_MOMENT, MOST
from pfremote.model.facts import PARAMETERS, Facts, Lease, Override, Parameter, VerboseService
from pfremote.text.terminal import show_line

_LEASE_LISTS = {"peer", "conflict", "verbose", "heard"}
_COUNTS = "sessions bytes level smtpd_tls smtp_tls lmtp_tls predating connects nameless deliveries".split()  # noqa: SIM905
#: Keys whose value is a number, with the least and the most that is believed. No window is longer than a day.
_LEASE_NUMBERS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("since", "deadline", "ended"), (0, LAST_MOMENT)),
    **dict.fromkeys(_COUNTS, (0, MOST)),
    "left": (-86_400, 86_400),
}
_LEASE_WORDS = {
    "state",
    "owner",
    "from",
    "reason",
    "extended",
    "guard",
    "why",
    "restored",
    "reload",
    "drained",
    "log",
    "log_why",
}
#: Words of the account that asked, percent-encoded.
_FREE_TEXT = {"owner", "from", "reason", "extended"}
_PYTHON_NAMES = {"from": "origin", "peer": "peers", "conflict": "conflicts"}


def read_leases(reply: Reply) -> tuple[Lease, ...]:
    """Return the lease blocks of a reply, in its order.

    Raises:
        ProtocolError: a lease key outside a block, a number that is none, a single value given twice.
    """
    blocks: list[tuple[str, list[tuple[str, str]]]] = []
    for key, value in reply.pairs:
        if key == "lease":
            blocks.append((value, []))
        elif key.startswith("lease."):
            if not blocks:
                raise ProtocolError(f"the agent sent {key} before any lease")
            blocks[-1][1].append((key.removeprefix("lease."), value))
    return tuple(_read_lease(lease_id, pairs) for lease_id, pairs in blocks)


def find_lease(reply: Reply, lease_id: str) -> Lease | None:
    """Return one lease of a reply, None where it does not speak of it."""
    return next((lease for lease in read_leases(reply) if lease.id == lease_id), None)


def _read_lease(lease_id: str, pairs: Iterable[tuple[str, str]]) -> Lease:
    lists: dict[str, list[str]] = {name: [] for name in _LEASE_LISTS}
    values: dict[str, object] = {}
    for key, value in pairs:
        name = _PYTHON_NAMES.get(key, key)
        if key in _LEASE_LISTS:
            lists[key].append(_read_conflict(value) if key == "conflict" else value)
        elif name in values:
            raise ProtocolError(f"the agent sent lease.{key} twice for lease {lease_id}")
        elif key == "evidence":
            values[name] = None if value == "none" else read_number("lease.evidence", value)
        elif key in _LEASE_NUMBERS:
            least, most = _LEASE_NUMBERS[key]
            values[name] = read_number(f"lease.{key}", value, least=least, most=most)
        elif key in _LEASE_WORDS:
            values[name] = _decode(value) if key in _FREE_TEXT else value
    if "state" not in values:
        raise ProtocolError(f"the agent described lease {lease_id} without its state")
    values |= {_PYTHON_NAMES.get(key, key): tuple(items) for key, items in lists.items()}
    return Lease(id=lease_id, **values)  # type: ignore[arg-type]  # the three sets above name exactly Lease's fields


def _read_conflict(text: str) -> str:
    """Unquote ``PARAM ours=VALUE theirs=VALUE``, for people to read."""
    return " ".join(_decode(word) for word in text.split(" "))


def _decode(text: str) -> str:
    """Return percent-encoded text as one line; what would steer a terminal is shown as an escape."""
    return show_line(unquote(text, errors="surrogateescape"))


def read_facts(reply: Reply) -> Facts:
    """Return what the host said of itself.

    Raises:
        ProtocolError: something that must be there is missing, or is not of its kind.
    """
    for key in ("version", "config_directory", "main_cf", "running", "log", "guards"):
        if key not in {name for name, _ in reply.pairs}:
            raise ProtocolError(f"the agent's facts lack {key}")
    raw: dict[str, tuple[str, ...]] = {key: reply.every(key) for key, _ in reply.pairs}
    return Facts(
        version=reply.one("version"),
        config_directory=reply.one("config_directory"),
        main_cf=reply.one("main_cf"),
        running=reply.one("running") == "yes",
        log=reply.one("log"),
        guards=tuple(reply.one("guards").split()),
        parameters=_read_parameters(reply),
        myhostname=reply.one("myhostname"),
        main_cf_link=reply.one("main_cf_link"),
        log_why=reply.one("log_why"),
        overrides=tuple(_read_override(path, value) for path, value in reply.named("override")),
        verbose_services=tuple(
            VerboseService(service, read_number("verbose_service", flags))
            for service, flags in reply.named("verbose_service")
        ),
        parent_domain=reply.one("parent_domain", "yes") == "yes",
        tables=frozenset(reply.one("tables").split()),
        resolved={peer: tuple(rest) for peer, *rest in map(str.split, reply.every("resolve"))},
        reverse=dict(reply.named("reverse")),
        missing_files=reply.every("missing_file"),
        leases=read_leases(reply),
        unexplained=reply.named("unexplained"),
        time=_read_time(reply.one("time", "0")),
        raw=raw,
    )


def _read_time(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LAST_MOMENT:
        raise ProtocolError(f"the agent sent time={text!r}, which is no time")
    return seconds


def _read_parameters(reply: Reply) -> dict[str, Parameter]:
    effective = dict(reply.named("effective"))
    parameters = {name: Parameter(name, False, "", effective.get(name, "")) for name in PARAMETERS}
    for name, text in reply.named("param"):
        presence, _, raw = text.partition(" ")
        if presence not in ("present", "absent"):
            raise ProtocolError(f"the agent sent param {name} as {text[:120]!r}: neither present nor absent")
        parameters[name] = Parameter(name, presence == "present", raw, effective.get(name, raw))
    return parameters


def _read_override(path: str, value: str) -> Override:
    service, _, parameter = path.rpartition("/")
    return Override(service, parameter, value)
