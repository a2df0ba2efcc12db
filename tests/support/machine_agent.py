"""The agent's script on a whole machine, and what is made to happen to it right after a chosen journal step."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pfremote.agent import load_agent
from pfremote.agent.protocol import Reply, decode_reply
from tests.lab import Lab, Machine
from tests.lab.nspawn import ENVIRONMENT
from tests.support.outside import PEER

LEASE = "0123456789ab"
STATE = "/var/lib/pfremote/etc-postfix"
_REACHED = "/run/step-reached"
#: The agent stops at the step, with its lock held, until somebody ends it or removes the file.
BLOCK = f": >{_REACHED}; while [ -e {_REACHED} ]; do sleep 0.1; done"

#: The agent's own journal function, and then the fault. The copy that the agent leaves for its guard has none.
_AFTER_STEP = """
eval "real_$(printf '%s' "$PFREMOTE_SELF" | sed -n '/^journal()/,/^}/p')"
journal() {
    real_journal "$@"
    if [ "$2" = STEP ]; then FAULT; fi
}
"""


def make_script(at_step: str = "", fault: str = BLOCK) -> bytes:
    """Return the agent; with ``at_step`` it runs the shell text ``fault`` once it has journalled that step."""
    script = load_agent()
    if not at_step:
        return script
    call = b'\nmain "$@"; exit\n'
    assert script.endswith(call), "the last line of the agent has another form now"
    injected = _AFTER_STEP.replace("STEP", at_step).replace("FAULT", fault).encode()
    return script.removesuffix(call) + injected + call[1:]


def load_functions() -> bytes:
    """Return the agent's functions, without the call that does something."""
    return load_agent().rpartition(b"\nmain ")[0]


@dataclass(frozen=True, slots=True)
class MachineAgent:
    """The agent on one machine; as root on its console, or over SSH and sudo from the lab's controller."""

    lab: Lab
    machine: Machine
    ssh: bool = False

    def start(self, verb: str, *words: str, at_step: str = "", fault: str = BLOCK) -> subprocess.Popen[bytes]:
        """Start one verb; its reply comes on stdout."""
        argv = ["sh", "-s", "--", verb, *words]
        if self.ssh:
            here = [
                "ip",
                "netns",
                "exec",
                self.lab.controller_namespace,
                "ssh",
                "-F",
                str(self.lab.ssh_config),
            ]
            argv = [*here, "-o", "BatchMode=yes", self.machine.name, "sudo", "-n", "--", *argv]
        else:
            argv = ["nsenter", "--target", str(self.machine.pid1), "--all", "--", *argv]
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
        assert process.stdin is not None
        process.stdin.write(make_script(at_step, fault))
        process.stdin.close()
        process.stdin = None
        return process

    def call(self, verb: str, *words: str, at_step: str = "", fault: str = BLOCK) -> Reply | None:
        """Run one verb to its end; None where it ended without a reply."""
        return read_reply(self.start(verb, *words, at_step=at_step, fault=fault))

    def ask(self, verb: str, *words: str) -> Reply:
        """Run one verb that must answer."""
        reply = self.call(verb, *words)
        assert reply is not None
        return reply

    def arm_words(self, *more: str, seconds: int = 600, lease: str = LEASE) -> list[str]:
        """Return the arguments of an arm for the peer, where ``more`` does not name another."""
        words = [f"lease={lease}", f"seconds={seconds}", "owner=tester", "from=here", *more]
        return words if any(word.startswith("peer=") for word in more) else [*words, f"peer={PEER}"]

    def arm(self, *more: str, seconds: int = 600, lease: str = LEASE) -> Reply:
        """Arm a lease; it must be armed."""
        reply = self.ask("arm", *self.arm_words(*more, seconds=seconds, lease=lease))
        assert reply.outcome == "ok", (reply.failures, reply.warnings)
        return reply

    @contextmanager
    def blocked(self, verb: str, *words: str, at_step: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start one verb; inside the context it stands still after ``at_step``, with its lock held."""
        self.machine.run(["rm", "-f", _REACHED])
        process = self.start(verb, *words, at_step=at_step)
        try:
            deadline = time.monotonic() + 20
            while self.machine.run(["test", "-e", _REACHED], check=False).returncode != 0:
                assert process.poll() is None, f"{verb} ended before {at_step}: {read_reply(process)}"
                assert time.monotonic() < deadline, f"{verb} never came to {at_step}"
                time.sleep(0.05)
            yield process
        finally:
            process.kill()
            process.communicate()

    def let_go(self) -> None:
        """Let a blocked agent go on."""
        self.machine.run(["rm", "-f", _REACHED])

    def kill_watcher(self, signal: str = "KILL") -> None:
        """Send the guard's process a signal."""
        self.machine.run(["sh", "-c", f"kill -{signal} $(cut -d' ' -f1 {STATE}/watch.pid)"])


def read_reply(process: subprocess.Popen[bytes], timeout: float = 90) -> Reply | None:
    """Wait for the end of one verb; return its reply, or None where it was cut off."""
    try:
        out, _ = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return decode_reply(out) if re.search(rb"^end=\w+\n\Z", out, re.M) else None
