"""Take a lab down by nothing but its id: the one path for an orderly end and for what a crash left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.lab.commands import run
from tests.lab.network import PREFIX
from tests.lab.requirements import find_cgroup2
from tests.lab.tree import find_cache


def labs_directory() -> Path:
    """Return the folder that has one folder per living or crashed lab."""
    return find_cache() / "labs"


def claim(directory: Path) -> None:
    """Note in the lab's folder whose it is: ours, for as long as this process lives."""
    directory.mkdir(mode=0o755, parents=True)
    # By rename: a half-written note would make another lab take this one for dead.
    note = directory / "owner.new"
    note.write_text(_identity(os.getpid()))
    note.rename(directory / "owner")


def remove_dead_labs() -> list[str]:
    """Take down every lab whose process is gone; return their ids."""
    labs_directory().mkdir(parents=True, exist_ok=True)
    # One at a time: two labs that start together would remove the same mounts.
    with (labs_directory() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        dead = [owner.parent.name for owner in labs_directory().glob("*/owner") if not _is_owned(owner)]
        for lab_id in dead:
            remove_lab(lab_id)
    return dead


def remove_lab(lab_id: str) -> None:
    """Kill the lab's machines, and remove its cgroups, mounts, namespaces and folder; idempotent."""
    prefix = f"{PREFIX}{lab_id}-"
    cgroups = find_cgroup2()
    for cgroup in cgroups.glob(f"{prefix}*") if cgroups else ():
        _empty(cgroup)
    directory = labs_directory() / lab_id
    for mounted in _mounts_below(directory):
        run(["umount", "--lazy", mounted])
    listed = run(["ip", "netns", "list"]).splitlines()
    for namespace in (line.split()[0] for line in listed if line.startswith(prefix)):
        run(["ip", "netns", "delete", namespace])
    shutil.rmtree(directory, ignore_errors=True)


def _empty(cgroup: Path) -> None:
    deadline = time.monotonic() + 10
    while pids := _processes(cgroup):
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {pids} of {cgroup.name} outlive SIGKILL")
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    # rmdir(2) takes an empty cgroup with its control files in it; its children first.
    subprocess.run(["find", cgroup, "-depth", "-type", "d", "-delete"], check=False, capture_output=True)


def _processes(cgroup: Path) -> list[int]:
    found: list[int] = []
    for listing in cgroup.rglob("cgroup.procs"):
        with contextlib.suppress(OSError):
            found += [int(pid) for pid in listing.read_text().split()]
    return found


def _mounts_below(directory: Path) -> list[str]:
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [m for m in reversed(mounts) if m.startswith(f"{directory}/")]


def _is_owned(note: Path) -> bool:
    try:
        owner = note.read_text()
        return owner == _identity(int(owner.split()[0]))
    except (OSError, ValueError, IndexError):
        return False


def _identity(pid: int) -> str:
    # A pid comes back; with its start time (proc_pid_stat(5), field 22) and the boot it does not.
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{pid} {started} {Path('/proc/sys/kernel/random/boot_id').read_text()}"
