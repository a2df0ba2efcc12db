"""JSON Lines: one event a line, for programs. ``recap`` is always the last (docs/reference.md, "Events")."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Literal, Protocol, TextIO

from pfremote.errors import PfremoteError, Refused
from pfremote.exit_codes import ExitCode
from pfremote.results import HostResult, error_code, reason_as_json

Kind = Literal["plan", "armed", "session", "warning", "reverted", "collected", "failed"]


class EventSink(Protocol):
    """Whoever wants to hear what happens: the JSON stream, the run's record, the screen."""

    def __call__(self, kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
        """Take one event."""


def format_time(moment: datetime) -> str:
    """Return RFC 3339 in UTC, to the millisecond.

    >>> format_time(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_epoch(seconds: float) -> str:
    """Return epoch seconds as RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


class EventStream:
    """Write events to a text stream, each flushed at once; may be called from every thread."""

    def __init__(self, stream: TextIO, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._stream = stream
        self._now = now
        self._lock = threading.Lock()
        self._ended = False
        #: The reader is gone; what happens from now on is told to nobody.
        self.broken = False
        #: Why events are missing on stdout although somebody wants them: a full disk.
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
        hosts = {result.host: result.as_json() for result in results}
        self._write("recap", "", "", {"exit_code": int(exit_code), "hosts": hosts})
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
        line = json.dumps(event, ensure_ascii=True, separators=(",", ":"))
        with self._lock:
            if self._ended or self.broken:
                return
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except OSError as exc:
                self.broken = True
                self.lost = None if exc.errno == errno.EPIPE else exc
