"""Read what ssh(1) wrote when it could not connect, and say it in our words.

The texts are those of OpenSSH's sshconnect.c and sshconnect2.c (never translated), with LogLevel DEBUG1.
"""

from __future__ import annotations

import re

from pfremote.errors import AuthFailed, HostError, HostKeyRejected, NameUnknown, Unreachable
from pfremote.transport.hostkeys import HostKeyCheck
from pfremote.transport.knownhosts import AUTHORITY, REVOKED, Status, Verdict, find_fingerprint
from pfremote.transport.options import ConnectOptions
from pfremote.transport.route import Route, name_place

_SSH_HINT = "See whether plain ssh gets through, with: ssh -v HOST true"
_SERVER_KEY = re.compile(r"Server host key: (\S+) (SHA256:\S+)")
_UNKNOWN = re.compile(r"host key is known for (\S+) and you have requested strict checking")
_CHANGED = re.compile(r"Host key for (\S+) has changed and you have requested strict checking")
_REVOKED = re.compile(r"Host key \S+ was marked as revoked|revoked host key|host key for (\S+) was revoked", re.I)
_OFFERED = re.compile(r"(?:Offering public key|Will attempt key): (\S+)")
_DENIED = re.compile(r"Permission denied|Too many authentication failures")
_NOISE = re.compile(r"^(debug\d:|OpenSSH_|Connection closed by UNKNOWN|@@|\s*$)")
_TRANSIENT = re.compile(r"kex_exchange_identification: |Exceeded MaxStartups|banner exchange: .*(reset|closed)")


def is_transient(text: str) -> bool:
    """Tell whether a busy sshd dropped the connection before its greeting."""
    # A jump host that refuses to forward looks the same from outside; it says so in a line of its own.
    return bool(_TRANSIENT.search(text)) and "open failed" not in text and not _is_about_keys(text)


def _is_about_keys(text: str) -> bool:
    return "Host key verification failed" in text or "Permission denied" in text


def explain_failure(text: str, route: Route, options: ConnectOptions) -> HostError:
    """Return the error in the output of an ssh that did not connect."""
    place = name_place(route.target) + "".join(f" via {name_place(hop)}" for hop in route.hops[:-1])
    lines = [line.strip() for line in text.splitlines() if not _NOISE.match(line)]
    said = lines[-1].rstrip(".") if lines else "ssh gave no reason"
    if "Host key verification failed" in text or _REVOKED.search(text):
        return _explain_host_key(text, route, options)
    denied = next((line for line in lines if _DENIED.search(line)), "")
    if denied:
        tried = ", ".join(dict.fromkeys(_OFFERED.findall(text))) or "nothing, there was no key to try"
        return AuthFailed(
            f"{place} did not let us in: {denied.rstrip('.')}; tried: {tried}",
            hint="Use --private-key FILE or -u USER, or add the key to ssh-agent with: ssh-add FILE",
        )
    if "could not resolve hostname" in text.lower():
        hint = "Check the spelling, or give the address as ansible_host in the inventory."
        return NameUnknown(f"cannot connect to {place}: the name does not resolve", hint=hint)
    for sign, reason in _REASONS:
        if sign in text.lower():
            return Unreachable(f"cannot connect to {place}: {reason}", hint=_SSH_HINT)
    return Unreachable(f"cannot connect to {place}: {said}", hint=_SSH_HINT)


_REASONS = (
    ("connection refused", "connection refused"),
    ("timed out", "no answer in time"),
    ("no route to host", "no route to host"),
    ("network is unreachable", "network is unreachable"),
)


def _explain_host_key(text: str, route: Route, options: ConnectOptions) -> HostKeyRejected:
    """Find out whose key it was and what known_hosts has; the fingerprint is the last one shown before."""
    changed = _CHANGED.search(text)
    blame = changed or _UNKNOWN.search(text)
    shown = _SERVER_KEY.findall(text[: blame.start()] if blame else text)
    kind, fingerprint = shown[-1] if shown else ("a key", "of unknown fingerprint")
    checks = [HostKeyCheck(hop, options.host_key_checking, number == 0) for number, hop in enumerate(route.hops)]
    check = next((c for c in checks if blame and c.name == blame[1].lower()), checks[-1])
    keys = check.known_keys()
    revoked = [key for key in keys if key.marker == REVOKED and find_fingerprint(key.blob) == fingerprint]
    if revoked:
        return check.refuse(Verdict(Status.REVOKED, revoked[0]), kind, fingerprint)
    plain = [key for key in keys if key.marker not in (REVOKED, AUTHORITY)]
    if changed and plain:
        return check.refuse(Verdict(Status.CHANGED, plain[0]), kind, fingerprint)
    return check.refuse(Verdict(Status.UNKNOWN), kind, fingerprint)
