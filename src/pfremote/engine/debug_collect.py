"""Bring evidence home into folders of its own: one for each host, and in it a run folder for each lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pfremote import tasks
from pfremote.agent.client import OpenHost
from pfremote.agent.pieces import collect_in_pieces
from pfremote.agent.protocol import Reply
from pfremote.agent.read_facts import read_facts, read_leases
from pfremote.engine.debug_revert import ALL
from pfremote.errors import ExitCode, PfremoteError, Reason, Refused
from pfremote.model.event import Kind
from pfremote.model.facts import Facts, Lease
from pfremote.paths import exists
from pfremote.report import Format, Report, read_report
from pfremote.run.evidence import EvidenceStore
from pfremote.run.finish import store_reports
from pfremote.run.leases import has_evidence, make_result
from pfremote.store import Run, RunStore, load_run
from pfremote.store.names import choose_folder

FORMATS: tuple[Format, ...] = ("html", "md")


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """One lease's evidence as it lies here. ``fresh`` says that this visit brought it.

    ``conflicts`` are the values that another user set in the window, and that stand in main.cf.
    """

    lease: str
    out: Path
    report: Report
    missing: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    conflicts: tuple[str, ...] = ()
    fresh: bool = True


def collect_leases(
    host: OpenHost, dest: Path, lease: str = ALL, *, keep: bool = False, command: Sequence[str] = ()
) -> tuple[StoredEvidence, ...]:
    """Store the evidence of ``lease``, or of every lease that has some, below ``dest``.

    A lease that has ended is forgotten on the host once all is stored, unless ``keep``. One that was
    collected before, and is not on the host any more, is read again from where it lies.

    Raises:
        Refused: there is no such lease, neither on the host nor below ``dest``.
        PfremoteError: it cannot be stored; the host keeps it.
    """
    place = dest / choose_folder(host.name)
    facts, reply = read_facts(tasks.probe(host)), tasks.status(host)
    chosen = choose_leases(reply, lease)
    if lease != ALL and not chosen:
        return (_read_stored(place, lease),)
    return tuple(_collect_one(host, place, reply, facts, item, keep=keep, command=command) for item in chosen)


def choose_leases(reply: Reply, lease: str) -> tuple[Lease, ...]:
    """Return the leases of a reply to ``status`` that there is something to collect of."""
    return tuple(item for item in read_leases(reply) if lease in (ALL, item.id) and has_evidence(item))


def _collect_one(
    host: OpenHost, place: Path, status: Reply, facts: Facts, lease: Lease, *, keep: bool, command: Sequence[str]
) -> StoredEvidence:
    result = make_result(host.name, status, lease)
    reply = collect_in_pieces(host, lease.id)
    asked = {"peers": lease.peers, "reason": lease.reason, "level": lease.level}
    store = RunStore.create(_free_folder(place, lease.id), command=command, started=datetime.now(UTC), request=asked)
    kept = EvidenceStore(store, _ignore)(result, reply, facts, lease)
    run = store.write_run((kept,), ended=datetime.now(UTC), exit_code=int(ExitCode.OK))
    report, _paths = store_reports(run, store, FORMATS)
    if result.reverted and not keep and not kept.host_keeps:
        tasks.forget(host, lease=lease.id)
    return _describe(run, report, fresh=True)


def _free_folder(place: Path, name: str) -> Path:
    """Return a folder that is not there yet: a window that is still open may be collected more than once."""
    number, folder = 1, place / name
    while exists(folder):
        number += 1
        folder = place / f"{name}-{number}"
    return folder


def _read_stored(place: Path, lease: str) -> StoredEvidence:
    if not exists(place / lease / "run.json"):
        reason = Reason(
            "no-lease", f"there is no lease {lease} with evidence", "See debug_info, which shows the leases."
        )
        raise Refused((reason,))
    stored = sorted(place.glob(f"{lease}*/run.json"), key=lambda path: path.stat().st_mtime)
    run = load_run(stored[-1].parent)
    return _describe(run, read_report(run), fresh=False)


def _describe(run: Run, report: Report, *, fresh: bool) -> StoredEvidence:
    if not run.hosts:
        raise PfremoteError(f"{run.path} holds no host", hint="Remove that folder, and collect again.")
    record = run.hosts[0]
    result = record.result
    return StoredEvidence(result.lease, run.path, report, record.missing, result.warnings, result.conflicts, fresh)


def _ignore(_kind: Kind, _host: str = "", _lease: str = "", /, **_details: object) -> None:
    """Tell nothing while collecting: the report holds what there is to tell."""
