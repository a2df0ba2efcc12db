"""The end of a run: ``run.json``, the reports beside it, and what is worth a line at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pfremote.errors import ExitCode, PfremoteError
from pfremote.model.result import HostResult
from pfremote.output.output import Output
from pfremote.store import Run, RunStore

if TYPE_CHECKING:
    from pfremote.report import Format, Report
    from pfremote.store.writer import ReportName

REPORTS: dict[Format, ReportName] = {
    "html": "report.html",
    "md": "report.md",
    "txt": "report.txt",
    "json": "report.json",
}


def write_reports(run: Run, store: RunStore, output: Output, formats: Sequence[Format] = ("html", "md")) -> None:
    """Write the report beside the evidence, and say which credentials have to be changed."""
    # The report has a template engine to load: not before arming.
    from pfremote.report.credentials import summarise_exposures

    report, paths = store_reports(run, store, formats)
    for hosts, text in summarise_exposures(report):
        output.console.tell(text, host=hosts, style="yellow")
    for path in paths[:1]:
        output.console.say(f"report: {path}")


def store_reports(run: Run, store: RunStore, formats: Sequence[Format]) -> tuple[Report, list[Path]]:
    """Write the report beside the evidence in each of the formats; return it, and where it is."""
    from pfremote.report import read_report, write_report  # has a template engine to load: not before arming

    report = read_report(run)
    return report, [store.write_report(REPORTS[fmt], write_report(report, fmt)) for fmt in formats]


def keep_run(
    store: RunStore,
    results: Iterable[HostResult] | Mapping[str, Sequence[HostResult]],
    code: ExitCode,
    output: Output,
    formats: Sequence[Format] = ("html", "md"),
) -> ExitCode:
    """Write the reports, then the run's end, and return the exit code.

    A disk that is full by now must not keep the recap from saying what became of the hosts. The end is written last:
    what it says of the exit code is true.
    """
    plays = results if isinstance(results, Mapping) else {"": tuple(results)}
    run = store.note_end(plays, ended=datetime.now(UTC), exit_code=int(code))
    try:
        if any(result.armed for members in plays.values() for result in members):
            write_reports(run, store, output, formats)
            _tell_messages(run, output)
    except PfremoteError as exc:
        output.complain(exc)
        code = code or ExitCode.UNEXPECTED
    return save_end(store, code, output)


def save_end(store: RunStore, code: ExitCode, output: Output) -> ExitCode:
    """Write the run's end with this exit code, and return it; another one where that fails."""
    try:
        store.save(int(code))
    except PfremoteError as exc:
        output.complain(exc)
        return code or ExitCode.UNEXPECTED
    return code


def _tell_messages(run: Run, output: Output) -> None:
    # What reads logs is loaded when there is a log: not before arming.
    from pfremote.run.message_events import tell_messages

    tell_messages(run, output)


def tell_end(store: RunStore | None, results: Iterable[HostResult], code: ExitCode, output: Output) -> ExitCode:
    """Tell the recap and return the exit code; what goes wrong there is the stored run's exit code too."""
    told = output.recap(results, code)
    return told if store is None or told is code else save_end(store, told, output)
