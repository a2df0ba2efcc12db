"""What came back from a host: understood, redacted, stored, and told. Only then may the host forget it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pfremote.agent.protocol import Reply
from pfremote.errors import PfremoteError, Reason
from pfremote.events import EventSink
from pfremote.facts import Facts, Lease
from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.sessions import Session
from pfremote.output import Output
from pfremote.postfix.matching import match_peer
from pfremote.results import HostResult
from pfremote.store import Run, RunStore
from pfremote.verdict import reasons_as_json

if TYPE_CHECKING:
    from pfremote.report import Format
    from pfremote.store.writer import ReportName

COPIES = {"before": "main.cf.before", "during": "main.cf.during", "after": "main.cf.after"}
REPORTS: dict[Format, ReportName] = {
    "html": "report.html",
    "md": "report.md",
    "txt": "report.txt",
    "json": "report.json",
}


class Keeper:
    """Keep one host's evidence after the other in a run folder; see :class:`pfremote.window.Keep`."""

    def __init__(
        self,
        store: RunStore | None,
        emit: EventSink,
        *,
        play: str = "",
        main_cf: bool = True,
        transcripts: bool = True,
    ) -> None:
        self._store = store
        self._emit = emit
        self._play = play
        self._main_cf = main_cf
        self._transcripts = transcripts

    def __call__(self, result: HostResult, reply: Reply, facts: Facts, lease: Lease) -> HostResult:
        """Store what ``collect`` brought and return the result with sessions, lines and folder.

        Raises:
            PfremoteError: it cannot be stored; nothing may be forgotten on the host.
        """
        if self._store is None:
            raise PfremoteError(
                "there is no run folder to keep the evidence in", hint="pfremote collect HOST"
            )
        capture = read_evidence(reply, facts, lease)
        missing = read_missing(reply)
        kept = dataclasses.replace(
            result,
            sessions=len(capture.sessions),
            lines=len(capture.records),
            complete=not missing,
        )
        stored = self._store.write_host(
            kept,
            capture=capture,
            main_cf={
                moment: reply.payloads[name]
                for moment, name in COPIES.items()
                if self._main_cf and name in reply.payloads
            },
            source=reply.one("source"),
            missing=missing,
            lease=lease,
            play=self._play,
            transcripts=self._transcripts,
        )
        self._tell(stored, capture, missing)
        return stored

    def _tell(self, result: HostResult, capture: Capture, missing: tuple[Reason, ...]) -> None:
        for number, session in enumerate(capture.sessions, 1):
            self._emit(
                "session", result.host, result.lease, number=number, kind=session.kind, peer=session.peer
            )
        if not capture.sessions:
            self._warn_empty(result)
        self._emit(
            "collected",
            result.host,
            result.lease,
            sessions=result.sessions,
            lines=result.lines,
            out=result.out,
            complete=result.complete,
            missing=reasons_as_json(missing),
        )

    def _warn_empty(self, result: HostResult) -> None:
        message = "no debugged session of these peers is in the log of the window"
        hint = (
            f"it did not connect, or is known there by another name: pfremote check {result.host} --peer PEER"
        )
        self._emit("warning", result.host, result.lease, code="no-session", message=message, hint=hint)


def read_missing(reply: Reply) -> tuple[Reason, ...]:
    """Return why the evidence is not complete, as the host says it."""
    return tuple(
        Reason(code, text) for code, _, text in (value.partition(" ") for value in reply.every("missing"))
    )


def read_evidence(reply: Reply, facts: Facts, lease: Lease) -> Capture:
    """Return the evidence of a reply to ``collect``, redacted, and only the sessions of the lease's peers.

    What decides is Postfix's own rule, applied to the patterns that were armed; None (a table or file on
    the host decides) keeps the session, since Postfix found it worth debugging.
    """

    def match(session: Session) -> bool | None:
        return match_peer(
            lease.peers, session.peer_name, session.peer_address, parent_domain=facts.parent_domain
        )

    now = datetime.fromtimestamp(reply.number("time", int(facts.time)), UTC)
    offset = read_utc_offset(reply.one("utc_offset", "+0000"))
    return read_capture(reply.payloads.get("evidence", b""), now=now, utc_offset=offset, match=match)


def read_utc_offset(text: str) -> timedelta:
    """Return the offset that ``date +%z`` prints; none where it is unreadable.

    >>> read_utc_offset("-0930")
    datetime.timedelta(days=-1, seconds=52200)
    """
    found = re.fullmatch(r"([+-])([0-9]{2})([0-9]{2})", text, re.ASCII)
    if found is None:
        return timedelta()
    minutes = int(found[2]) * 60 + int(found[3])
    return timedelta(minutes=-minutes if found[1] == "-" else minutes)


def write_reports(
    run: Run, store: RunStore, output: Output, formats: Sequence[Format] = ("html", "md")
) -> None:
    """Write the report beside the evidence, and show what there is to see at once."""
    from pfremote.report import read_report, render_report  # has a template engine to load: not before arming

    report = read_report(run)
    paths = [store.write_report(REPORTS[fmt], render_report(report, fmt)) for fmt in formats]
    for host in {host.name: host for host in report.hosts}.values():
        for finding in [finding for finding in report.findings if finding.host == host.name][:3]:
            output.console.show(f"{host.name}: [{finding.certainty}] {finding.title}")
    for record in run.hosts:
        folder = run.path / record.folder / "transcripts"
        if record.result.sessions and any(folder.iterdir()):
            output.console.show(f"{record.result.host}: transcripts in {folder}")
    for path in paths[:1]:
        output.console.say(f"report: {path}")
