"""Find and end the processes of one private host, and no others (Linux /proc)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path


def find_processes(root: Path) -> dict[int, str]:
    """Return ``{pid: name}`` of the live processes that belong to the host in ``root``.

    A process belongs to it when its working directory, command line or environment names the directory:
    Postfix daemons work in the queue directory, SSH sessions inherit the variable that our sshd_config sets.
    The directory's name is random, so nothing else on the machine names it. We and our ancestors never count.
    """
    ours = _ancestors(os.getpid())
    needle = os.fsencode(root)
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in ours and _names(entry, needle):
            # Gone between the two looks: then it need not be ended.
            with contextlib.suppress(OSError):
                found[int(entry.name)] = (entry / "comm").read_text().strip()
    return found


def end_processes(root: Path, *, patience: float = 3.0) -> dict[int, str]:
    """Ask the host's processes to end, then kill them; return those that survived even that (should be none).

    ``patience`` is in seconds, for each of the two steps.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + patience
        signalled: set[int] = set()
        while found := find_processes(root):
            for pid in found.keys() - signalled:
                signalled.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return {}
    return find_processes(root)


def _names(entry: Path, needle: bytes) -> bool:
    try:
        if os.fsencode(os.readlink(entry / "cwd")).startswith(needle):  # noqa: PTH115 - a deleted directory must not be resolved
            return True
        return needle in (entry / "cmdline").read_bytes() or needle in (entry / "environ").read_bytes()
    except OSError:  # gone, a zombie, or a kernel thread
        return False


def _ancestors(pid: int) -> set[int]:
    found: set[int] = set()
    while pid > 0:
        found.add(pid)
        # proc(5): after the command's closing parenthesis come the state and the parent's pid.
        stat = Path(f"/proc/{pid}/stat").read_text()
        pid = int(stat.rpartition(")")[2].split()[1])
    return found
