"""The lab's machines seen from far away: the delaying relay, and the ssh files that lead through it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import Lab

_FIRST_PORT = 2201


@contextmanager
def far_away(lab: Lab, folder: Path, *, round_trip: float) -> Iterator[tuple[Path, Path]]:
    """Run the relay in this namespace; yield ssh_config and known_hosts. ``round_trip`` is in seconds."""
    ports = {name: _FIRST_PORT + number for number, name in enumerate(lab.machines)}
    ways = [f"{port}:{lab.machines[name].address}:22" for name, port in ports.items()]
    known_hosts, ssh_config = folder / "far_known_hosts", folder / "far_ssh_config"
    keys = {line.split(",")[0]: line.split(" ", 1)[1] for line in lab.known_hosts.read_text().splitlines()}
    known_hosts.write_text("".join(f"[127.0.0.1]:{port} {keys[name]}\n" for name, port in ports.items()))
    hosts = "".join(f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n" for name, port in ports.items())
    ssh_config.write_text(
        f"{hosts}Host *\n  User ops\n  IdentityFile {lab.private_key}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {known_hosts}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n"
    )
    relay = subprocess.Popen(
        [sys.executable, "-m", "bench.relay", "--delay", str(round_trip / 2), *ways], stdout=subprocess.PIPE
    )
    try:
        assert relay.stdout is not None and relay.stdout.readline() == b"ready\n"
        yield ssh_config, known_hosts
    finally:
        relay.terminate()
        relay.wait()
