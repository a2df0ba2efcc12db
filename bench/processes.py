"""Processes as proc(5) shows them, and the ssh processes that Ansible leaves behind for ControlPersist."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc/PID/stat. ``cpu`` is in seconds, with that of children that are gone."""

    pid: int
    name: str
    parent: int
    cpu: float


def list_processes() -> list[Process]:
    """Return all processes of this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, rest = path.read_text().rpartition(") ")
        except OSError:  # gone since
            continue
        number, _, name = head.partition(" (")
        fields = rest.split()
        found.append(Process(int(number), name, int(fields[1]), sum(map(int, fields[11:15])) / _TICK))
    return found


def adopt_orphans() -> None:
    """Let what outlives its parent become a child of this process, so that its CPU stays to be seen."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def list_orphans() -> list[Process]:
    """Return the ssh processes that this process has adopted; those that have ended too, which nothing waits for."""
    return [process for process in list_processes() if process.parent == os.getpid() and process.name == "ssh"]


def count_orphans_cpu() -> float:
    """Return the seconds of CPU that they have used so far."""
    return sum(process.cpu for process in list_orphans())
