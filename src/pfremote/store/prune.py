"""Which stored runs may be deleted, and deleting them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pfremote.paths import is_file
from pfremote.private_files import storage_error
from pfremote.store.reader import list_runs, load_run
from pfremote.store.run import DamagedRunError, Run
from pfremote.store.summary import UNCOLLECTED

#: States in which a host may still have a lease of the run.
_LIVE = ("armed", "unknown")


@dataclass(frozen=True, slots=True)
class Pruning:
    """The runs to delete, and the old ones that are kept because a host may still have something of theirs."""

    old: tuple[Path, ...]
    live: tuple[Path, ...]


def choose_old(root: Path, now: datetime, older_than: timedelta, keep: int) -> Pruning:
    """Return the runs below ``root`` that are older than that, but for the newest ``keep``.

    Raises:
        PfremoteError: ``root`` cannot be read.
    """
    places = [root / summary.id for summary in list_runs(root)]
    runs = [path for path in places if is_run(path)]
    old = [path for path in runs[keep:] if now - _date(path) > older_than]
    live = [path for path in old if _may_be_live(path, now)]
    return Pruning(tuple(path for path in old if path not in live), tuple(live))


def is_run(path: Path) -> bool:
    """Tell whether this is a run's own folder: anything else is not ours to delete."""
    return is_file(path / "run.json") and not path.is_symlink()


def _date(path: Path) -> datetime:
    """Return when a run began, or where that cannot be read when its record was written."""
    try:
        return load_run(path).started
    except DamagedRunError:
        return datetime.fromtimestamp((path / "run.json").stat().st_mtime, UTC)


def _may_be_live(path: Path, now: datetime) -> bool:
    """Tell whether a host may have a lease of this run, or evidence that was not collected."""
    try:
        run = load_run(path)
    except DamagedRunError:
        return now - _date(path) < UNCOLLECTED
    return now - run.started < UNCOLLECTED and (run.ended is None or _has_live_host(run))


def _has_live_host(run: Run) -> bool:
    return any(host.result.state in _LIVE and not host.result.reverted for host in run.hosts)


def remove_run(path: Path) -> None:
    """Delete a run's folder.

    Raises:
        PfremoteError: it cannot be deleted.
    """
    try:
        shutil.rmtree(path)
    except OSError as exc:
        raise storage_error(path, exc) from exc
