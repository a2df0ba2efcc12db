"""One run of ``pfremote explain``: read the logs, tell what they say, keep it where that was asked for."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from pfremote.errors import ExitCode, PfremoteError
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.pieces.read import Purpose
from pfremote.options.pseudonymise import make_disguise
from pfremote.options.recorded_command import typed_command
from pfremote.output.columns import page_width
from pfremote.output.output import Output
from pfremote.report import Format, write_report
from pfremote.run.keep_logs import keep_logs
from pfremote.run.log_files import Source, copy_stdin
from pfremote.run.log_parts import join_parts
from pfremote.run.log_report import build_log_report, count_recap, list_events, tell_stories
from pfremote.run.read_logs import Explained, explain_log, explain_nothing, find_messages, find_names
from pfremote.run.share import share_captures
from pfremote.run.unnamed import open_spool
from pfremote.run.wanted import read_wanted
from pfremote.store.capture import leaves_out_transcripts
from pfremote.text.pieces import gather
from pfremote.text.quantities import plural
from pfremote.text.times import show_moment

#: Seconds between two looks of the progress line.
EVERY = 0.2
#: Of messages only the lines about them are looked for.
_PARTLY_READ = "only the lines about these messages were read: credentials in other lines are not listed"


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """What the command line asked for, beside the logs."""

    wanted: Wanted
    everything: bool = False
    fmt: Format = "txt"
    out: Path | None = None
    share: bool = False

    @property
    def shows_messages(self) -> bool:
        """Tell whether the report shows the ways of messages."""
        return self.everything or self.wanted.of_messages()

    @property
    def shows_lines(self) -> bool:
        """Tell whether more lines are shown than those that prove a finding."""
        return self.out is not None or self.share or self.fmt in ("html", "json")

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> Self:
        """Return the options that the command line's values mean.

        Raises:
            UsageError: a value can fit nothing.
        """
        return cls(read_wanted(words), words["everything"], words["fmt"], words["out"], words["share"])


def run_explain(sources: Sequence[Source], options: ExplainOptions, output: Output) -> ExitCode:
    """Read and explain the logs; return 0 where all were read, 4 where some were not, 2 where none was.

    Raises:
        UsageError: ``out`` is no folder to write to.
        PfremoteError: the map of tokens cannot be written, with ``share``.
    """
    with open_spool() as spool:
        return _explain(sources, options, output, spool)


def _explain(sources: Sequence[Source], options: ExplainOptions, output: Output, spool: IO[bytes]) -> ExitCode:
    moment = datetime.now(UTC)
    sources = join_parts(sources)
    logs, interrupted = _read_all(sources, options, output, spool)
    for log in logs:
        if log.error is not None or not log.readable:
            output.complain(log.error or explain_nothing(log))
        if log.strange:
            _show_strange(log, output)
    read = [log for log in logs if log.readable]
    code = _choose_code(logs, read, interrupted=interrupted)
    if options.share:
        _share(read, output, spool)
    else:
        _tell(read, options, code, moment, output, spool)
    _end(read, code, output)
    return code


def _show_strange(log: Explained, output: Output) -> None:
    """Show the first of the lines that fit no layout, masked as everything else."""
    output.console.say(f"{log.source.name}: {plural(log.strange_lines, 'line')} fit no layout; the first:")
    for text in log.strange:
        output.console.say(f"    {text}")


def _choose_code(logs: Sequence[Explained], read: Sequence[Explained], *, interrupted: bool) -> ExitCode:
    if not read:
        return ExitCode.USAGE
    if interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.OK if len(read) == len(logs) else ExitCode.HOST_FAILED


def _read_all(
    sources: Sequence[Source], options: ExplainOptions, output: Output, spool: IO[bytes]
) -> tuple[list[Explained], bool]:
    """Read one log after the other; Ctrl-C ends with those that were read so far."""
    logs: list[Explained] = []
    messages = options.shows_messages or options.out is not None or output.stream is not None
    try:
        for source in sources:
            logs.append(_read_one(source, options, output, spool, messages=messages))
        _follow(logs, options.wanted, output)
    except KeyboardInterrupt:
        output.console.progress("")
        output.console.say(f"interrupted: {plural(len(logs), 'log')} of {len(sources)} read")
        return logs, True
    output.console.progress("")
    return logs, False


def _read_one(
    source: Source, options: ExplainOptions, output: Output, spool: IO[bytes], *, messages: bool
) -> Explained:
    """Read one log, twice where it is large."""
    # Programs are told each event; a copy to share of all of a log needs nothing but its lines.
    lines = options.shows_lines and (output.stream is None or options.out is not None or options.share)
    sessions = not options.share or output.stream is not None or not options.wanted.everything
    try:
        with copy_stdin(source, output.console.detail) as copied:
            return explain_log(
                copied,
                options.wanted,
                _make_progress(source, output),
                Purpose(messages, lines, sessions),
                twice=copied.is_large,
                spool=spool,
            )
    except PfremoteError as exc:
        return Explained(source, source.host, error=exc)


def _follow(logs: list[Explained], wanted: Wanted, output: Output) -> None:
    """Look once more into logs that were searched, for names of the wanted messages that only other logs have."""
    known: frozenset[str] = frozenset()
    while len(logs) > 1 and (names := find_names([log for log in logs if log.readable], wanted)) > known:
        known = names
        for place, log in enumerate(logs):
            if log.searched is not None and not names <= log.searched:
                tell = _make_progress(log.source, output)
                logs[place] = explain_log(log.source, wanted, tell, known=names)


def _make_progress(source: Source, output: Output) -> Callable[[int], None]:
    """Return what shows how far the reading of one log is, with its rate."""
    begun, shown, total = time.monotonic(), 0.0, source.size

    def tell(done: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < EVERY:
            return
        shown = now
        rate = done / 1e6 / max(now - begun, 0.001)
        left = f", {max(total - done, 0) / 1e6 / rate:.0f} s left" if total > done and rate else ""
        output.console.progress(f"{source.path}: {done / 1e6:.1f} MB read, {rate:.1f} MB/s{left}")

    return tell


def _tell(
    read: Sequence[Explained],
    options: ExplainOptions,
    code: ExitCode,
    moment: datetime,
    output: Output,
    spool: IO[bytes],
) -> None:
    if output.stream is not None:
        for kind, details in list_events(read, find_messages(read, options.wanted, spool)):
            output.stream_only(kind, details.pop("host", ""), **details)
        if options.out is None:
            return  # programs were told each event
    stories = tell_stories(read, options.wanted, spool)
    if read and options.out is not None:
        report = build_log_report(read, typed_command(), moment, int(code))
        report = dataclasses.replace(report, stories=stories)
        path = keep_logs(read, report, options.out, moment, code, everything=options.wanted.everything)
        output.console.say(f"report: {path}")
        if any(log.capture is not None and leaves_out_transcripts(log.capture) for log in read):
            output.console.say("transcripts: of so many sessions only those with a finding; sessions.json has all")
    if read and output.stream is None:
        troubled = options.wanted.everything and not options.everything
        report = build_log_report(read, typed_command(), moment, int(code), troubled=troubled)
        notes = (*report.notes, _PARTLY_READ) if options.wanted.of_messages() else report.notes
        if not options.wanted.everything and not report.sessions and not stories:
            notes = (_explain_nothing_fits(read), *notes)
        report = dataclasses.replace(report, stories=stories if options.shows_messages else (), notes=notes)
        _show(write_report(report, options.fmt, page_width(output.console.out)), output)


def _show(pieces: Iterable[str], output: Output) -> None:
    """Show a report piece by piece, without the empty lines at its end."""
    empty = ""
    for piece in pieces:
        text = empty + piece
        if shown := text.rstrip("\n"):
            output.console.show(shown)
        empty = text[len(shown) + bool(shown) :]


def _explain_nothing_fits(read: Sequence[Explained]) -> str:
    """Say that nothing fits what was asked for, and of which time the logs are where that is known."""
    lines = sum(log.capture.counts.lines for log in read if log.capture is not None)
    text = f"nothing in {'this log' if len(read) == 1 else 'these logs'} fits what was asked for; "
    text += f"{plural(lines, 'line')} were looked at" if lines != 1 else "1 line was looked at"
    times = [(log.begins, log.ends) for log in read if log.begins and log.ends]
    if len(times) < len(read):
        return text
    begins, ends = min(begins for begins, _ in times), max(ends for _, ends in times)
    return f"{text}, of {show_moment(begins)} to {show_moment(ends)}"


def _share(read: Sequence[Explained], output: Output, spool: IO[bytes]) -> None:
    captures = [(log.host, log.capture) for log in read if log.capture is not None]
    if not any(capture.records for _, capture in captures):
        if captures:
            output.console.say(_explain_nothing_fits(read))
        return
    lines = share_captures(captures, make_disguise(()), spool)
    _show(gather(f"{line}\n" for line in lines), output)


def _end(read: Sequence[Explained], code: ExitCode, output: Output) -> None:
    """Write the last event; people were told by the report."""
    if output.stream is not None:
        output.stream.finish(code, **count_recap(read))
