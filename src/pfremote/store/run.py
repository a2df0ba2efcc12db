"""What a run folder says: ``run.json`` as a value, and back. Schema 1. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pfremote.codes import read_code
from pfremote.errors import PfremoteError, Reason
from pfremote.model.cause import Cause
from pfremote.model.clock import Clock
from pfremote.model.result import STATES, HostResult
from pfremote.store.begun import NOTHING_BEGUN, Begun, decode_begun, encode_begun
from pfremote.store.encode import decode_time, encode_time, to_json

SCHEMA = 1

JsonObject = dict[str, Any]
RunState = Literal["done", "unfinished", "damaged"]
RUNS_HINT = "List the runs that can be read with: pfremote runs"
#: So many findings stand in run.json; ``sessions.json`` of the host has all of them.
MOST_FINDINGS = 20
_FLAGS = ("armed", "reverted", "drained", "complete")


@dataclass(frozen=True, slots=True)
class HostRecord:
    """One host of a stored run. ``folder`` is its name in the run folder, empty where nothing came back.

    ``source`` names the host's log, ``missing`` why the evidence is not complete, ``lease`` is the lease as
    the host described it last (fields of :class:`~pfremote.model.facts.Lease`), empty where there was none.
    ``play`` is the play of a playbook that this is about; a host may be in several.
    """

    result: HostResult
    folder: str = ""
    source: str = ""
    missing: tuple[Reason, ...] = ()
    lease: JsonObject = field(default_factory=dict)
    play: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its folder tells it. ``ended`` and ``exit_code`` are None while it is unfinished."""

    id: str
    path: Path
    command: tuple[str, ...]
    started: datetime
    ended: datetime | None = None
    exit_code: int | None = None
    version: str = ""
    request: JsonObject = field(default_factory=dict)
    hosts: tuple[HostRecord, ...] = ()
    #: The hosts that were to be contacted, in the order of the inventory; known from the start.
    targets: tuple[str, ...] = ()
    begun: Begun = NOTHING_BEGUN

    @property
    def peers(self) -> tuple[str, ...]:
        """The peers that were asked for; ``collect`` asked for none, there the leases say which they were."""
        asked = self.request.get("peers")
        if isinstance(asked, list):
            return tuple(map(str, asked))
        return tuple(dict.fromkeys(str(peer) for host in self.hosts for peer in _list(host.lease.get("peers"))))

    @property
    def reason(self) -> str:
        """Why it was asked for; after ``collect`` the reasons of the leases, each once."""
        if "reason" in self.request:
            return str(self.request["reason"] or "")
        reasons = (str(host.lease.get("reason") or "") for host in self.hosts)
        return "; ".join(dict.fromkeys(filter(None, reasons)))

    @property
    def state(self) -> RunState:
        """``done`` once the run wrote its end; ``unfinished`` while it runs or when it was broken off."""
        return "unfinished" if self.ended is None else "done"


class DamagedRunError(PfremoteError):
    """A run folder that cannot be read as one; the message says which file and what is wrong."""


def encode_run(run: Run) -> JsonObject:
    """Return ``run`` as the object that ``run.json`` holds."""
    return {
        "schema": SCHEMA,
        "kind": "pfremote-run",
        "id": run.id,
        "pfremote": run.version,
        "command": list(run.command),
        "started": encode_time(run.started),
        "ended": encode_time(run.ended),
        "exit_code": run.exit_code,
        "request": run.request,
        "targets": list(run.targets),
        **encode_begun(run.begun),
        "hosts": [encode_host(host) for host in run.hosts],
    }


def encode_host(host: HostRecord) -> JsonObject:
    """Return one host as an object: the words of the ``recap`` event, then what only the run folder knows."""
    result = host.result
    return {
        **to_json(result.as_json()),
        "findings": to_json([cause.as_json() for cause in result.findings[:MOST_FINDINGS]]),
        "error": to_json(result.error),  # its own only: the refusals stand beside it
        "refusals": to_json(result.refusals),
        "warnings": to_json(result.warnings),
        "guard": result.guard,
        "why": result.why,
        "skipped": result.skipped,
        "play": host.play,
        "folder": host.folder,
        "source": host.source,
        "missing": to_json(host.missing),
        "lease_block": host.lease,
    }


