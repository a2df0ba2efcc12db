"""Logs that were read, kept as a run: a folder for each, and the report beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pfremote.errors import ExitCode
from pfremote.model.result import HostResult
from pfremote.options.recorded_command import typed_command
from pfremote.report import Report, write_report
from pfremote.run.log_report import record_logs
from pfremote.run.read_logs import Explained
from pfremote.store import RunStore


def keep_logs(
    read: Sequence[Explained], report: Report, out: Path, moment: datetime, code: ExitCode, *, everything: bool
) -> Path:
    """Write the run folder ``out`` and return the report as HTML; ``everything`` says that no part was chosen.

    Raises:
        UsageError: ``out`` is no folder to write to.
        PfremoteError: it cannot be written.
    """
    store = RunStore.create(out, command=typed_command(), started=moment, request={"kind": "logs"})
    results: list[HostResult] = []
    kept = [(log.capture, log.hops) for log in read if log.capture is not None]
    for record, (capture, hops) in zip(record_logs(read), kept, strict=True):
        result = store.write_host(
            record.result,
            capture=capture,
            source=record.source,
            missing=record.missing,
            hops=hops if everything else None,  # of a part of a log only the messages of its lines
        )
        results.append(result)
    store.write_run(results, ended=datetime.now(UTC), exit_code=int(code))
    path = store.write_report("report.html", write_report(report, "html"))
    store.write_report("report.md", write_report(report, "md"))
    return path
