"""Fabric or the ssh program? Fabric, unless ssh_config or the keys ask for what Paramiko cannot do."""

from __future__ import annotations

import os

from pfremote.errors import AuthFailed, HostError, Unreachable
from pfremote.paths import exists
from pfremote.transport.algorithms import find_unusable
from pfremote.transport.hostkeys import HostKeyCheck
from pfremote.transport.keys import read_key_type, read_public_blob
from pfremote.transport.options import ConnectOptions
from pfremote.transport.route import Route
from pfremote.transport.sshconfig import HostConfig

# Options whose neglect would weaken the check of the host, or lose the login.
_ONLY_SSH = {
    "knownhostscommand": "KnownHostsCommand",
    "revokedhostkeys": "RevokedHostKeys",
    "pkcs11provider": "PKCS11Provider",
}
# What paramiko.Transport offers to verify (its HostKeyAlgorithms), as key types.
_HOST_KEYS = {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"}


def find_need_for_ssh(route: Route, options: ConnectOptions) -> str:
    """Return why the ssh program is needed for this route, in one sentence, or an empty string."""
    for hop in route.hops:
        reason = _find_need(hop, options)
        if reason:
            return f"{hop.name}: {reason}"
    return ""


def _find_need(hop: HostConfig, options: ConnectOptions) -> str:
    for key, name in _ONLY_SSH.items():
        if hop.first(key, "none") != "none":
            return f"{name} is set in ssh_config, which only the ssh program understands"
    if unusable := find_unusable(hop):
        return unusable
    check = HostKeyCheck(hop, options.host_key_checking)
    if check.needs_authority():
        return "a certificate authority vouches for its host key, which only the ssh program can check"
    kinds = {key.kind for key in check.known_keys() if not key.marker}
    if kinds and not kinds & _HOST_KEYS:
        return f"known_hosts has only {', '.join(sorted(kinds))} for it, which only the ssh program can check"
    types = [read_key_type(read_public_blob(path)) for path in hop.paths("identityfile") if exists(path)]
    if types and all(kind.startswith("sk-") for kind in types):
        return "its only key is a FIDO key, which only the ssh program can use"
    return ""


def find_second_chance(error: HostError, route: Route) -> str:
    """Return why the ssh program may succeed where Fabric failed with ``error``, or an empty string."""
    cause = type(error.__cause__).__name__
    if isinstance(error, Unreachable) and cause == "IncompatiblePeer":
        return f"Paramiko and the host share no algorithm ({error.__cause__})"
    if not isinstance(error, AuthFailed):
        return ""
    if "(a FIDO key)" in error.message:
        return "a FIDO key is on offer, which only the ssh program can use"
    if any(hop.is_yes("gssapiauthentication") for hop in route.hops) and _has_ticket():
        return "there is a Kerberos ticket, which only the ssh program can use"
    return ""


def _has_ticket() -> bool:
    return bool(os.environ.get("KRB5CCNAME")) or exists(f"/tmp/krb5cc_{os.getuid()}")  # noqa: S108 - MIT's default
