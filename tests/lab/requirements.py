"""What this machine must have before whole machines can run on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

#: Program -> Debian package.
_PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}


class LabUnavailableError(Exception):
    """No lab can be had here; the text says in one line why."""


def missing_lab_requirements() -> str:
    """Return in one line why no lab can run here; empty when it can."""
    if os.geteuid() != 0:
        return "not root: namespaces, mounts and debootstrap need it"
    packages = sorted({package for program, package in _PROGRAMS.items() if shutil.which(program) is None})
    if packages:
        return f"missing packages: {' '.join(packages)}"
    if find_cgroup2() is None:
        return "no cgroup2 file system is mounted"
    probe = ["unshare", "--mount", "--net", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        return "this kernel or container does not let us make mount and network namespaces"
    return ""


def find_cgroup2() -> Path | None:
    """Return where the unified cgroup hierarchy is mounted (proc_pid_mountinfo(5)), or None."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            return Path(fields.split()[4])
    return None
