"""The run folder: written while a run goes on, read again by ``pfremote runs`` and ``pfremote report``."""

from __future__ import annotations

from pfremote.private_files import default_root
from pfremote.store.begun import Begun
from pfremote.store.reader import list_runs, load_host, load_run, read_host_log
from pfremote.store.run import DamagedRunError, HostFolder, HostRecord, Run
from pfremote.store.summary import RunSummary
from pfremote.store.writer import RunStore

__all__ = [
    "Begun",
    "DamagedRunError",
    "HostFolder",
    "HostRecord",
    "Run",
    "RunStore",
    "RunSummary",
    "default_root",
    "list_runs",
    "load_host",
    "load_run",
    "read_host_log",
]
