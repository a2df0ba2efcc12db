"""The agent's script against a private host: each verb under a chosen shell, and death after a chosen journal step."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pfremote.agent import load_agent
from pfremote.agent.protocol import Reply, decode_reply
from pfremote.loopback import LoopbackHost

STATE_ROOT = Path("/var/lib/pfremote")

#: The shells that /bin/sh is on the systems that run Postfix: Debian, RHEL, Alpine.
SHELLS = ("dash", "bash --posix", "busybox sh")

LEASE = "0123456789ab"

#: What the agent's own journal function does, and then: die like a power cut, with no trap and no goodbye.
_DIE_AFTER = """
eval "real_$(printf '%s' "$PFREMOTE_SELF" | sed -n '/^journal()/,/^}/p')"
journal() {
    real_journal "$@"
    if [ "$2" = STEP ]; then kill -9 $$; fi
}
"""


@dataclass(frozen=True, slots=True)
class AgentRun:
    """How one call of the agent ended; ``reply`` is None where it was killed before it could answer."""

    exit_status: int
    reply: Reply | None
    stderr: str


@dataclass(frozen=True, slots=True)
class HostAgent:
    """The agent on one private host, under one shell."""

    host: LoopbackHost
    shell: str = "dash"
    #: What stands in the script, and what stands there instead: a program that is missing, a step that takes long.
    patches: tuple[tuple[str, str], ...] = ()

    @property
    def state(self) -> Path:
        """The state folder of the host's instance (there is one per configuration directory)."""
        found = [path for path in STATE_ROOT.glob("*") if self.host.root.name in path.name]
        return found[0] if found else STATE_ROOT / "none"

    def call(self, verb: str, *arguments: str, die_after: str = "", timeout: float = 60) -> AgentRun:
        """Run one verb; with ``die_after`` the agent kills itself as soon as that journal step is written."""
        script = load_agent()
        for old, new in self.patches:
            assert old.encode() in script, old
            script = script.replace(old.encode(), new.encode())
        if die_after:
            script = script.replace(
                b'\nmain "$@"; exit\n', _DIE_AFTER.replace("STEP", die_after).encode() + b'main "$@"; exit\n'
            )
        words = [*shlex.split(self.shell), "-s", "--", verb, f"instance={self.host.config_directory}", *arguments]
        done = subprocess.run(words, input=script, capture_output=True, timeout=timeout, check=False)
        reply = decode_reply(done.stdout) if re.search(rb"^end=\w+\n\Z", done.stdout, re.M) else None
        return AgentRun(done.returncode, reply, done.stderr.decode(errors="replace"))

    def ask(self, verb: str, *arguments: str) -> Reply:
        """Run one verb that must answer, and leave nothing on stderr."""
        run = self.call(verb, *arguments)
        assert run.reply is not None, run
        assert run.stderr == "", run.stderr
        return run.reply

    def arm(self, *more: str, seconds: int = 60, lease: str = LEASE, die_after: str = "") -> AgentRun:
        """Arm a lease for 127.0.0.1 with the process guard."""
        base = [
            f"lease={lease}",
            f"seconds={seconds}",
            "owner=tester",
            "from=here",
            "guard=process",
            "volatile=yes",
        ]
        if not any(word.startswith("peer=") for word in more):
            base.append("peer=127.0.0.1")
        return self.call("arm", *base, *more, die_after=die_after)

    def leftovers(self) -> list[str]:
        """Return what of ours is on the host besides the state folder and its logs."""
        folder = self.host.main_cf.parent
        files = [str(path) for path in folder.iterdir() if path.name not in ("main.cf", "master.cf")]
        watchers = subprocess.run(
            ["pgrep", "-f", f"agent (watch|sweep) instance={self.host.config_directory}"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        return files + [f"process {pid}" for pid in watchers]

    def forget_state(self) -> None:
        """Remove the state folder, after the watcher has been asked to end its leases."""
        if self.state.exists():
            self.call("revert", "lease=all", "drain=0")
            shutil.rmtree(self.state, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as `cmp` and `ls -l` would tell it: bytes, mode, owner, inode, links, time."""

    data: bytes
    mode: int
    owner: tuple[int, int]
    inode: int
    links: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> Snapshot:
        """Look at ``path`` now."""
        status = path.stat()
        return cls(
            path.read_bytes(),
            status.st_mode,
            (status.st_uid, status.st_gid),
            status.st_ino,
            status.st_nlink,
            status.st_mtime_ns,
        )
