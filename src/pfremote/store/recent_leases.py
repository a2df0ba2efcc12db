"""Leases that were left armed from this machine, for completion. The hosts know better; this only helps typing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from pfremote.private_files import make_private_folder, write_private

#: The host deletes a lease's evidence after as many seconds (docs/reference/files-on-the-host.md).
KEPT = 7 * 24 * 3600
_MOST = 500


def _place() -> Path:
    return Path(platformdirs.user_state_dir("pfremote")) / "leases"


def remember_leases(hosts: Mapping[str, str]) -> None:
    """Note leases and their hosts, beside those that are not too old.

    Raises:
        PfremoteError: it cannot be written.
    """
    now = int(time.time())
    lines = [*_read(now), *(f"{lease} {now} {host}" for host, lease in hosts.items())]
    make_private_folder(_place().parent)
    write_private(_place(), "".join(f"{line}\n" for line in lines[-_MOST:]).encode("utf-8", "backslashreplace"))


def list_recent_leases() -> dict[str, str]:
    """Return lease ids and their hosts, the newest first."""
    rows = [line.split(" ", 2) for line in reversed(_read(int(time.time())))]
    return {lease: host for lease, _, host in rows}


def _read(now: int) -> list[str]:
    try:
        lines = _place().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if _is_young(line, now)]


def _is_young(line: str, now: int) -> bool:
    fields = line.split(" ", 2)
    return len(fields) == 3 and fields[1].isdecimal() and now - int(fields[1]) < KEPT
