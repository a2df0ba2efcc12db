"""A Python for the lab's machines: ansible's modules need one there, and the lab's Debian tree has none."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.lab import Machine

_PROGRAM = Path("/usr/bin/python3")
#: What its extension modules link to beyond what a mail host has anyway.
_LIBRARIES = ("libexpat.so.1", "libffi.so.8", "libuuid.so.1")


def give_python(machines: Iterable[Machine]) -> bool:
    """Copy this machine's own Debian Python to the machines; tell whether it runs there."""
    if not _PROGRAM.exists():
        return False
    program = _PROGRAM.resolve()
    listed = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    paths = {line.split()[0]: Path(line.split()[-1]) for line in listed.splitlines() if "=>" in line}
    works = []
    for machine in machines:
        shutil.copy2(program, machine.root / "usr/bin" / program.name)
        (machine.root / "usr/bin/python3").symlink_to(program.name)
        library = f"usr/lib/{program.name}"
        # Compiled files too: without them each ansible task would compile the modules anew.
        shutil.copytree(
            f"/{library}", machine.root / library, symlinks=True, ignore=shutil.ignore_patterns("test", "config-*")
        )
        for name in _LIBRARIES:
            if name in paths:
                place = machine.root / str(paths[name].resolve().parent).lstrip("/")
                if not (place / name).exists():
                    shutil.copy2(paths[name].resolve(), place / name)
        works.append(machine.run(["python3", "-c", "import json, ssl, ctypes, uuid"], check=False).returncode == 0)
    return all(works)