def decode_run(data: object, path: Path) -> Run:
    """Read the object of ``run.json`` in ``path``.

    Raises:
        DamagedRunError: another schema, or a field that is missing or of the wrong type.
    """
    where = str(path / "run.json")
    if not isinstance(data, dict) or data.get("kind") != "pfremote-run":
        raise DamagedRunError(f"{where!r} is not the record of a pfremote run.", hint=RUNS_HINT)
    if data.get("schema") != SCHEMA:
        raise DamagedRunError(
            f"{where!r} has schema {data.get('schema')!r}, and this pfremote reads {SCHEMA}.",
            hint="Read it with the pfremote that wrote it, or with a newer one.",
        )
    try:
        started = decode_time(data["started"])
        if started is None:
            raise ValueError("no start")
        return Run(
            id=_text(data["id"]),
            path=path,
            command=tuple(_text(word) for word in data["command"]),
            started=started,
            ended=decode_time(data["ended"]),
            exit_code=None if data["exit_code"] is None else int(data["exit_code"]),
            version=_text(data["pfremote"]),
            request=_object(data["request"]),
            hosts=tuple(decode_host(host) for host in data["hosts"]),
            targets=tuple(_text(name) for name in data.get("targets") or ()),
            begun=decode_begun(data),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as exc:
        raise DamagedRunError(f"{where!r} is damaged ({type(exc).__name__}: {exc}).", hint=RUNS_HINT) from exc


def decode_host(data: Mapping[str, Any]) -> HostRecord:
    """Read one host of ``run.json`` (or the ``result`` of ``sessions.json``).

    Raises:
        KeyError, TypeError, ValueError: it is not one.
    """
    state = data["state"]
    if state not in STATES:
        raise ValueError(f"host state {state!r}")
    result = HostResult(
        host=_text(data["host"]),
        state=state,
        lease=_text(data["lease"] or ""),
        **{flag: data[flag] is True for flag in _FLAGS},
        sessions=int(data["sessions"]),
        lines=int(data["lines"]),
        out=_text(data["out"] or ""),
        guard=_text(data["guard"]),
        deadline=None if data["deadline"] is None else int(data["deadline"]),
        why=_text(data["why"]),
        skipped=_text(data.get("skipped") or ""),
        predating=int(data.get("predating") or 0),
        cut=int(data.get("cut") or 0),
        by_hand=data.get("by_hand") is True,
        clock=Clock(float(data.get("clock_ahead") or 0), float(data.get("clock_error") or 0)),
        error=None if data["error"] is None else _reason(data["error"]),
        refusals=tuple(_reason(item) for item in data["refusals"]),
        warnings=tuple(_reason(item) for item in data["warnings"]),
        conflicts=tuple(_text(item) for item in data["conflicts"]),
        findings=tuple(Cause.from_json(item) for item in data.get("findings") or ()),
        outcomes=tuple((_text(name), int(number)) for name, number in (data.get("outcomes") or {}).items()),
    )
    missing = tuple(_reason(item) for item in data["missing"])
    return HostRecord(
        result,
        _text(data["folder"]),
        _text(data["source"]),
        missing,
        _object(data["lease_block"]),
        _text(data.get("play") or ""),
    )


def _list(data: object) -> list[object]:
    return data if isinstance(data, list) else []


def _reason(data: Mapping[str, Any]) -> Reason:
    return Reason(read_code(_text(data["code"])), _text(data["message"]), _text(data.get("hint", "")))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return value


@dataclass(frozen=True, slots=True)
class HostFolder:
    """What one host left: ``sessions.json`` as read, its redacted log lines, the diff of main.cf.

    ``problem`` is one sentence where a file is missing or damaged; what could be read is there all the same.
    """

    sessions: JsonObject
    evidence: Sequence[str] = ()
    diff: str = ""
    problem: str = ""
