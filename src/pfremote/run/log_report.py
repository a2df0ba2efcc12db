"""What logs came to, as the report that a run has and as events for programs."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from pfremote import __version__
from pfremote.errors import Reason
from pfremote.maillog.capture import Capture
from pfremote.maillog.causes import tell_causes
from pfremote.maillog.completeness import explain_short, find_short
from pfremote.maillog.messages.message import Message
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.pieces.hops import PackedHops
from pfremote.model.lazy import Lazy
from pfremote.model.result import HostResult
from pfremote.report import Report, build_report
from pfremote.report.html import MOST_STORIES
from pfremote.report.model import StoryView
from pfremote.report.stories import tell_story
from pfremote.run.capture_events import Event, list_capture_events
from pfremote.run.message_events import encode_message
from pfremote.run.read_logs import Explained, describe_layouts, find_messages
from pfremote.store.capture import encode_lazily
from pfremote.store.encode import encode_time
from pfremote.store.run import HostFolder, HostRecord, Run
from pfremote.text.quantities import plural

_HOLES = Reason("lines-lost", "the log itself says that lines of it were dropped: what it does not show may have been")


class _Lines(Lazy[str]):
    """The lines of a log as they are shown, each made when it is asked for: most never are."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def __len__(self) -> int:
        return len(self._capture.records)

    def make(self, place: int) -> str:
        return self._capture.show_line(place)


def tell_stories(logs: Sequence[Explained], wanted: Wanted, spool: IO[bytes]) -> Collection[StoryView]:
    """Return the ways of the messages of logs; those of logs that are not held are told when they are asked for."""
    if any(isinstance(log.hops, PackedHops) for log in logs):
        return _Stories(logs, wanted, spool)
    return tuple(map(tell_story, find_messages(logs, wanted)))


class _Stories(Collection[StoryView]):
    """The ways of the messages of logs, each told anew when it is asked for.

    To join them takes long: they are counted once, and a page needs no more than the first of them.
    """

    def __init__(self, logs: Sequence[Explained], wanted: Wanted, spool: IO[bytes]) -> None:
        self._logs, self._wanted, self._spool = logs, wanted, spool
        self._first: tuple[Message, ...] = ()
        self._number: int | None = None

    def __iter__(self) -> Iterator[StoryView]:
        yield from map(tell_story, self._first)
        if self._number is None or self._number > len(self._first):
            yield from map(tell_story, islice(self._find(), len(self._first), None))

    def __len__(self) -> int:
        if self._number is None:
            messages = self._find()
            self._first = tuple(islice(messages, MOST_STORIES))
            self._number = len(self._first) + sum(1 for _ in messages)
        return self._number

    def _find(self) -> Iterator[Message]:
        return find_messages(self._logs, self._wanted, self._spool)

    def __bool__(self) -> bool:
        return any(log.hops for log in self._logs) and (not self._wanted.of_messages() or len(self) > 0)

    def __contains__(self, story: object) -> bool:
        return any(one == story for one in self)


def build_log_report(
    logs: Sequence[Explained], command: Sequence[str], moment: datetime, code: int, *, troubled: bool = False
) -> Report:
    """Return the report of logs that were read; ``moment`` is when, ``code`` the exit code.

    With ``troubled`` only the sessions that have a finding are in it, and a word about the others.
    """
    read = [(log, log.capture) for log in logs if log.capture is not None]
    records = tuple(record_logs(logs))
    run = Run("of logs", Path(), tuple(command), moment, moment, code, __version__, {"kind": "logs"}, records)
    if not troubled:
        report = build_report(run, [HostFolder(encode_lazily(capture), _Lines(capture)) for _, capture in read])
        return _tell_layouts(report, [log for log, _ in read])
    report = build_report(run, [HostFolder(_encode_troubled(capture), _Lines(capture)) for _, capture in read])
    quiet = sum(len(capture.sessions) + capture.counts.quiet for _, capture in read) - len(report.sessions)
    notes = (f"{plural(quiet, 'session')} without a finding, shown with --all",) if quiet else ()
    hosts = tuple(
        replace(host, quiet=record.result.sessions - len(host.sessions))
        for host, record in zip(report.hosts, records, strict=True)
    )
    return _tell_layouts(replace(report, hosts=hosts, notes=notes, quiet=quiet), [log for log, _ in read])


