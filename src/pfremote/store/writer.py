"""Write a run folder while the run goes on: private, each host whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import secrets
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pfremote import __version__
from pfremote.errors import PfremoteError, Reason, UsageError
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult
from pfremote.private_files import (
    claim_folder,
    default_root,
    make_private_folder,
    replace_folder,
    write_new,
    write_private,
)
from pfremote.pseudonyms.plain import PLAIN, Disguise
from pfremote.store.begun import NOTHING_BEGUN, Begun
from pfremote.store.encode import to_json
from pfremote.store.host_files import compact, understand, write_transcripts
from pfremote.store.main_cf import MOMENTS, diff_main_cf
from pfremote.store.names import choose_folder
from pfremote.store.run import SCHEMA, HostRecord, JsonObject, Run, decode_run, encode_host, encode_run
from pfremote.text.times import name_moment

if TYPE_CHECKING:  # what reads logs is loaded when there is a log: every command loads this module
    from pfremote.maillog.capture import Capture
    from pfremote.maillog.messages.message import Hop

ReportName = Literal["report.html", "report.md", "report.txt", "report.json"]


class RunStore:
    """The folder of one run that is being written. Hosts may be written from several threads at once."""

    def __init__(self, run: Run, disguise: Disguise = PLAIN) -> None:
        self._run = run
        self.disguise = disguise
        self._folders: dict[tuple[str, str], str] = {}
        self._records: dict[tuple[str, str], HostRecord] = {}
        self._lock = threading.Lock()

    @classmethod
    def create(
        cls,
        out: Path | None,
        *,
        command: Sequence[str],
        started: datetime,
        request: object = None,
        targets: Sequence[str] = (),
        begun: Begun = NOTHING_BEGUN,
        root: Path | None = None,
        disguise: Disguise = PLAIN,
    ) -> RunStore:
        """Make the run folder and its first, unfinished ``run.json``.

        ``out`` None takes a new folder below ``root`` (default :func:`default_root`). ``command`` is what
        was typed, already without secrets; ``request`` a data class or mapping of what was asked for;
        ``targets`` are the hosts that are to be contacted, ``begun`` is what the run may leave on them from now on;
        ``disguise`` is what becomes of names before anything is written.

        Raises:
            UsageError: ``out`` is not a folder, is not empty, or belongs to someone else; or it cannot be
                made or written. No host was contacted yet.
        """
        identity = f"{name_moment(started)}-{secrets.token_hex(3)}"
        asked = to_json(request) if request is not None else {}
        words = tuple(to_json(word) for word in command)
        path = (root or default_root()) / identity
        try:
            path = claim_folder(out) if out is not None else path
            make_private_folder(path)
            named = tuple(disguise.host(name) for name in targets)
            run = Run(identity, path.resolve(), words, started, None, None, __version__, asked, (), named)
            store = cls(run, disguise)
            store.note_begun(begun)
        except PfremoteError as exc:
            with suppress(OSError):  # an empty folder would be listed as a run that is damaged
                path.rmdir()
            raise UsageError(exc.message, hint=exc.hint) from exc
        return store

    def note_begun(self, begun: Begun) -> None:
        """Write down what the run may leave on hosts from now on, for the day that it is killed.

        Raises:
            PfremoteError: it cannot be written; the ``run.json`` from before is still there.
        """
        # Commands hold the names of hosts.
        go_on = begun.go_on if self.disguise is PLAIN else ()
        leases = tuple((self.disguise.host(host), lease) for host, lease in begun.leases)
        self._run = dataclasses.replace(self._run, begun=dataclasses.replace(begun, leases=leases, go_on=go_on))
        self.save()

    def drop(self) -> None:
        """Remove a run that has nothing to keep: no host was written."""
        if not self._records:
            (self.path / "run.json").unlink(missing_ok=True)
            self.path.rmdir()

    @property
    def id(self) -> str:
        """The run's name: its start in UTC and six hex digits."""
        return self._run.id

    @property
    def path(self) -> Path:
        """The run folder, absolute."""
        return self._run.path

    def write_host(
        self,
        result: HostResult,
        *,
        capture: Capture,
        hops: Sequence[Hop] | None = None,
        main_cf: Mapping[str, bytes] | None = None,
        source: str = "",
        missing: Sequence[Reason] = (),
        lease: Lease | None = None,
        play: str = "",
        transcripts: bool = True,
    ) -> HostResult:
        """Write one host's folder and return ``result`` with the folder as its ``out``.

        ``main_cf`` has the keys ``before``, ``during``, ``after`` where known; the copies are redacted
        here. ``capture`` has been through :attr:`disguise` already, and so have ``hops``, its messages; without them
        they are collected from its lines. ``source`` names the host's log, ``missing`` says why the evidence is not
        complete. Written again, the new folder takes the old one's place; each ``play`` of a playbook has folders of
        its own.

        Raises:
            PfremoteError: it cannot be written; an older folder is still there, nothing half-written is.
        """
        folder = self._folder_of(play, result.host)
        result = dataclasses.replace(result, out=str(self.path / folder))
        record = HostRecord(result, folder, source, tuple(missing), to_json(lease) if lease else {}, play)
        staging = self.path / f".{folder}.{secrets.token_hex(4)}.part"
        try:
            make_private_folder(staging / "transcripts")
            write_new(staging / "evidence.log", capture.evidence_lines())
            if transcripts:
                write_transcripts(staging / "transcripts", capture)
            understood = understand(capture, hops)
            write_new(
                staging / "sessions.json",
                compact({"schema": SCHEMA, "result": self._hide(to_json(encode_host(record))), **understood}),
            )
            self._write_main_cf(staging, main_cf or {})
            replace_folder(staging, self.path / folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        with self._lock:
            self._records[play, result.host] = record
        return result

    def write_run(
        self,
        results: Iterable[HostResult] | Mapping[str, Iterable[HostResult]],
        *,
        ended: datetime | None,
        exit_code: int | None,
    ) -> Run:
        """Write ``run.json`` with every host, and return the run; ``ended`` None leaves it unfinished.

        A mapping has the results of each play of a playbook, by the name that :meth:`write_host` knows.

        Raises:
            PfremoteError: it cannot be written; the ``run.json`` from before is still there.
        """
        run = self.note_end(results, ended=ended, exit_code=exit_code)
        self.save()
        return run

    def note_end(
        self,
        results: Iterable[HostResult] | Mapping[str, Iterable[HostResult]],
        *,
        ended: datetime | None,
        exit_code: int | None,
    ) -> Run:
        """Return the run as :meth:`write_run` writes it, and write nothing yet."""
        with self._lock:
            known = dict(self._records)
        plays = results if isinstance(results, Mapping) else {"": results}
        records = tuple(
            dataclasses.replace(known.get((play, result.host), HostRecord(result, play=play)), result=result)
            for play, members in plays.items()
            for result in members
        )
        self._run = dataclasses.replace(self._run, hosts=records, ended=ended, exit_code=exit_code)
        shown = self._hide(to_json(encode_run(self._run)))
        return self._run if self.disguise is PLAIN else decode_run(shown, self.path)

    def save(self, exit_code: int | None = None) -> None:
        """Write ``run.json``, with another exit code where one is given.

        Raises:
            PfremoteError: it cannot be written; the ``run.json`` from before is still there.
        """
        if exit_code is not None:
            self._run = dataclasses.replace(self._run, exit_code=exit_code)
        self._write_json("run.json", self._hide(to_json(encode_run(self._run))))

    def write_report(self, name: ReportName, parts: Iterable[str]) -> Path:
        """Write one rendering of the report into the run folder and return its path.

        Raises:
            PfremoteError: it cannot be written.
        """
        write_private(self.path / name, (part.encode("utf-8", "backslashreplace") for part in parts))
        return self.path / name

    def _folder_of(self, play: str, host: str) -> str:
        with self._lock:
            if (play, host) not in self._folders:
                shown = self.disguise.host(host)
                self._folders[play, host] = choose_folder(shown, self._folders.values())
            return self._folders[play, host]

    def _hide(self, content: JsonObject) -> JsonObject:
        """Return a run or a host as it may be stored."""
        if self.disguise is PLAIN:
            return content
        shown: JsonObject = self.disguise.value(content)
        for host in (shown, *shown.get("hosts", ())):
            if "folder" in host:
                host["out"] = host["folder"] or None  # the whole path has the operator's name in it
        return {**shown, "pseudonymised": True} if "hosts" in shown else shown

    def _write_main_cf(self, folder: Path, originals: Mapping[str, bytes]) -> None:
        # What reads logs is loaded when there is a log: not before arming.
        from pfremote.maillog.redact.main_cf import redact_main_cf
        from pfremote.pseudonyms.disguise import disguise_main_cf

        copies = {
            moment: disguise_main_cf(redact_main_cf(originals[moment]), self.disguise)
            for moment in MOMENTS
            if moment in originals
        }
        for moment, copy in copies.items():
            write_new(folder / f"main.cf.{moment}", copy)
        difference = diff_main_cf(originals, copies)
        if difference:
            write_new(folder / "main.cf.diff", difference)

    def _write_json(self, name: str, content: JsonObject) -> None:
        write_private(self.path / name, (json.dumps(to_json(content), ensure_ascii=False, indent=1) + "\n").encode())
