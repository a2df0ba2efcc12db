"""Read host names, domains and next-hop texts of ``debug_peer_list`` (Postfix util/match_ops.c,
match_hostname)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pfremote.errors import Reason

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
#: match_hostaddr() reads such a text as an address as soon as an IPv6 peer is compared with it, fails, and
#: stops there.
_ADDRESS_LIKE = re.compile(r"[0-9A-Fa-f.:]*\Z")
_PORT = re.compile(r":[0-9A-Za-z-]+\Z")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in lower case; a leading dot is kept. ``note`` where it is not what was typed."""

    text: str
    note: Reason | None = None


def read_name(body: str) -> Name | Reason:
    """Read ``mx1.example.jp``, ``example.jp`` or ``.example.jp``."""
    if reason := _explain_shape(body):
        return reason
    name, note = _to_ascii(body)
    if note is not None and (reason := _explain_shape(name)):
        return reason
    bare = name.removeprefix(".")
    if _ADDRESS_LIKE.match(bare) and not body.isascii():  # digits of other scripts become ours
        bare = ""
    if len(bare) > 253 or not all(_LABEL.match(label) for label in bare.split(".")):
        return Reason(
            "peer-name",
            f"{body}: this is neither an address nor a host name",
            "Type a name such as mx1.example.jp.",
        )
    return Name(name.lower(), note)


def read_nexthop(body: str, inner: str, rest: str) -> Reason | None:
    """Judge ``[relay.example.jp]:587``; a bracketed text is compared as a whole with the next hop (Postfix
    3.6+)."""
    if _ADDRESS_LIKE.match(inner):
        # As a next hop it would match, but the colon of the port makes it an IPv6 pattern for every IPv6
        # peer.
        return Reason(
            "peer-nexthop",
            f"{body}: an address takes no port here, Postfix stops reading the list there",
            f"Type {inner}.",
        )
    name = read_name(inner)
    if isinstance(name, Reason) or (rest and not _PORT.match(rest)):
        return Reason(
            "peer-nexthop",
            f"{body}: this is neither an address nor a next hop",
            "Type [relay.example.jp]:587 or the host name.",
        )
    return None


def _explain_shape(body: str) -> Reason | None:
    """Things that Postfix takes for a name that no peer can have."""
    if body.lower() in ("all", "any", "*", "."):
        return Reason(
            "peer-all",
            f"{body}: to Postfix this is no wildcard, it matches nothing",
            "Type --peer static:all --all-peers.",
        )
    if "*" in body or "?" in body:
        domain = body.lstrip("*?.")
        hint = (
            f"Type {domain}."
            if domain and "*" not in domain and "?" not in domain
            else "Type the domain, or use a regexp: table."
        )
        return Reason("peer-wildcard", f"{body}: Postfix knows no wildcards here, this matches nothing", hint)
    if "@" in body:
        return Reason(
            "peer-mail-address",
            f"{body}: peers are mail servers and clients, not mail addresses",
            f"Type {body.rpartition('@')[2]} for deliveries to that domain.",
        )
    if "{" in body or "}" in body:
        return Reason("peer-braces", f"{body}: braces belong to inline tables only", "Type the pattern without braces.")
    if body.endswith("."):
        return Reason("peer-dot", f"{body}: with a dot at its end this matches nothing", f"Type {body.rstrip('.')}.")
    if "/" in body:
        return Reason(
            "peer-slash",
            f"{body}: only an address takes a mask, and only a file begins with /",
            f"Type {body.partition('/')[0]}.",
        )
    return None


def _to_ascii(body: str) -> tuple[str, Reason | None]:
    """DNS, and so smtpd and the MX lookup, gives names as A-labels; Postfix compares them as they come."""
    if body.isascii():
        return body, None
    try:
        labels = [label.encode("idna").decode("ascii") for label in body.split(".")]
    except UnicodeError:
        return body, None  # the label check says no
    name = ".".join(labels)
    return name, Reason(
        "peer-idn",
        f"{body} is looked for as {name}, the form that DNS gives",
        "Deliveries whose recipient domain is written in the other form are matched by the server's name or address.",
    )