def _tell_layouts(report: Report, logs: Sequence[Explained]) -> Report:
    pairs = zip(report.hosts, logs, strict=True)
    return replace(report, hosts=tuple(replace(host, layout=describe_layouts(log)) for host, log in pairs))


def _encode_troubled(capture: Capture) -> dict[str, Any]:
    return encode_lazily(capture, wanted={item.session for item in capture.findings if item.session is not None})


def record_logs(logs: Sequence[Explained]) -> Iterator[HostRecord]:
    """Yield the logs that were read as the records of hosts that were not contacted.

    Where several are of one host (``mail.log.1``, ``mail.log``) each has the file's name beside the host's: line 7 and
    session 2 are told of one of them.
    """
    hosts = Counter(log.host for log in logs if log.capture is not None)
    files = Counter((log.host, Path(log.source.path).name) for log in logs if log.capture is not None)
    for log in logs:
        if log.capture is not None:
            name = Path(log.source.path).name
            file = name if files[log.host, name] == 1 else log.source.path
            yield _record_log(log, log.capture, log.host if hosts[log.host] == 1 else f"{log.host} ({file})")


def _record_log(log: Explained, capture: Capture, name: str) -> HostRecord:
    missing = tuple(_list_missing(capture))
    result = HostResult(
        name,
        "read",
        complete=not capture.withheld and not missing,
        sessions=len(capture.sessions) + capture.counts.quiet,
        lines=len(capture.records),
    )
    return HostRecord(result, folder="", source=f"file:{describe_files(log)}", missing=missing)


def describe_files(log: Explained) -> str:
    """Return the files of a log; of a rotated one with the lines that each of them has in it."""
    if not log.source.parts:
        return log.source.path
    ends = [start - 1 for start in log.starts[1:]]
    ranges = [f"lines {start} to {end}" for start, end in zip(log.starts, ends, strict=False)]
    ranges.append(f"from line {log.starts[-1]} on")
    return ", ".join(f"{file.path} ({where})" for file, where in zip(log.source.parts, ranges, strict=True))


def _list_missing(capture: Capture) -> Iterator[Reason]:
    """Yield why a log does not show all that was said. That a session is cut at either end is told beside it."""
    if any(finding.code == "process.lost-lines" for finding in capture.findings):
        yield _HOLES
    short = find_short(capture.sessions) if capture.counts.short is None else capture.counts.short
    if short:
        yield explain_short(len(short), f" ({'it' if len(short) == 1 else 'the first'} begins at line {short[0]})")


def list_events(logs: Sequence[Explained], messages: Iterable[Message]) -> Iterator[Event]:
    """Yield the events of ``--json``, the recap excepted (docs/reference/exit-codes-and-events.md)."""
    for log in logs:
        if log.capture is not None:
            yield from ((kind, _place(log, details)) for kind, details in _events_of(log.host, log.capture))
    yield from (("message", encode_message(message)) for message in messages)


def _place(log: Explained, details: dict[str, Any]) -> dict[str, Any]:
    """Add where an event comes from: the log, and of a rotated one the file and the line in it."""
    line = details.get("line")
    if not log.source.parts or line is None:
        return {**details, "log": log.source.path}
    place = bisect_right(log.starts, line) - 1
    file = log.source.parts[place].path
    return {**details, "line": line - log.starts[place] + 1, "log": log.source.path, "file": file}


def _events_of(host: str, capture: Capture) -> Iterator[Event]:
    for kind, details in list_capture_events(capture, tell_causes(capture)):
        yield kind, {"host": host, **details}
    for exposure in capture.exposures:
        yield (
            "exposure",
            {
                "host": host,
                "account": exposure.account,
                "kind": exposure.kind,
                "mechanism": exposure.mechanism,
                "logged": encode_time(exposure.time),
                "line": exposure.line,
                "refused": exposure.refused,
            },
        )
    for withheld in capture.withheld:
        yield "withheld", {"host": host, "line": withheld.number, "reason": withheld.reason}


def count_recap(logs: Sequence[Explained]) -> dict[str, int]:
    """Return the counts of the recap event."""
    captures = [log.capture for log in logs if log.capture is not None]
    return {
        "lines": sum(capture.counts.lines for capture in captures),
        "undated": sum(capture.counts.undated for capture in captures),
        "sessions": sum(len(capture.sessions) for capture in captures),
        "findings": sum(len(capture.findings) for capture in captures),
        "exposures": sum(len(capture.exposures) for capture in captures),
        "withheld": sum(len(capture.withheld) for capture in captures),
    }
