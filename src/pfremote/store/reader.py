"""Find and read run folders; whatever is wrong with one is said, never a traceback."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pfremote.errors import PfremoteError, Reason, UsageError
from pfremote.model.result import HostResult
from pfremote.paths import exists, explain_unseen, is_file, is_folder
from pfremote.private_files import default_root
from pfremote.store.names import is_folder_name
from pfremote.store.run import (
    RUNS_HINT,
    SCHEMA,
    DamagedRunError,
    HostFolder,
    HostRecord,
    JsonObject,
    Run,
    decode_host,
    decode_run,
)
from pfremote.store.summary import RunSummary, relate, summarise

#: So many bytes of a log are read at a time.
_BLOCK = 1 << 18
_DAMAGED = Reason("damaged", "What was stored of this host cannot be read.")


def list_runs(root: Path | None = None) -> tuple[RunSummary, ...]:
    """Return every run below ``root`` (default :func:`default_root`), newest first, damaged ones too.

    Raises:
        PfremoteError: ``root`` is there and cannot be read.
    """
    base = root or default_root()
    try:
        folders = [entry for entry in base.iterdir() if is_folder(entry) and not entry.name.startswith(".")]
    except FileNotFoundError:
        return ()
    except OSError as exc:
        hint = f"Type: ls -ld {shlex.quote(str(base))}"
        raise PfremoteError(f"{str(base)!r} cannot be read: {exc.strerror or exc}.", hint=hint) from exc
    # The name begins with the start in UTC, so it orders damaged runs as well.
    return relate([_summarise(folder) for folder in sorted(folders, key=lambda folder: folder.name, reverse=True)])


def load_run(name: str | Path, root: Path | None = None) -> Run:
    """Read the run that ``name`` means: ``last``, a run's id or the beginning of one, or else a folder.

    An unfinished run gets the hosts whose folders are there already.

    Raises:
        UsageError: no such run, or more than one begins like that.
        DamagedRunError: it cannot be read.
    """
    path = _find(name, root or default_root())
    run = decode_run(_read_json(path / "run.json"), path)
    known = {host.folder for host in run.hosts}
    late = [] if run.ended else [host for host in _stored_hosts(path) if host.folder not in known]
    return dataclasses.replace(run, hosts=(*run.hosts, *late)) if late else run


def load_host(run: Run, host: HostRecord) -> HostFolder:
    """Read what ``host`` left in the run folder; a host that left nothing gives an empty value."""
    if not host.folder:
        return HostFolder({})
    if not is_folder_name(host.folder):  # a run.json made by someone else must not point out of its folder
        return HostFolder({}, problem=f"The folder name {host.folder!r} is not one that pfremote gives.")
    folder = run.path / host.folder
    try:
        sessions = _read_sessions(folder)
        problem = ""
    except DamagedRunError as exc:
        sessions, problem = {}, exc.message
    try:
        evidence = tuple(_read_text(folder / "evidence.log").split("\n"))
        diff = _read_text(folder / "main.cf.diff") if exists(folder / "main.cf.diff") else ""
    except DamagedRunError as exc:
        return HostFolder(sessions, problem=problem or exc.message)
    return HostFolder(sessions, evidence[:-1] if evidence[-1] == "" else evidence, diff, problem)


def read_host_log(run: Run, host: HostRecord) -> Iterator[bytes]:
    """Yield a host's redacted log in blocks, nothing where it left none.

    Raises:
        DamagedRunError: it cannot be read.
    """
    if not is_folder_name(host.folder):
        return
    path = run.path / host.folder / "evidence.log"
    with _complain_of(path), path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _find(name: str | Path, root: Path) -> Path:
    if isinstance(name, str) and name and "/" not in name:
        ids = [summary.id for summary in list_runs(root)]
        if name == "last" and ids:
            return root / ids[0]
        matches = [run for run in ids if run == name] or [run for run in ids if run.startswith(name)]
        if len(matches) == 1:
            return root / matches[0]
        if matches:
            raise UsageError(
                f"{name!r} is the beginning of {len(matches)} runs.", hint=f"Type more of it, as in {matches[0]}."
            )
    given = Path(name)
    if str(name) and is_folder(given):
        return given.resolve()
    if given.name == "run.json" and is_file(given):
        return given.resolve().parent
    if why := explain_unseen(given):
        raise UsageError(f"{str(name)!r} cannot be read: {why}.", hint=RUNS_HINT)
    raise UsageError(f"There is no run {str(name)!r}.", hint=RUNS_HINT)


def _summarise(folder: Path) -> RunSummary:
    try:
        run = load_run(folder)
    except (DamagedRunError, UsageError) as exc:
        return RunSummary(folder.name, folder, "damaged", why=exc.message)
    return summarise(run, folder.name)


def _stored_hosts(path: Path) -> list[HostRecord]:
    """Return the hosts of a run that was broken off before its ``run.json`` named them."""
    hosts = []
    for file in sorted(path.glob("*/sessions.json")):
        if file.parent.name.startswith("."):  # a host that was being written when the run was broken off
            continue
        try:
            hosts.append(decode_host(_read_sessions(file.parent)["result"]))
        except (DamagedRunError, KeyError, TypeError, ValueError):
            hosts.append(HostRecord(HostResult(file.parent.name, "unknown", error=_DAMAGED), file.parent.name))
    return hosts


def _read_sessions(folder: Path) -> JsonObject:
    data = _read_json(folder / "sessions.json")
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise DamagedRunError(f"{str(folder / 'sessions.json')!r} does not have schema {SCHEMA}.", hint=RUNS_HINT)
    return data


def _read_json(path: Path) -> object:
    try:
        return json.loads(_read_text(path))
    except (ValueError, RecursionError) as exc:
        raise DamagedRunError(f"{str(path)!r} is not whole JSON ({exc}).", hint=RUNS_HINT) from exc


def _read_text(path: Path) -> str:
    with _complain_of(path):
        return path.read_bytes().decode("utf-8", "surrogateescape")


@contextmanager
def _complain_of(path: Path) -> Iterator[None]:
    """Say which file of a run cannot be read."""
    try:
        yield
    except FileNotFoundError as exc:
        raise DamagedRunError(f"{str(path)!r} is missing.", hint=RUNS_HINT) from exc
    except OSError as exc:
        raise DamagedRunError(f"{str(path)!r} cannot be read: {exc.strerror}.", hint=RUNS_HINT) from exc
