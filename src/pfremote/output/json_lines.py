"""JSON Lines: one event a line, ``recap`` always last (docs/reference/exit-codes-and-events.md)."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TextIO

from pfremote.errors import ExitCode, PfremoteError, Refused
from pfremote.model.event import Kind
from pfremote.model.result import HostResult, error_code, reason_as_json
from pfremote.model.secret import KNOWN_SECRETS
from pfremote.text.times import format_time

#: json.dumps would make an encoder for each event.
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class EventStream:
    """Write events to a text stream, each flushed at once; may be called from every thread."""

    def __init__(self, stream: TextIO, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._stream = stream
        self._now = now
        self._lock = threading.Lock()
        self._ended = False
        #: The reader is gone; what happens from now on is not written.
        self.broken = False
        #: Why events are missing on stdout although a reader wants them: a full disk.
        self.lost: OSError | None = None

    def __call__(self, kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
        """Write one event; nothing follows a recap."""
        self._write(kind, host, lease, details)

    def fail(self, error: PfremoteError) -> None:
        """Write ``failed``, one event per reason where the error is a refusal."""
        if isinstance(error, Refused):
            for reason in error.reasons:
                self("failed", error.host, **reason_as_json(reason))
            return
        hint = {"hint": error.hint} if error.hint else {}
        self("failed", error.host, "", code=error_code(error), message=str(error), **hint)

    def recap(self, exit_code: ExitCode, results: Iterable[HostResult]) -> None:
        """Write the last event; a second recap is ignored, so that the way out may always ask for one."""
        self.finish(exit_code, hosts={result.host: result.recap_as_json() for result in results})

    def finish(self, exit_code: ExitCode, **details: object) -> None:
        """Write a recap that says something else than what became of hosts."""
        self._write("recap", "", "", {"exit_code": int(exit_code), **details})
        self._ended = True

    def _write(self, kind: str, host: str, lease: str, details: dict[str, object]) -> None:
        named = {"host": host, "lease": lease}
        event = {
            "event": kind,
            "time": format_time(self._now()),
            **{k: v for k, v in named.items() if v},
            **details,
        }
        # ASCII only: a host's odd bytes (surrogates, U+2028) must not break the reader's line or its UTF-8.
        line = KNOWN_SECRETS.mask(_encode(event))
        with self._lock:
            if self._ended or self.broken:
                return
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except OSError as exc:
                self.broken = True
                self.lost = None if exc.errno == errno.EPIPE else exc
