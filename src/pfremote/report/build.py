"""Build the report from what a run folder holds, so that it can be made at any later time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pfremote.maillog.messages.join import join_messages
from pfremote.maillog.messages.message import Hop, Message
from pfremote.report.dialogue import SessionViews, pick_lines
from pfremote.report.exposure import ExposureView
from pfremote.report.model import (
    Certainty,
    FindingView,
    HostView,
    Report,
)
from pfremote.report.stories import tell_story
from pfremote.store.capture import EncodedSessions
from pfremote.store.encode import decode_time
from pfremote.store.hops import decode_hops
from pfremote.store.run import HostFolder, HostRecord, Run

_CERTAINTIES: tuple[Certainty, ...] = ("proven", "likely", "unknown")
_LATEST = datetime.max.replace(tzinfo=UTC)
_DAMAGED = "What was stored of this host is damaged; the report shows what could be read."


@dataclass(frozen=True, slots=True)
class _Host:
    view: HostView
    findings: tuple[FindingView, ...] = ()
    exposures: tuple[ExposureView, ...] = ()
    hops: tuple[Hop, ...] = ()


def build_report(run: Run, folders: Sequence[HostFolder]) -> Report:
    """Return the report of ``run``; ``folders`` holds what was read of its hosts, in their order.

    A host whose ``sessions.json`` is not as it should be is shown with a ``problem`` and without its
    sessions.
    """
    hosts = [_build_host(*item) for item in zip(run.hosts, folders, range(1, len(folders) + 1), strict=True)]
    findings = [finding for host in hosts for finding in host.findings]
    exposures = [exposure for host in hosts for exposure in host.exposures]
    clocks = {host.view.name: host.view.clock for host in hosts}
    messages = join_messages(hop for host in hosts for hop in host.hops)
    return Report(
        run=run.id,
        command=run.command,
        version=run.version,
        started=run.started,
        ended=run.ended,
        exit_code=run.exit_code,
        peers=run.peers,
        reason=run.reason,
        hosts=tuple(host.view for host in hosts),
        targets=len(run.targets),
        findings=tuple(sorted(findings, key=lambda finding: _CERTAINTIES.index(finding.certainty))),
        exposures=tuple(sorted(exposures, key=_order_exposure)),
        stories=tuple(tell_story(message, clocks) for message in messages),
    )


def _build_host(record: HostRecord, folder: HostFolder, number: int) -> _Host:
    result = record.result
    view = HostView(
        anchor=f"h{number}",
        name=result.host,
        state=result.state,
        armed=result.armed,
        reverted=result.reverted,
        drained=result.drained,
        complete=result.complete,
        lines=result.lines,
        folder=record.folder,
        source=record.source,
        guard=result.guard,
        why=result.why,
        error=result.error,
        refusals=result.refusals,
        warnings=result.warnings,
        conflicts=result.conflicts,
        missing=record.missing,
        diff=tuple(folder.diff.split("\n")[:-1]),
        clock=result.clock.correction,
        problem=folder.problem,
    )
    if "sessions" not in folder.sessions:  # nothing was brought back, or nothing was understood
        return _Host(view)
    try:
        return _add_sessions(view, folder)
    except (KeyError, TypeError, ValueError, AttributeError):
        return _Host(replace(view, problem=_DAMAGED))


def _add_sessions(view: HostView, folder: HostFolder) -> _Host:
    data = folder.sessions
    items = data["sessions"]
    numbers, number_of = _number(items, {str(item["session"]) for item in data["findings"]})
    anchors = {name: view.anchor_session(number) for name, number in number_of.items()}
    findings = tuple(_finding(item, view, anchors, folder.evidence) for item in data["findings"])
    views = SessionViews(items, numbers, view, folder.evidence, findings)
    # What is damaged is to be met here; sessions that are made when they are asked for are not from a file.
    sessions = views if isinstance(items, EncodedSessions) else tuple(views)
    view = replace(
        view,
        sessions=sessions,
        followed=pick_lines(data["followed"]["lines"], folder.evidence),
        unplaced=pick_lines(data["unplaced"]["lines"], folder.evidence),
        withheld=Counter(str(item["reason"]) for item in data["withheld"]),
        others=(int(data["counts"]["other_sessions"]), int(data["counts"]["other_lines"])),
        undecided=int(data["counts"]["undecided"]),
    )
    exposures = tuple(_exposure(item, view) for item in data["exposures"])
    return _Host(view, findings, exposures, decode_hops(data.get("hops", ()), view.name))


def _number(items: Sequence[Mapping[str, Any]], wanted: Container[str]) -> tuple[Sequence[int], dict[str, int]]:
    """Return the number of each session, and those of the ``wanted`` ones by their ids."""
    if isinstance(items, EncodedSessions):
        return items.numbers, {str(number): number for number in items.numbers if str(number) in wanted}
    numbers = [int(item.get("number", place)) for place, item in enumerate(items, 1)]
    ids = (str(item["id"]) for item in items)
    return numbers, {name: number for name, number in zip(ids, numbers, strict=True) if name in wanted}


def read_messages(run: Run, folders: Iterable[HostFolder]) -> tuple[Message, ...]:
    """Return the ways of the messages of a stored run; a host whose messages are damaged is left out."""
    hops: list[Hop] = []
    for record, folder in zip(run.hosts, folders, strict=True):
        try:
            hops += decode_hops(folder.sessions.get("hops", ()), record.result.host)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return join_messages(hops)


def _finding(
    data: Mapping[str, Any], host: HostView, anchors: Mapping[str, str], evidence: Sequence[str]
) -> FindingView:
    return FindingView(
        code=str(data["code"]),
        title=str(data["title"]),
        certainty=next((word for word in _CERTAINTIES if word == data["certainty"]), "unknown"),
        host=host.name,
        session=anchors.get(str(data["session"]), ""),
        proof=next(iter(pick_lines([data["line"]] if data["line"] else [], evidence)), None),
        count=int(data["count"]),
        meaning=str(data["meaning"]),
        next_step=str(data["next_step"]),
    )


def _exposure(data: Mapping[str, Any], host: HostView) -> ExposureView:
    return ExposureView(
        host=host.name,
        account=str(data["account"] or ""),
        time=decode_time(data["time"]),
        mechanism=str(data["mechanism"] or ""),
        kind=str(data["kind"] or ""),
        shape=str(data["where"] or ""),
        where=host.source,
        refused=data.get("refused") is True,
    )


def _order_exposure(item: ExposureView) -> tuple[bool, str, str, datetime]:
    # What has a name comes first: it can be changed at once.
    return not item.is_named, item.account, item.host, item.time or _LATEST
