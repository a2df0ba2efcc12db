"""Fit the peers that were asked for to one host: what its settings, its DNS and its table types make of
them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from pfremote.errors import Reason
from pfremote.facts import Facts
from pfremote.postfix.levels import read_version
from pfremote.postfix.matching import match_peer
from pfremote.postfix.peers import Peer, parse_peers

#: Tables that Postfix reads from a file beside the named one (``.db``, ``.lmdb``); the agent tries these
#: when it arms.
_COMPILED = frozenset({"btree", "cdb", "dbm", "hash", "lmdb", "sdbm"})
#: As many as the agent takes.
MAX_PATTERNS = 64
MAX_LENGTH = 255


@dataclass(slots=True)
class FittedPeers:
    """Patterns for ``debug_peer_list`` in order, with what the operator should know about them."""

    patterns: list[str] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    refusals: list[Reason] = field(default_factory=list)


def fit_peers(texts: Iterable[str], facts: Facts, *, all_peers: bool) -> FittedPeers:
    """Read the patterns and fit them to the host that ``facts`` describe."""
    peers, reasons = parse_peers(texts)
    fitted = FittedPeers(refusals=list(reasons))
    for peer in peers:
        _fit_peer(peer, facts, fitted)
        if peer.broad and not all_peers:
            fitted.refusals.append(
                Reason("all-peers", peer.broad, "Name the peers that matter, or add --all-peers if you mean it.")
            )
    fitted.patterns = list(dict.fromkeys(fitted.patterns))
    fitted.refusals.extend(_refuse_size(fitted.patterns))
    if not peers and not reasons:
        fitted.refusals.append(Reason("peer-empty", "no peer was named", "Type --peer with an address or a host name."))
    elif peers and all(peer.negated for peer in peers):
        fitted.refusals.append(
            Reason(
                "peer-only-negations",
                "a list of nothing but exceptions matches nobody",
                "Add a --peer that is not negated, or --peer static:all --all-peers after the exceptions.",
            )
        )
    return fitted


def _refuse_size(patterns: list[str]) -> list[Reason]:
    hint = "Put them into a file on the host, and type --peer /path/of/the/file."
    if len(patterns) > MAX_PATTERNS:
        return [Reason("too-many-peers", f"these are {len(patterns)} patterns, {MAX_PATTERNS} is the most", hint)]
    if any(len(pattern) > MAX_LENGTH for pattern in patterns):
        return [Reason("peer-long", f"a pattern is longer than {MAX_LENGTH} characters", hint)]
    return []


def _fit_peer(peer: Peer, facts: Facts, fitted: FittedPeers) -> None:
    if peer.note is not None:
        fitted.warnings.append(peer.note)
    if peer.kind in ("file", "table"):
        fitted.refusals.extend(_judge_source(peer, facts))
        fitted.patterns.append(peer.text)
    elif peer.kind == "nexthop":
        _fit_nexthop(peer, facts, fitted)
    elif peer.kind in ("hostname", "domain"):
        _fit_name(peer, facts, fitted)
    else:
        fitted.patterns.append(peer.text)


def _judge_source(peer: Peer, facts: Facts) -> list[Reason]:
    """A missing type or file makes Postfix warn once per connection and stop reading the list."""
    if peer.kind == "table" and facts.tables and peer.table not in facts.tables:
        known = " ".join(sorted(facts.tables))
        return [Reason("table-type", f"{peer.body}: this Postfix has no table type {peer.table}", f"It has: {known}.")]
    path = peer.body.partition(":")[2] if peer.kind == "table" else peer.body
    if peer.table in _COMPILED or not set(facts.missing_files) & {path, peer.body}:
        return []
    return [Reason("missing-file", f"{path} does not exist on this host", "Create it there first, or name the peers.")]


def _fit_nexthop(peer: Peer, facts: Facts, fitted: FittedPeers) -> None:
    host = peer.body[1:].partition("]")[0]
    if read_version(facts.version) < (3, 6):
        fitted.refusals.append(
            Reason(
                "peer-nexthop",
                f"{peer.body}: Postfix {facts.version} does not compare next hops",
                f"Type {host}.",
            )
        )
    fitted.warnings.append(
        Reason(
            "peer-nexthop",
            f"{peer.body} matches deliveries with exactly this next hop, not the server itself",
            f"Type {host} as well if other mail reaches the same server.",
        )
    )
    fitted.patterns.append(peer.text)


def _fit_name(peer: Peer, facts: Facts, fitted: FittedPeers) -> None:
    sign = "!" if peer.negated else ""
    name = peer.body
    if name.startswith(".") and facts.parent_domain:
        name = name.removeprefix(".")
        fitted.warnings.append(
            Reason(
                "peer-leading-dot",
                f"{peer.body} would match nothing on this host; {name} is used, which matches it and "
                "every host below it",
            )
        )
    elif not name.startswith(".") and not facts.parent_domain and name != "unknown":
        fitted.warnings.append(
            Reason(
                "peer-exact-name",
                f"{name} matches only the host of exactly this name here (parent_domain_matches_subdomains)",
                f"Type .{name} as well for the hosts below it.",
            )
        )
    fitted.patterns.append(sign + name)
    if (
        not peer.negated
        and facts.myhostname
        and match_peer([name], facts.myhostname, "", parent_domain=facts.parent_domain)
    ):
        fitted.warnings.append(
            Reason(
                "peer-own-name",
                f"{name} covers this host itself ({facts.myhostname}): every delivery over a unix "
                "socket (LMTP) is debugged too",
                "Type the address of the peer instead, if that is not wanted.",
            )
        )
    addresses = _look_up(peer, facts)
    if addresses is not None and not peer.body.startswith(".") and name != "unknown":
        _expand_name(name, sign, addresses, facts, fitted)


def _look_up(peer: Peer, facts: Facts) -> tuple[str, ...] | None:
    """What the host resolved the name to, under the peer as it was typed; None where it was not asked."""
    known = [addresses for name, addresses in facts.resolved.items() if name.lower().lstrip("!") == peer.body]
    return max(known, key=len) if known else None


def _expand_name(name: str, sign: str, addresses: tuple[str, ...], facts: Facts, fitted: FittedPeers) -> None:
    """Add the addresses of a host name: a client's name counts only where forward and reverse DNS agree."""
    if not addresses:
        fitted.warnings.append(_warn_unresolved(name))
        if not sign and "." not in name and name != "localhost" and facts.parent_domain:
            fitted.warnings.append(
                Reason(
                    "peer-single-label",
                    f"{name} matches every host whose name ends in .{name}",
                    "Type the full host name.",
                )
            )
    for text in addresses:
        address = _read_address(text)
        if address is None:
            continue
        fitted.patterns.append(sign + address)
        if (reverse := facts.reverse.get(text)) is not None and not match_peer(
            [name], reverse.rstrip("."), "", parent_domain=facts.parent_domain
        ):
            fitted.warnings.append(
                Reason(
                    "peer-reverse",
                    f"{text} is {name} forward but {reverse or 'nothing'} in reverse; as a client it "
                    "is matched by its address only",
                )
            )


def _warn_unresolved(name: str) -> Reason:
    return Reason(
        "peer-unresolved",
        f"{name} has no address on this host; it is matched by name only",
        "As a domain that is as it should be; for a host, check the spelling or type its address.",
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
