"""Write, start and stop one private sshd, and the client side's files for it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from pfremote.errors import PfremoteError
from pfremote.loopback.ports import LOOPBACK, wait_for_banner
from pfremote.loopback.programs import make_environment, run_program
from pfremote.loopback.requirements import find_program

#: Set in every session, so that what a session leaves behind can be told from the machine's own processes.
MARK_VARIABLE = "PFREMOTE_LOOPBACK"
#: Compiled into sshd on Debian; a machine whose ssh service never ran has none.
_PRIVILEGE_SEPARATION = Path("/run/sshd")

_SERVER_CONFIG = """\
ListenAddress {address}
Port {port}
HostKey {host_key}
PidFile none
AuthorizedKeysFile {authorized_keys}
AllowUsers {user}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
# The key file is below /tmp, which all users can write to.
StrictModes no
UsePAM {pam}
UseDNS no
PrintMotd no
SetEnv {mark}={root}
Subsystem sftp internal-sftp
LogLevel VERBOSE
"""
_CLIENT_CONFIG = """\
Host {name}
  HostName {address}
  Port {port}
  User {user}
  IdentityFile {private_key}
  IdentitiesOnly yes
  UserKnownHostsFile {known_hosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""


@dataclass(slots=True)
class PrivateSshd:
    """One sshd below ``root``, and its client's key, known_hosts and ssh_config."""

    root: Path
    port: int
    name: str
    user: str
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def directory(self) -> Path:
        return self.root / "ssh"

    @property
    def private_key(self) -> Path:
        return self.directory / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        return self.directory / "config"

    def write(self) -> None:
        """Make two fresh key pairs and every file that names them."""
        self.directory.mkdir(mode=0o700)
        host_key = self.directory / "host_ed25519"
        for key in (host_key, self.private_key):
            run_program("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "pfremote-loopback", "-f", key)
        authorized_keys = self.directory / "authorized_keys"
        authorized_keys.write_bytes(self.private_key.with_suffix(".pub").read_bytes())
        self.known_hosts.write_text(f"[{LOOPBACK}]:{self.port} {host_key.with_suffix('.pub').read_text()}")
        values = {
            "address": LOOPBACK,
            "port": self.port,
            "user": self.user,
            "name": self.name,
            "root": self.root,
            "host_key": host_key,
            "authorized_keys": authorized_keys,
            "private_key": self.private_key,
            "known_hosts": self.known_hosts,
            "mark": MARK_VARIABLE,
            "pam": "yes" if _is_locked(self.user) else "no",
        }
        (self.directory / "sshd_config").write_text(_SERVER_CONFIG.format_map(values))
        self.ssh_config.write_text(_CLIENT_CONFIG.format_map(values))

    def start(self, *, timeout: float = 15.0) -> None:
        """Start sshd and return when it greets.

        Raises:
            PfremoteError: it does not; the hint has the end of its log.
        """
        program = find_program("sshd")
        if program is None:
            raise PfremoteError("sshd is not installed", hint="Type: apt-get install openssh-server")
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        log = self.directory / "sshd.log"
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [program, "-D", "-e", "-f", self.directory / "sshd_config"],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=make_environment(),
                cwd="/",
            )
        try:
            wait_for_banner(self.port, b"SSH-", timeout=timeout)
        except PfremoteError as exc:
            raise PfremoteError(exc.message, hint=log.read_text(errors="replace")[-600:]) from exc

    def stop(self) -> None:
        """End the listener. Sessions end with the other processes of ``root``."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _is_locked(user: str) -> bool:
    # Without PAM sshd refuses an account whose password field starts with "!" (sshd(8), "Login process").
    for line in Path("/etc/shadow").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == user:
            return rest.startswith("!")
    return False
