"""Everything a command says, to people and to programs, through one object."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from pfremote.console import Console
from pfremote.errors import ConfigErrors, PfremoteError
from pfremote.events import EventSink, EventStream, Kind
from pfremote.exit_codes import ExitCode
from pfremote.narrator import Narrator
from pfremote.results import HostResult


class Output:
    """The console, and with ``--json`` the event stream on stdout beside it."""

    def __init__(self, *, json: bool = False, verbosity: int = 0) -> None:
        self.console = Console(verbosity=verbosity, data=not json)
        self.stream = EventStream(sys.stdout) if json else None
        self.narrator = Narrator(self.console)
        self._listeners: list[EventSink] = []

    @property
    def broken(self) -> bool:
        """Tell whether somebody who listened has gone away: a closed pipe, a lost terminal."""
        return self.console.broken or (self.stream is not None and self.stream.broken)

    def listen(self, sink: EventSink) -> None:
        """Let ``sink`` hear every event as well."""
        self._listeners.append(sink)

    def show_plans(self) -> None:
        """Tell plans even without ``-v``."""
        self.narrator = Narrator(self.console, plans=True)

    def emit(self, kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
        """Tell one event to both."""
        if self.stream is not None:
            self.stream(kind, host, lease, **details)
        self.narrator(kind, host, lease, **details)
        for sink in self._listeners:
            sink(kind, host, lease, **details)

    def fail(self, error: PfremoteError) -> ExitCode:
        """Tell of an error that ends the whole run, and return its exit code."""
        self.console.progress("")
        for part in error.errors if isinstance(error, ConfigErrors) else (error,):
            self.console.error(part)
            if self.stream is not None:
                self.stream.fail(part)
        if self.stream is not None:
            self.stream.recap(error.exit_code, ())
        return error.exit_code

    def stream_only(self, kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
        """Tell one event to programs; people were shown the same as data."""
        if self.stream is not None:
            self.stream(kind, host, lease, **details)

    def recap_for_programs(self, results: Iterable[HostResult], exit_code: ExitCode) -> ExitCode:
        """End with a recap in the event stream only, where people saw every host's line already."""
        if self.stream is not None:
            self.stream.recap(exit_code, results)
        return exit_code

    def recap(self, results: Iterable[HostResult], exit_code: ExitCode) -> ExitCode:
        """Tell how the run ended for each host, and return ``exit_code``."""
        rows = tuple(results)
        self.console.progress("")
        self.console.recap(rows)
        if self.stream is not None:
            self.stream.recap(exit_code, rows)
        return exit_code
