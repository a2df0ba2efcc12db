"""A real sshd on loopback for tests: its own keys, port, authorized_keys, known_hosts and ssh_config."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Make a key pair and return the private key's path."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return path


def pick_port(address: str = "127.0.0.1") -> int:
    """Return a port that is free on this address now."""
    with socket.socket() as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def list_children(pid: int) -> list[int]:
    """Return the process ids whose parent is ``pid``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


class SshServer:
    """One sshd. ``folder`` holds ``id`` (the client's key), ``known_hosts``, ``config`` and ``log``."""

    def __init__(
        self,
        folder: Path,
        *,
        address: str = "127.0.0.1",
        settings: str = "",
        host_keys: tuple[str, ...] = ("ed25519",),
        client_key: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.address = address
        self.port = pick_port(address)
        self.client_key = client_key or make_key(folder / "id")
        self.host_keys = {kind: make_key(folder / f"host_{kind}", kind) for kind in host_keys}
        self.authorized_keys = folder / "authorized_keys"
        self.authorized_keys.write_bytes(self.client_key.with_name(self.client_key.name + ".pub").read_bytes())
        self.known_hosts = folder / "known_hosts"
        self.config = folder / "config"
        self.log = folder / "log"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The host's name in known_hosts."""
        return f"[{self.address}]:{self.port}"

    def public_key(self, kind: str = "ed25519") -> str:
        """Return ``TYPE BASE64`` of a host key."""
        text = self.host_keys[kind].with_name(f"host_{kind}.pub").read_text()
        return " ".join(text.split()[:2])

    def trust(self, kind: str = "ed25519", marker: str = "") -> None:
        """Put a host key into known_hosts."""
        with self.known_hosts.open("a") as file:
            file.write(f"{marker} {self.name} {self.public_key(kind)}\n".lstrip())

    def write_config(self, *lines: str, host: str = "mx1", user: str = "root") -> Path:
        """Write an ssh_config in which ``host`` is this server, after ``lines``; return its path."""
        self.config.write_text("\n".join([*lines, self.describe(host=host, user=user)]) + "\n")
        return self.config

    def describe(self, host: str = "mx1", user: str = "root", *more: str) -> str:
        """Return the ssh_config block that leads to this server."""
        settings = [
            f"Host {host}",
            f"HostName {self.address}",
            f"Port {self.port}",
            f"User {user}",
            f"IdentityFile {self.client_key}",
            "IdentitiesOnly yes",
            f"UserKnownHostsFile {self.known_hosts}",
            "GlobalKnownHostsFile /dev/null",
            *more,
        ]
        return "\n  ".join(settings)

    def start(self) -> None:
        """Start sshd and wait until it listens."""
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        keys = "".join(f"HostKey {path}\n" for path in self.host_keys.values())
        path = self.folder / "sshd_config"
        path.write_text(
            f"{self._settings}\nListenAddress {self.address}\nPort {self.port}\n{keys}"
            # By command, and as root: another user could not read below pytest's private folder.
            f"AuthorizedKeysFile none\nAuthorizedKeysCommand /bin/cat {self.authorized_keys}\n"
            "AuthorizedKeysCommandUser root\n"
            "UsePAM no\nStrictModes no\nPidFile none\n"
            "PermitRootLogin yes\nLogLevel VERBOSE\nMaxSessions 50\n"
        )
        self._process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-f", str(path), "-E", str(self.log)], stdin=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection((self.address, self.port), 1) as sock:
                if sock.recv(4) == b"SSH-":
                    return
            time.sleep(0.02)
        raise AssertionError(f"sshd did not start: {self.log.read_text() if self.log.exists() else ''}")

    def drop_connections(self) -> int:
        """Kill the children that serve connections, as a crash would; return how many."""
        assert self._process is not None
        children = list_children(self._process.pid)
        for pid in children:
            for grandchild in list_children(pid):
                with suppress(ProcessLookupError):
                    os.kill(grandchild, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(children)

    def stop(self) -> None:
        """Stop sshd and every connection it serves."""
        if self._process is None:
            return
        self.drop_connections()
        self._process.terminate()
        self._process.wait(5)
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()
