"""Everything a command says, to people and to programs, through one object."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping, Sequence

from pfremote.errors import ConfigErrors, ExitCode, PfremoteError
from pfremote.model.event import EventSink, Kind
from pfremote.model.result import HostResult
from pfremote.output.console import Console
from pfremote.output.host_files import ResultFiles
from pfremote.output.json_lines import EventStream
from pfremote.output.messages import Messages
from pfremote.output.nagios import Level, render_line
from pfremote.output.verdicts import render_verdicts
from pfremote.pseudonyms.plain import PLAIN, Disguise


class Output:
    """The console, and with ``--json`` the event stream on stdout beside it."""

    def __init__(self, *, json: bool = False, verbosity: int = 0) -> None:
        self.console = Console(verbosity=verbosity, data=not json)
        self.stream = EventStream(sys.stdout) if json else None
        self.messages = Messages(self.console)
        self._listeners: list[EventSink] = []
        #: Where each host's result is kept as a file, with ``--tree``.
        self.files: ResultFiles | None = None
        #: With ``--nagios`` one line on stdout and a plugin's exit code are all that is said.
        self.monitoring = False
        #: What becomes of names before they are told to programs, or shown as data. What is said to the
        #: operator (stderr) keeps the names of the operator's hosts, which have to be typed again.
        self.disguise: Disguise = PLAIN

    @property
    def broken(self) -> bool:
        """Tell whether a reader has gone away: a closed pipe, a lost terminal."""
        return self.console.broken or (self.stream is not None and self.stream.broken)

    def listen(self, sink: EventSink) -> None:
        """Let ``sink`` hear every event as well."""
        self._listeners.append(sink)

    def show_plans(self) -> None:
        """Tell plans even without ``-v``; why a host is not served comes in the end (:meth:`verdicts`)."""
        self.messages = Messages(self.console, plans=True)
        self.messages.failures_are_data = True

    def emit(self, kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
        """Tell one event to both."""
        shown = self.disguise.value(details)
        if self.stream is not None:
            self.stream(kind, host and self.disguise.host(host), lease, **shown)
        self.messages(kind, host, lease, **(details if kind in ("warning", "failed") else shown))
        for sink in self._listeners:
            sink(kind, host, lease, **details)

    def fail(self, error: PfremoteError) -> int:
        """Tell of an error that ends the whole run, and return its exit code."""
        self.console.progress("")
        if self.monitoring:
            self.console.show(render_line(Level.UNKNOWN, str(error)))
            return Level.UNKNOWN
        self.complain(error)
        if self.stream is not None:
            self.stream.recap(error.exit_code, ())
        return error.exit_code

    def complain(self, error: PfremoteError) -> None:
        """Tell of an error that is about no host; a recap still follows."""
        for part in error.errors if isinstance(error, ConfigErrors) else (error,):
            self.console.error(part)
            if self.stream is not None:
                self.stream.fail(part)

    def check_delivery(self, code: int) -> int:
        """Return ``code``, or another where stdout did not take what is data: a full disk, not a reader who left."""
        lost = self.console.lost or (self.stream and self.stream.lost)
        if code or not lost:
            return code
        self.console.say(f"error: not all of the output could be written: {lost.strerror}", style="red")
        return Level.UNKNOWN if self.monitoring else ExitCode.UNEXPECTED

    def stream_only(self, kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
        """Tell one event to programs; people were shown the same as data, its names disguised already."""
        if self.stream is not None:
            self.stream(kind, host and self.disguise.host(host), lease, **details)

    def recap_for_programs(self, results: Iterable[HostResult], exit_code: ExitCode) -> ExitCode:
        """End with a recap in the event stream only, where people saw every host's line already."""
        self.console.progress("")
        self.console.tell_folded(self.messages.list_folded("warning", "error", "refused"))
        return self._end(results, exit_code)

    def verdicts(
        self, results: Iterable[HostResult], exit_code: ExitCode, blocks: Mapping[str, Sequence[str]] | None = None
    ) -> ExitCode:
        """Tell what was seen of each host, or what is in the way there, and return ``exit_code``.

        ``blocks`` are what the hosts said of themselves (:func:`~pfremote.output.verdicts.render_verdicts`).
        """
        rows = tuple(results)
        self.console.progress("")
        self.console.tell_folded(self.messages.list_folded("warning"))
        self.console.show_rows(render_verdicts(rows, blocks or {}), rest="      ")
        return self._end(rows, exit_code)

    def recap(self, results: Iterable[HostResult], exit_code: ExitCode) -> ExitCode:
        """Tell how the run ended for each host, and return ``exit_code``."""
        rows = tuple(results)
        self.console.progress("")
        self.console.tell_folded(self.messages.list_folded("warning"))
        # On one terminal each failure was read when it came; only those that wait to be told together are new.
        folds = self.messages.list_folded("error", "refused") if self.console.is_one_terminal else None
        self.console.recap(rows, folds)
        return self._end(rows, exit_code)

    def _end(self, results: Iterable[HostResult], exit_code: ExitCode) -> ExitCode:
        """Tell programs how it ended, in files and as the last event."""
        hidden = tuple(map(self._hide, results))
        if self.files is not None:
            try:
                self.files.write(hidden, self.disguise.value)
            except PfremoteError as exc:
                self.console.error(exc)
                exit_code = exit_code or ExitCode.UNEXPECTED
        if self.stream is not None:
            self.stream.recap(exit_code, hidden)
        return exit_code

    def _hide(self, result: HostResult) -> HostResult:
        error = result.error or next(iter(result.refusals), None)
        if self.disguise is PLAIN:
            return result
        shown = error and dataclasses.replace(
            error, **self.disguise.value({"message": error.message, "hint": error.hint})
        )
        return dataclasses.replace(result, host=self.disguise.host(result.host), error=shown)
