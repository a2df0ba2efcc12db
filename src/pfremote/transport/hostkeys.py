"""Which host key is good: strict, or accept-new; never "any". For the target and every jump host alike."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pfremote.errors import HostKeyRejected
from pfremote.transport.knownhosts import (
    AUTHORITY,
    KnownKey,
    Status,
    Verdict,
    append_key,
    find_fingerprint,
    judge,
    name_host,
    read_known_keys,
)
from pfremote.transport.sshconfig import HostConfig

Checking = Literal["strict", "accept-new"]


@dataclass(frozen=True, slots=True)
class HostKeyCheck:
    """The check for one host: whose key, which files, and what to do about an unknown one."""

    config: HostConfig
    checking: Checking
    direct: bool = True

    @property
    def name(self) -> str:
        """The name that known_hosts uses."""
        return name_host(self.config.hostname, self.config.port, self.config.first("hostkeyalias"))

    def known_keys(self) -> tuple[KnownKey, ...]:
        """Return all lines about this host, read afresh."""
        return read_known_keys(self.config.known_hosts_paths(), self.name)

    def needs_authority(self) -> bool:
        """Tell whether only a certificate authority vouches for the host, which Paramiko cannot check."""
        markers = [key.marker for key in self.known_keys()]
        return AUTHORITY in markers and "" not in markers

    def admit(self, kind: str, blob: bytes) -> None:
        """Return when the key may be trusted; with accept-new an unknown one is written down first.

        Raises:
            HostKeyRejected: unknown, changed or revoked; says what to type.
        """
        verdict = judge(self.known_keys(), blob)
        if verdict.status is Status.UNKNOWN and self._is_known_without_port(blob):
            return
        if verdict.status is Status.UNKNOWN and self.checking == "accept-new":
            self._write_down(kind, blob)
        elif verdict.status is not Status.KNOWN:
            raise self.refuse(verdict, kind, find_fingerprint(blob))

    def _is_known_without_port(self, blob: bytes) -> bool:
        """OpenSSH accepts ``host`` for ``[host]:port`` too, where the key is the same (sshconnect.c)."""
        if self.config.first("hostkeyalias") or self.config.port == 22:
            return False
        keys = read_known_keys(self.config.known_hosts_paths(), self.config.hostname.lower())
        return judge(keys, blob).status is Status.KNOWN

    def demand_memory(self) -> None:
        """Refuse accept-new for a host that is not on file and has no file to be written to.

        Raises:
            HostKeyRejected: there is no place to keep a new key.
        """
        if not self.known_keys():
            self._find_memory()

    def _find_memory(self) -> Path:
        words = self.config.first("userknownhostsfile", "~/.ssh/known_hosts").split()
        path = Path(self.config.expand(words[0])) if words and words[0] != "none" else None
        if path is None or path == Path("/dev/null"):
            raise HostKeyRejected(
                f"the host key of {self.name} is unknown and UserKnownHostsFile leaves no place to keep it",
                hint="Set UserKnownHostsFile to a file in ssh_config: without memory any key is new.",
            )
        return path

    def _write_down(self, kind: str, blob: bytes) -> None:
        path = self._find_memory()
        try:
            append_key(path, self.name, kind, blob, hashed=self.config.is_yes("hashknownhosts"))
        except OSError as exc:
            raise HostKeyRejected(
                f"the unknown host key of {self.name} cannot be kept in {path}: {exc.strerror}",
                hint=f"Make {path} writable, or add the key by hand.",
            ) from exc

    def refuse(self, verdict: Verdict, kind: str, fingerprint: str) -> HostKeyRejected:
        """Return the error for a bad key: what was shown, what is on file where, what to type."""
        shown = f"{kind} {fingerprint}"
        files = ", ".join(str(path) for path in self.config.known_hosts_paths()) or "no file at all"
        if verdict.by is None:
            return HostKeyRejected(
                f"the host key of {self.name} is unknown: {shown}, not found in {files}",
                hint=f"Compare the fingerprint with the host's own ({_own_key(kind)}), "
                f"then type: {self._how_to_add(kind)}",
            )
        place = f"{verdict.by.file}:{verdict.by.line}"
        if verdict.status is Status.REVOKED:
            return HostKeyRejected(
                f"the host key of {self.name} is revoked: {shown}, marked @revoked in {place}",
                hint="Do not connect; ask who revoked the key.",
            )
        on_file = f"{verdict.by.kind} {find_fingerprint(verdict.by.blob)}"
        remove = shlex.join(["ssh-keygen", "-R", self.name, "-f", str(verdict.by.file)])
        return HostKeyRejected(
            f"the host key of {self.name} has changed: it shows {shown}, but {place} has {on_file}",
            hint="Another machine may be in between. If the host was reinstalled, compare with its own "
            f"({_own_key(kind)}), then type: {remove} && {self._how_to_add(kind)}",
        )

    def _how_to_add(self, kind: str) -> str:
        if not self.direct or self.config.first("hostkeyalias"):
            # ssh-keyscan neither goes through a jump host nor knows an alias.
            return f"ssh -o StrictHostKeyChecking=ask {shlex.quote(self.config.name)} true"
        words = self.config.first("userknownhostsfile", "~/.ssh/known_hosts").split()
        short = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}.get(kind, "ecdsa")
        scan = shlex.join(["ssh-keyscan", "-t", short, "-p", str(self.config.port), self.config.hostname])
        return f"{scan} >> {shlex.quote(self.config.expand(words[0])) if words else '~/.ssh/known_hosts'}"


def _own_key(kind: str) -> str:
    short = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}.get(kind, "ecdsa")
    return f"on the host: ssh-keygen -lf /etc/ssh/ssh_host_{short}_key.pub"
