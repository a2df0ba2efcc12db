"""The run folder of a playbook: what was asked of whom, and what each play came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pfremote.errors import ExitCode
from pfremote.model.request import DebugRequest
from pfremote.model.result import HostResult
from pfremote.options.recorded_command import typed_command
from pfremote.output.output import Output
from pfremote.playbook.schema import Format
from pfremote.pseudonyms.plain import Disguise
from pfremote.run.finish import keep_run
from pfremote.run.prepare import PreparedPlay, gather_peers
from pfremote.store import RunStore


def create_store(plays: Sequence[PreparedPlay], playbook: str, out: Path | None, disguise: Disguise) -> RunStore:
    """Make the run folder; ``out`` None makes it below the state folder.

    Raises:
        UsageError: ``out`` is no folder to write to.
    """
    reasons = (host.request.reason for play in plays for host in play.hosts)
    asked = {
        "playbook": playbook,
        "peers": [peer.text for peer in gather_peers(plays)],
        "reason": next((reason for reason in reasons if reason), ""),
        "plays": [{"name": play.title, "requests": _gather_requests(play)} for play in plays],
    }
    names = list(dict.fromkeys(host.target.name for play in plays for host in play.hosts))
    return RunStore.create(
        out,
        command=typed_command(),
        started=datetime.now(UTC),
        request=asked,
        targets=names,
        disguise=disguise,
    )


def _gather_requests(play: PreparedPlay) -> list[dict[str, object]]:
    """Return each different request once, with the hosts that it is for."""
    groups: dict[DebugRequest, list[str]] = {}
    for host in play.hosts:
        groups.setdefault(host.request, []).append(host.target.name)
    return [{"hosts": names, "request": request.as_json()} for request, names in groups.items()]


def finish_store(
    store: RunStore,
    plays: Sequence[PreparedPlay],
    results: Mapping[str, Mapping[str, HostResult]],
    code: ExitCode,
    output: Output,
) -> ExitCode:
    """Write the run's end, and the reports that the plays ask for; return the exit code."""
    members = {title: tuple(of_play.values()) for title, of_play in results.items()}
    formats: dict[Format, None] = {fmt: None for play in plays for fmt in play.play.report.format}
    return keep_run(store, members, code, output, tuple(formats))
