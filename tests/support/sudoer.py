"""A throw-away Unix user, with a password and a sudoers line of its own; both are gone afterwards."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self


class Sudoer:
    """One user. ``rule`` is what stands after the user's name in sudoers; empty for no line at all."""

    def __init__(self, rule: str = "", defaults: str = "") -> None:
        self.name = f"pfrt{token_hex(4)}"
        self.password = f"invented-{token_hex(12)}"
        self._sudoers = Path("/etc/sudoers.d") / self.name
        self._rule = rule
        self._defaults = defaults

    def __enter__(self) -> Self:
        _patiently("useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", self.name)
        _patiently("chpasswd", stdin=f"{self.name}:{self.password}\n")
        lines = [f"Defaults:{self.name} {self._defaults}"] if self._defaults else []
        lines += [f"{self.name} {self._rule}"] if self._rule else []
        if lines:
            draft = Path("/run") / f"{self.name}.sudoers"
            draft.write_text("\n".join(lines) + "\n")
            draft.chmod(0o440)
            subprocess.run(["visudo", "-cqf", str(draft)], check=True)
            draft.rename(self._sudoers)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._sudoers.unlink(missing_ok=True)
        _patiently("userdel", "--force", self.name)


def _patiently(*argv: str, stdin: str = "") -> None:
    """Run a program of the shadow suite, which gives up at once while another one holds the lock."""
    for _ in range(50):
        done = subprocess.run(argv, input=stdin, text=True, capture_output=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"{argv[0]}: {done.stderr}")
