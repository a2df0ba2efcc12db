"""The algorithms and login methods that ssh_config allows, as far as Paramiko has them.

Paramiko knows none of these options: by itself it would offer what the operator, or the distribution's crypto
policy, has forbidden. ``ssh -G`` gives each list whole, with ``+``, ``-`` and ``^`` worked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import paramiko

from pfremote.transport.sshconfig import HostConfig

Method = Literal["publickey", "password"]

# One algorithm with two names (RFC 8731, section 3): Paramiko knows only the older one.
_ALIASES = {"curve25519-sha256": "curve25519-sha256@libssh.org"}
# What OpenSSH likes best and Paramiko has not. Ciphers of the same kind (AEAD) come nearest, and need no MAC beside
# them, which Paramiko compares byte by byte.
_AEAD = "chacha20-poly1305@openssh.com"
# The type information leaves these out; they are what Paramiko offers by default.
_OURS = vars(paramiko.Transport)
# Option, its name in ssh_config(5), Paramiko's list, the name of that list in SecurityOptions.
_LISTS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("ciphers", "Ciphers", _OURS["_preferred_ciphers"], "ciphers"),
    ("macs", "MACs", _OURS["_preferred_macs"], "digests"),
    ("kexalgorithms", "KexAlgorithms", _OURS["_preferred_kex"], "kex"),
    ("hostkeyalgorithms", "HostKeyAlgorithms", _OURS["_preferred_keys"], "key_types"),
)
_METHODS: tuple[Method, ...] = ("publickey", "password")


def find_unusable(config: HostConfig) -> str:
    """Return which option leaves Paramiko nothing to offer, in one sentence, or an empty string."""
    for option, name, known, _ in _LISTS:
        allowed = _read_list(config, option)
        if allowed and not _common(allowed, known):
            shown = ",".join(allowed[:3]) + (",…" if len(allowed) > 3 else "")
            return f"{name} in ssh_config allows only {shown}, which only the ssh program has"
    if not allowed_methods(config):
        methods = config.first("preferredauthentications")
        return f"PreferredAuthentications in ssh_config is {methods}, which only the ssh program can do"
    return ""


def restrict(config: HostConfig, offer: paramiko.transport.SecurityOptions) -> None:
    """Offer only what ssh_config allows, in its order; a list that leaves nothing is not touched here."""
    for option, _, known, attribute in _LISTS:
        allowed = _read_list(config, option)
        common = _common(allowed, known)
        if allowed[:1] == (_AEAD,):
            common = tuple(sorted(common, key=lambda name: "-gcm@" not in name))
        if common:
            setattr(offer, attribute, common)


def allowed_methods(config: HostConfig) -> tuple[Method, ...]:
    """Return which of Paramiko's ways to log in PreferredAuthentications names; all where it is not set."""
    wanted = config.first("preferredauthentications")
    names = wanted.split(",") if wanted else _METHODS
    return tuple(method for method in _METHODS if method in names)


def _read_list(config: HostConfig, option: str) -> tuple[str, ...]:
    text = config.first(option)
    # Without the ssh program a change to the defaults stays as it was written; that is no list of ours.
    return () if text[:1] in ("", "+", "-", "^") else tuple(text.split(","))


def _common(allowed: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    found = (_ALIASES.get(name, name) for name in allowed)
    return tuple(dict.fromkeys(name for name in found if name in known))
