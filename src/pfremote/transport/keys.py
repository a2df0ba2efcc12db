"""Find the keys to log in with: identity files, their certificates, and what ssh-agent holds."""

from __future__ import annotations

import base64
import binascii
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import paramiko
from paramiko.agent import AgentSSH
from paramiko.pkey import UnknownKeyType

from pfremote.paths import exists
from pfremote.transport.knownhosts import find_fingerprint
from pfremote.transport.sshconfig import HostConfig

_MAGIC = b"openssh-key-v1\0"


@dataclass(frozen=True, slots=True)
class Identity:
    """One key to offer: how messages call it, and the key itself, or why there is none."""

    label: str
    key: paramiko.PKey | None
    problem: str = ""


class KeyAgent(AgentSSH):
    """ssh-agent at a given socket; Paramiko's own ``Agent`` reads only SSH_AUTH_SOCK, never IdentityAgent."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(path)
            self._connect(self._socket)  # type: ignore[attr-defined]
        except (OSError, paramiko.SSHException):
            self._socket.close()

    def close(self) -> None:
        """Close the connection to the agent."""
        self._close()  # type: ignore[attr-defined]
        self._socket.close()


def find_agent_socket(config: HostConfig) -> str:
    """Return the agent's socket by IdentityAgent, else SSH_AUTH_SOCK; empty where there is none."""
    setting = config.first("identityagent", "SSH_AUTH_SOCK")
    if setting == "none":
        return ""
    if setting == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if setting.startswith("$") and not setting.startswith("${"):
        return os.environ.get(setting[1:], "")
    return config.expand(setting)


def read_public_blob(path: Path) -> bytes:
    """Return the public key of an identity file without its passphrase; empty where it cannot be told."""
    for candidate in (path.with_name(path.name + ".pub"), path):
        try:
            fields = candidate.read_bytes().split()
        except OSError:
            continue
        if len(fields) >= 2 and not fields[0].startswith(b"-----"):
            return _decode(fields[1])
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return b""
    raw = _decode(b"".join(line for line in lines if not line.startswith(b"-----")))
    return _public_part(raw) if raw.startswith(_MAGIC) else b""


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _public_part(raw: bytes) -> bytes:
    """Cut the public key out of a private one (OpenSSH's PROTOCOL.key: cipher, kdf, options, count, key)."""
    try:
        at = len(_MAGIC)
        for _ in range(3):
            at += 4 + struct.unpack_from(">I", raw, at)[0]
        at += 4
        size = struct.unpack_from(">I", raw, at)[0]
        return raw[at + 4 : at + 4 + size]
    except struct.error:
        return b""


def read_key_type(blob: bytes) -> str:
    """Return the type at the head of a public key blob, such as ``ssh-ed25519``."""
    if len(blob) < 4:
        return ""
    size = struct.unpack_from(">I", blob)[0]
    return blob[4 : 4 + size].decode("ascii", "replace")


def list_identities(config: HostConfig, agent: KeyAgent | None) -> Iterator[Identity]:
    """Yield the keys in OpenSSH's order: agent keys that are configured, other agent keys, then files.

    With IdentitiesOnly the other agent keys stay where they are (sshconnect2.c, pubkey_prepare()).
    """
    files = config.paths("identityfile")
    blobs = [(read_public_blob(path), path) for path in files]
    configured = {blob for blob, _ in blobs}
    held = {key.asbytes(): key for key in agent.get_keys()} if agent else {}
    first = [blob for blob in dict.fromkeys(blob for blob, _ in blobs) if blob in held]
    others = [] if config.is_yes("identitiesonly") else [blob for blob in held if blob not in configured]
    certificates = config.paths("certificatefile")
    for blob in (*first, *others):
        # Paramiko finds no signature algorithm for an agent's FIDO key (paramiko issue 2299).
        usable = not read_key_type(blob).startswith("sk-")
        key = held[blob]
        label = f"agent:{key.comment or find_fingerprint(blob)}"
        yield Identity(label, key if usable else None, "" if usable else "a FIDO key")
    for blob, path in blobs:
        if blob not in held and exists(path):
            yield _load(path, certificates)


def _load(path: Path, certificates: tuple[Path, ...]) -> Identity:
    there = tuple(certificate for certificate in certificates if exists(certificate))
    return _load_file(path, there, tuple(_stamp(file) for file in (path, *there)))


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        seen = path.stat()
    except OSError:
        return ()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns


# One key opens many hosts, and reading it costs as much as using it.
@lru_cache(maxsize=64)
def _load_file(path: Path, certificates: tuple[Path, ...], _stamps: tuple[tuple[int, ...], ...]) -> Identity:
    if read_key_type(read_public_blob(path)).startswith("sk-"):
        return Identity(str(path), None, "a FIDO key")
    try:
        key = paramiko.PKey.from_path(path)
        for certificate in certificates:
            if _belongs(certificate, key):
                key.load_certificate(str(certificate))
    except (TypeError, paramiko.PasswordRequiredException):
        # cryptography says TypeError where a passphrase is needed and none was given
        return Identity(str(path), None, "encrypted")
    except (ValueError, UnknownKeyType, paramiko.SSHException, OSError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "not a private key that Paramiko reads"
        return Identity(str(path), None, reason)
    return Identity(str(path), key)


def _belongs(certificate: Path, key: paramiko.PKey) -> bool:
    """Tell whether a certificate is about this key: it holds the same public numbers (PROTOCOL.certkeys)."""
    fields = certificate.read_bytes().split()
    blob = _decode(fields[1]) if len(fields) >= 2 else b""
    public = key.asbytes()
    head = 4 + struct.unpack_from(">I", public)[0]
    return len(public) > head and public[head:] in blob
