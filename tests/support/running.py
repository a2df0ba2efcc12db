"""pfremote as a process of its own, whose events are read as they come."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(eq=False)
class Running:
    """A running ``pfremote … --json``."""

    #: What was started and not yet left; see :meth:`end_all`.
    _not_left: ClassVar[list[Running]] = []

    process: subprocess.Popen[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    #: Everything on stdout so far, and at the end what was on stderr.
    printed: str = ""
    _said: list[str] = field(default_factory=list)
    _listener: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        # A full pipe would stop the process.
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @classmethod
    def start(cls, argv: Sequence[str], **options: Any) -> Running:
        """Start it; ``options`` are Popen's."""
        pipe = subprocess.PIPE
        running = cls(subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True, **options))
        cls._not_left.append(running)
        return running

    @classmethod
    def end_all(cls) -> None:
        """End what a test that failed left running: Python would tell of it in a later test, which would fail for it."""
        for running in list(cls._not_left):
            running.process.kill()
            running.leave()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            for line in stream:
                self._said.append(line)

    def wait_for(self, kind: str) -> dict[str, Any]:
        """Read events until one of this kind comes."""
        while self._next_line():
            if self.events[-1]["event"] == kind:
                return self.events[-1]
        raise AssertionError(f"no {kind} among {self.events}: {self.err}")

    def wait_for_words(self, words: str, *, timeout: float = 60) -> None:
        """Wait until it said ``words`` on stderr."""
        deadline = time.monotonic() + timeout
        while words not in self.err:
            assert self.process.poll() is None and time.monotonic() < deadline, (words, self.err)
            time.sleep(0.02)

    def finish(self, *, timeout: float = 180) -> tuple[int, dict[str, Any]]:
        """Wait for the end; return the exit code and the recap's hosts."""
        # Not communicate(): it reads past the lines that stdout's own buffer still holds.
        timer = threading.Timer(timeout, self.process.kill)
        timer.start()
        try:
            while self._next_line():
                pass
        finally:
            timer.cancel()
            self.leave()
        assert self.events and self.events[-1]["event"] == "recap", (self.events, self.err)
        assert self.process.returncode == self.events[-1]["exit_code"]
        return self.process.returncode, self.events[-1]["hosts"]

    def leave(self, *, timeout: float = 180) -> None:
        """Wait for the end and read nothing more."""
        try:
            self.process.wait(timeout)
        finally:
            self.process.kill()
        if self in self._not_left:
            self._not_left.remove(self)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._listener.join(20)
        self.printed += self.err

    @property
    def err(self) -> str:
        """Everything on stderr so far."""
        return "".join(self._said)

    def codes(self, kind: str, host: str) -> list[str]:
        """Return the codes of one host's events of a kind."""
        return [item["code"] for item in self.events if item["event"] == kind and item.get("host") == host]

    def _next_line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            self.printed += line
            self.events.append(json.loads(line))
        return line
