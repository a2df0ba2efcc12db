"""Start a machine with systemd-nspawn, and look at it from outside."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

from tests.lab.commands import LabError
from tests.lab.requirements import find_cgroup2

#: ``$1`` cgroup, ``$2`` root, ``$3`` name, ``$4`` namespace. nspawn wants a /run/systemd of its own where the
#: outer machine runs no systemd; recent systemd insists on a unified-only view of cgroups.
_LAUNCH = """\
set -eu
echo $$ > "$1/cgroup.procs"
exec unshare --mount --propagation private sh -c '
set -eu
mkdir -p /run/systemd
mount -t tmpfs tmpfs /run/systemd
if ! [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
exec systemd-nspawn --quiet --directory="$2" --machine="$3" --register=no --keep-unit \\
    --network-namespace-path="/run/netns/$4" --resolv-conf=off --timezone=off --console=pipe --boot
' sh "$@"
"""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C",
    "TERM": "dumb",
}


def launch(root: Path, name: str, namespace: str, console: Path) -> subprocess.Popen[bytes]:
    """Start booting the disk at ``root``, in the cgroup and the network called ``namespace``."""
    mounted = find_cgroup2()
    if mounted is None:
        raise LabError("no cgroup2 file system is mounted")
    cgroup = mounted / namespace
    cgroup.mkdir(exist_ok=True)
    with console.open("ab") as stream:
        return subprocess.Popen(
            ["sh", "-c", _LAUNCH, "sh", cgroup, root, name, namespace],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=ENVIRONMENT,
            # Ctrl-C at the developer's terminal is for the lab, which then ends the machines in order.
            start_new_session=True,
        )


def _read_status(path: Path) -> dict[str, str]:
    """Return what proc_pid_status(5) says, by name."""
    return dict(line.split(":\t", 1) for line in path.read_text().splitlines() if ":\t" in line)


def find_pid1(launcher: int) -> int | None:
    """Return the outer pid of the process 1 that the launcher started, or None as long as there is none."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            fields = _read_status(status)
            # proc_pid_status(5): NSpid ends with the pid in the innermost namespace.
            if fields["PPid"] == str(launcher) and fields["NSpid"].split()[1:] == ["1"]:
                return int(status.parent.name)
    return None


def describe_children(launcher: int) -> str:
    """Return name, state and kernel function of the launcher and of the processes below it (proc(5): wchan)."""
    wanted, found = {str(launcher)}, []
    for status in sorted(Path("/proc").glob("[0-9]*/status"), key=lambda path: int(path.parent.name)):
        with contextlib.suppress(OSError):
            fields = _read_status(status)
            if fields["Pid"] in wanted or fields["PPid"] in wanted:
                wanted.add(fields["Pid"])
                found.append(f"{fields['Name']} {fields['State']} {status.with_name('wchan').read_text()}")
    return "; ".join(found)


def listening_ports(pid: int) -> set[int]:
    """Return the TCP ports listened on in the process's network, without leaving a trace in a log."""
    found: set[int] = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                # proc_pid_net(5): local address:port in hexadecimal, remote, state; 0A is LISTEN.
                _, local, _, state = line.split()[:4]
                if state == "0A":
                    found.add(int(local.rpartition(":")[2], 16))
    return found
