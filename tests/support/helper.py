"""The installed agent, as an account calls it that may run nothing else as root."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pfremote.agent.install import make_helper
from pfremote.agent.protocol import Reply, decode_reply
from tests.support.agent import LEASE, HostAgent


class Helper:
    """The installed agent of one private host, with a policy file of its own."""

    def __init__(self, agent: HostAgent) -> None:
        self.agent = agent
        self.policy = agent.host.root / "pfremote.conf"
        self.path = agent.host.root / "pfremote-agent"
        script = make_helper().replace(b"POLICY=/etc/pfremote.conf", f"POLICY={self.policy}".encode())
        self.path.write_bytes(script)
        self.path.chmod(0o755)
        self.stdout = b""

    def call(self, verb: str, *words: str, prefix: tuple[str, ...] = (), uid: str = "4711") -> Reply:
        """Run one verb as sudo would for account ``uid``."""
        argv = [*prefix, str(self.path), verb, f"instance={self.agent.host.config_directory}", *words]
        env = {"SUDO_UID": uid, "SUDO_USER": "oncall", "PATH": "/usr/bin:/bin"}
        done = subprocess.run(argv, capture_output=True, env=env, check=False, stdin=subprocess.DEVNULL)
        self.stdout = done.stdout + done.stderr
        return decode_reply(done.stdout)

    def arm(self, *words: str, seconds: int = 60, lease: str = LEASE, uid: str = "4711") -> Reply:
        """Arm a lease, for 192.0.2.1 where ``words`` name no peer."""
        peers = () if any(word.startswith("peer=") for word in words) else ("peer=192.0.2.1",)
        guard = ("guard=process", "volatile=yes")
        return self.call("arm", f"lease={lease}", f"seconds={seconds}", *guard, *peers, *words, uid=uid)

    def codes(self, *words: str) -> list[str]:
        """Return the codes of the refusals of an arm; it must not have been armed."""
        reply = self.arm(*words)
        assert reply.outcome == "refused", reply
        return [reason.code for reason in reply.refusals]


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    """Write a file with a mode."""
    path.write_text(text)
    path.chmod(mode)
    return path
