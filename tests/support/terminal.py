"""A program whose output is read as it comes, from a pipe or from a terminal of its own."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Sequence


class Following:
    """A running program; with ``terminal`` it has one, and what is typed there comes to it, Ctrl-C as well."""

    def __init__(self, argv: Sequence[str], *, terminal: bool = False) -> None:
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        if terminal:
            self.descriptor, child = pty.openpty()
            # setsid(1) makes it the controlling terminal: nothing of ours runs between fork and exec
            argv = ["setsid", "--ctty", *argv]
            ends = {"stdin": child, "stdout": child, "stderr": child}
        else:
            self.descriptor, child = os.pipe()
            ends = {"stdin": subprocess.DEVNULL, "stdout": child, "stderr": child}
        self.process = subprocess.Popen(argv, env=environment, start_new_session=not terminal, **ends)  # type: ignore[call-overload]
        os.close(child)
        self.seen = ""

    def wait_for(self, text: str, *, seconds: float = 40) -> str:
        """Return everything seen so far once ``text`` (a regular expression) is in it."""
        end = time.monotonic() + seconds
        while not re.search(text, self.plain):
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"{text!r} is not in {self.plain!r}")
        return self.plain

    def _read(self, patience: float) -> bool:
        """Read what is there; False when there is nothing more to come."""
        if not select.select([self.descriptor], [], [], patience)[0]:
            return True
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # Linux: the terminal's other end is closed
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    @property
    def plain(self) -> str:
        """What was seen, without colours and cursor movements."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen).replace("\r", "")

    def press(self, keys: str) -> None:
        """Type ``keys``."""
        os.write(self.descriptor, keys.encode())

    def finish(self, *, seconds: float = 120) -> int:
        """Read to the end and return the exit status; no end within ``seconds`` is an error."""
        end = time.monotonic() + seconds
        while self._read(1):
            assert time.monotonic() < end, self.plain
        return int(self.process.wait(60))

    def close(self) -> None:
        """End it, whatever it is at."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.descriptor)
