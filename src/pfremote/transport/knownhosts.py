"""Read known_hosts as OpenSSH does (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): patterns, hashes and markers.

Paramiko's reader drops the markers (a ``@revoked`` key would count as known) and remembers no line numbers.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from secrets import token_bytes

REVOKED = "@revoked"
AUTHORITY = "@cert-authority"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One line that applies to a host: its marker (or ""), key type, key blob, and where it stands."""

    marker: str
    kind: str
    blob: bytes
    file: Path
    line: int


class Status(Enum):
    """What the files say about a key that a host showed."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The status, and the line that decides it (none for an unknown key)."""

    status: Status
    by: KnownKey | None = None


def find_fingerprint(blob: bytes) -> str:
    """Return a key's fingerprint as ssh-keygen prints it.

    >>> find_fingerprint(b"")
    'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'
    """
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def name_host(hostname: str, port: int, alias: str = "") -> str:
    """Return the name under which known_hosts keeps a host: HostKeyAlias wins and carries no port.

    >>> name_host("MX1.example.jp", 2222)
    '[mx1.example.jp]:2222'
    """
    if alias:
        return alias.lower()
    return hostname.lower() if port == 22 else f"[{hostname.lower()}]:{port}"


def read_known_keys(paths: Iterable[Path], name: str) -> tuple[KnownKey, ...]:
    """Return the lines of all files that apply to ``name``; a file that is not there is empty."""
    return tuple(key for path in paths for key in _find_in_file(path, name))


def _find_in_file(path: Path, name: str) -> tuple[KnownKey, ...]:
    try:
        seen = path.stat()
    except OSError:
        return ()
    return _read_file(path, name, (seen.st_ino, seen.st_size, seen.st_mtime_ns))


# Hashed names cost one HMAC a line, and a connection asks three times about the same host.
@lru_cache(maxsize=4096)
def _read_file(path: Path, name: str, _stamp: tuple[int, ...]) -> tuple[KnownKey, ...]:
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ()
    return tuple(_parse_lines(text, path, name))


def _parse_lines(text: str, path: Path, name: str) -> Iterator[KnownKey]:
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#") or not _matches(fields[0], name):
            continue
        try:
            blob = base64.b64decode(fields[2], validate=True)
        except binascii.Error:
            continue
        yield KnownKey(marker, fields[1], blob, path, number)


def _matches(patterns: str, name: str) -> bool:
    """Apply one host field; a negated pattern that matches rules the whole line out."""
    if patterns.startswith("|1|"):
        return _matches_hash(patterns, name)
    matched = False
    for pattern in patterns.lower().split(","):
        wanted = not pattern.startswith("!")
        if _to_regex(pattern.lstrip("!")).fullmatch(name):
            if not wanted:
                return False
            matched = True
    return matched


def _to_regex(pattern: str) -> re.Pattern[str]:
    # Not fnmatch: there "[mx1]:2222" would be a set of characters.
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))


def _matches_hash(field: str, name: str) -> bool:
    try:
        _, _, salt, digest = field.split("|")
        return hmac.compare_digest(_hash(name, base64.b64decode(salt)), base64.b64decode(digest))
    except (ValueError, binascii.Error):
        return False


def _hash(name: str, salt: bytes) -> bytes:
    return hmac.digest(salt, name.encode("utf-8", "surrogateescape"), "sha1")


def judge(keys: tuple[KnownKey, ...], blob: bytes) -> Verdict:
    """Return what the lines say about a key. Revoked wins; any other plain key of the host means changed.

    That is check_hostkeys_by_key_or_type() of OpenSSH's hostfile.c; certificate authorities vouch for
    certificates only, never for a plain key.
    """
    for key in keys:
        if key.marker == REVOKED and key.blob == blob:
            return Verdict(Status.REVOKED, key)
    plain = [key for key in keys if not key.marker]
    for key in plain:
        if key.blob == blob:
            return Verdict(Status.KNOWN, key)
    return Verdict(Status.CHANGED, plain[0]) if plain else Verdict(Status.UNKNOWN)


def append_key(path: Path, name: str, kind: str, blob: bytes, *, hashed: bool) -> None:
    """Add one line to a known_hosts file, under a lock, since many hosts are met at once.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    field = name
    if hashed:
        salt = token_bytes(20)  # the size of a SHA-1 digest, which OpenSSH insists on
        field = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(_hash(name, salt)).decode()}"
    line = f"{field} {kind} {base64.b64encode(blob).decode()}\n".encode()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            line = b"\n" + line
        file.write(line)
