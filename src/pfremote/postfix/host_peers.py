"""Fit the peers that were asked for to one host: what its settings, its DNS and its table types make of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from pfremote.errors import Reason
from pfremote.model.facts import Facts
from pfremote.model.peer import Peer
from pfremote.postfix.levels import read_version
from pfremote.postfix.matching import match_peer

#: Tables that Postfix reads from a file beside the named one (``.db``, ``.lmdb``); the agent tries these when it arms.
_COMPILED = frozenset({"btree", "cdb", "dbm", "hash", "lmdb", "sdbm"})
#: As many as the agent takes.
MAX_PATTERNS = 64
MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class FittedPeers:
    """Patterns for ``debug_peer_list`` in order, with what the operator should know about them."""

    patterns: tuple[str, ...] = ()
    warnings: tuple[Reason, ...] = ()
    refusals: tuple[Reason, ...] = ()


def fit_peers(peers: Sequence[Peer], facts: Facts, *, all_peers: bool) -> FittedPeers:
    """Return what the peers become on the host that ``facts`` describe."""
    fitted = [_fit_peer(peer, facts) for peer in peers]
    patterns = tuple(dict.fromkeys(pattern for item in fitted for pattern in item.patterns))
    return FittedPeers(
        patterns,
        tuple(reason for item in fitted for reason in item.warnings),
        (
            *(reason for item in fitted for reason in item.refusals),
            *([] if all_peers else _refuse_broad(peers)),
            *_refuse_size(patterns),
            *_refuse_exceptions(peers),
        ),
    )


def _refuse_broad(peers: Iterable[Peer]) -> Iterator[Reason]:
    for peer in peers:
        if peer.broad:
            yield Reason("all-peers", peer.broad, "Name the peers that matter, or add --all-peers if you mean it.")


def _refuse_size(patterns: Sequence[str]) -> list[Reason]:
    hint = "Put them into a file on the host, and type --peer /path/of/the/file."
    if len(patterns) > MAX_PATTERNS:
        return [Reason("too-many-peers", f"these are {len(patterns)} patterns, {MAX_PATTERNS} is the most", hint)]
    if any(len(pattern) > MAX_LENGTH for pattern in patterns):
        return [Reason("peer-long", f"a pattern is longer than {MAX_LENGTH} characters", hint)]
    return []


def _refuse_exceptions(peers: Sequence[Peer]) -> list[Reason]:
    if not peers or not all(peer.negated for peer in peers):
        return []
    return [
        Reason(
            "peer-only-negations",
            "a list of nothing but exceptions matches no peer",
            "Add a --peer that is not negated, or --peer static:all --all-peers after the exceptions.",
        )
    ]


def _fit_peer(peer: Peer, facts: Facts) -> FittedPeers:
    if peer.kind in ("file", "table"):
        return _with_note(peer, FittedPeers((peer.text,), refusals=tuple(_judge_source(peer, facts))))
    if peer.kind == "nexthop":
        return _with_note(peer, _fit_nexthop(peer, facts))
    if peer.kind in ("hostname", "domain"):
        return _with_note(peer, _fit_name(peer, facts))
    return _with_note(peer, FittedPeers((peer.text,)))


def _with_note(peer: Peer, fitted: FittedPeers) -> FittedPeers:
    if peer.note is None:
        return fitted
    return FittedPeers(fitted.patterns, (peer.note, *fitted.warnings), fitted.refusals)


def _judge_source(peer: Peer, facts: Facts) -> list[Reason]:
    """A missing type or file makes Postfix warn once per connection and stop reading the list."""
    if peer.kind == "table" and facts.tables and peer.table not in facts.tables:
        known = " ".join(sorted(facts.tables))
        return [Reason("table-type", f"{peer.body}: this Postfix has no table type {peer.table}", f"It has: {known}.")]
    path = peer.body.partition(":")[2] if peer.kind == "table" else peer.body
    if peer.table in _COMPILED or not set(facts.missing_files) & {path, peer.body}:
        return []
    return [Reason("missing-file", f"{path} does not exist on this host", "Create it there first, or name the peers.")]


def _fit_nexthop(peer: Peer, facts: Facts) -> FittedPeers:
    host = peer.body[1:].partition("]")[0]
    warning = Reason(
        "peer-nexthop",
        f"{peer.body} matches deliveries with exactly this next hop, not the server itself",
        f"Type {host} as well if other mail reaches the same server.",
    )
    if read_version(facts.version) >= (3, 6):
        return FittedPeers((peer.text,), (warning,))
    refusal = Reason(
        "peer-nexthop", f"{peer.body}: Postfix {facts.version} does not compare next hops", f"Type {host}."
    )
    return FittedPeers((peer.text,), (warning,), (refusal,))


def _fit_name(peer: Peer, facts: Facts) -> FittedPeers:
    sign = "!" if peer.negated else ""
    name = peer.body.removeprefix(".") if facts.parent_domain else peer.body
    addresses = None if peer.kind == "domain" or name == "unknown" else facts.resolved.get(peer.body)
    known = [(text, address) for text in addresses or () if (address := _read_address(text))]
    return FittedPeers(
        (sign + name, *(sign + address for _, address in known)),
        (
            *_warn_scope(peer.body, name, facts),
            *([] if peer.negated else _warn_own_name(name, facts)),
            *([] if addresses is None or addresses else _warn_unresolved(name, facts, negated=peer.negated)),
            *(reason for text, _ in known for reason in _warn_reverse(name, text, facts)),
        ),
    )


def _warn_scope(typed: str, name: str, facts: Facts) -> Iterator[Reason]:
    """What a name covers depends on parent_domain_matches_subdomains (postconf(5))."""
    if name != typed:
        yield Reason(
            "peer-leading-dot",
            f"{typed} would match nothing on this host; {name} is used, which matches it and every host below it",
        )
    elif not name.startswith(".") and not facts.parent_domain and name != "unknown":
        yield Reason(
            "peer-exact-name",
            f"{name} matches only the host of exactly this name here (parent_domain_matches_subdomains)",
            f"Type .{name} as well for the hosts below it.",
        )


def _warn_own_name(name: str, facts: Facts) -> Iterator[Reason]:
    if facts.myhostname and match_peer([name], facts.myhostname, "", parent_domain=facts.parent_domain):
        yield Reason(
            "peer-own-name",
            f"{name} covers this host itself ({facts.myhostname}): every delivery over a unix socket (LMTP) is "
            "debugged too",
            "Type the address of the peer instead, if that is not wanted.",
        )


def _warn_unresolved(name: str, facts: Facts, *, negated: bool) -> Iterator[Reason]:
    yield Reason(
        "peer-unresolved",
        f"{name} has no address on this host; it is matched by name only",
        "As a domain that is as it should be; for a host, check the spelling or type its address.",
    )
    if not negated and "." not in name and name != "localhost" and facts.parent_domain:
        yield Reason(
            "peer-single-label", f"{name} matches every host whose name ends in .{name}", "Type the full host name."
        )


def _warn_reverse(name: str, address: str, facts: Facts) -> Iterator[Reason]:
    """A client's name counts only where forward and reverse DNS agree, which is why its addresses are added."""
    reverse = facts.reverse.get(address)
    if reverse is None or match_peer([name], reverse.rstrip("."), "", parent_domain=facts.parent_domain):
        return
    yield Reason(
        "peer-reverse",
        f"{address} is {name} forward but {reverse or 'nothing'} in reverse; as a client it is matched by its address "
        "only",
    )


def _read_address(text: str) -> str | None:
    """Spell a resolved address for the list; the unspecified address (a blocked name) is no peer."""
    try:
        ip = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if ip.is_unspecified:
        return None
    if isinstance(ip, IPv6Address):
        return f"[{ip}]" if ip.ipv4_mapped is None else str(ip.ipv4_mapped)
    return str(ip)
