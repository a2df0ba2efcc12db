"""The end of a run: ``run.json``, the reports beside it, and what is worth a line at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pfremote.errors import PfremoteError
from pfremote.exit_codes import ExitCode
from pfremote.folding import join_hosts
from pfremote.output import Output
from pfremote.results import HostResult
from pfremote.store import Run, RunStore

if TYPE_CHECKING:
    from pfremote.report import Format
    from pfremote.store.writer import ReportName

#: Of more hosts than this the places of the transcripts are told in one line.
MOST_FOLDERS = 3
REPORTS: dict[Format, ReportName] = {
    "html": "report.html",
    "md": "report.md",
    "txt": "report.txt",
    "json": "report.json",
}


def write_reports(run: Run, store: RunStore, output: Output, formats: Sequence[Format] = ("html", "md")) -> None:
    """Write the report beside the evidence, and show what there is to see at once."""
    from pfremote.report import read_report, render_report  # has a template engine to load: not before arming
    from pfremote.report.words import summarise_exposures, summarise_findings

    report = read_report(run)
    paths = [store.write_report(REPORTS[fmt], render_report(report, fmt)) for fmt in formats]
    for line in (*summarise_findings(report), *summarise_exposures(report)):
        output.console.show(line)
    folders = {
        record.result.host: folder
        for record in run.hosts
        if record.result.sessions and any((folder := run.path / record.folder / "transcripts").glob("*"))
    }
    if len(folders) > MOST_FOLDERS:
        output.console.show(f"{join_hosts(folders)}: transcripts in {run.path}/HOST/transcripts")
    else:
        for host, folder in folders.items():
            output.console.show(f"{host}: transcripts in {folder}")
    for path in paths[:1]:
        output.console.say(f"report: {path}")


def keep_run(
    store: RunStore,
    results: Iterable[HostResult] | Mapping[str, Sequence[HostResult]],
    code: ExitCode,
    output: Output,
    formats: Sequence[Format] = ("html", "md"),
) -> ExitCode:
    """Write the run's end and its reports, and return the exit code.

    A disk that is full by now must not keep the recap from saying what became of the hosts.
    """
    try:
        plays = results if isinstance(results, Mapping) else {"": tuple(results)}
        run = store.write_run(plays, ended=datetime.now(UTC), exit_code=int(code))
        if any(result.armed for members in plays.values() for result in members):
            write_reports(run, store, output, formats)
    except PfremoteError as exc:
        output.complain(exc)
        return code or ExitCode.UNEXPECTED
    return code
