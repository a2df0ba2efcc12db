"""What came back from a host: understood, redacted, stored, and told. Only then may the host forget it."""

from __future__ import annotations

import dataclasses
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pfremote.agent.protocol import Reply
from pfremote.errors import PfremoteError, Reason
from pfremote.events import EventSink, format_time
from pfremote.facts import Facts, Lease
from pfremote.maillog.plain import PLAIN, Disguise
from pfremote.postfix.matching import match_peer
from pfremote.postfix.unmatched import explain_unmatched, find_unmatched
from pfremote.results import HostResult, reason_as_json
from pfremote.store import RunStore
from pfremote.verdict import reasons_as_json
from pfremote.window.silence import explain_silence

if TYPE_CHECKING:  # what reads logs is loaded when there is a log: not before arming
    from pfremote.maillog.capture import Capture
    from pfremote.maillog.live import Reader
    from pfremote.maillog.select import Match
    from pfremote.maillog.sessions import Session

#: Python reads one log at a time however many threads do it; two of them would only need twice the memory.
_READING = threading.Lock()

COPIES = {"before": "main.cf.before", "during": "main.cf.during", "after": "main.cf.after"}


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
            raise PfremoteError("there is no run folder to keep the evidence in", hint="pfremote collect HOST")
        with _READING:
            return self._keep(self._store, result, reply, facts, lease)

    def _keep(self, store: RunStore, result: HostResult, reply: Reply, facts: Facts, lease: Lease) -> HostResult:
        from pfremote.maillog.completeness import count_cut, explain_gaps

        capture = read_evidence(reply, facts, lease)
        missing = (*read_missing(reply), *explain_gaps(capture.sessions, capture.counts.cut_lines))
        unmatched = explain_absence(capture, facts, lease)
        capture = store.disguise.capture(capture)
        kept = dataclasses.replace(
            result,
            sessions=len(capture.sessions),
            lines=len(capture.records),
            complete=not missing,
            cut=count_cut(capture.sessions),
            warnings=(*result.warnings, *unmatched),
        )
        stored = store.write_host(
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
        for reason in unmatched:
            self._emit("warning", stored.host, stored.lease, **reason_as_json(reason))
        self._tell(stored, capture, missing, reply.one("source"))
        return stored

    def _tell(self, result: HostResult, capture: Capture, missing: tuple[Reason, ...], source: str) -> None:
        for number, session in enumerate(capture.sessions, 1):
            self._emit("session", result.host, result.lease, number=number, kind=session.kind, peer=session.peer)
        self._emit(
            "collected",
            result.host,
            result.lease,
            sessions=result.sessions,
            lines=result.lines,
            out=result.out,
            complete=result.complete,
            cut=result.cut,
            source=source,
            missing=reasons_as_json(missing),
            exposures=[
                {
                    "account": item.account,
                    "kind": item.kind,
                    "mechanism": item.mechanism,
                    "logged": format_time(item.time) if item.time else None,
                }
                for item in capture.exposures
            ],
        )


def explain_absence(capture: Capture, facts: Facts, lease: Lease) -> tuple[Reason, ...]:
    """Return which of the lease's peers had no session in the window, and what to try instead."""
    if not capture.sessions:
        message = "no debugged session of these peers is in the log of the window"
        why = explain_silence(lease, lease.peers)
        if why is not None:
            return (Reason("no-session", f"{message}: {why.message}", why.hint),)
        return (Reason("no-session", message, "it did not connect, or is known there by another name"),)
    seen = [(session.peer_name, session.peer_address) for session in capture.sessions]
    unmatched = find_unmatched(lease.peers, seen, resolved=facts.resolved, parent_domain=facts.parent_domain)
    return tuple(explain_unmatched(peer) for peer in unmatched)


def read_missing(reply: Reply) -> tuple[Reason, ...]:
    """Return why the evidence is not complete, as the host says it."""
    return tuple(Reason(code, text) for code, _, text in (value.partition(" ") for value in reply.every("missing")))


def read_evidence(reply: Reply, facts: Facts, lease: Lease) -> Capture:
    """Return the evidence of a reply to ``collect``, redacted, and only the sessions of the lease's peers.

    What decides is Postfix's own rule, applied to the patterns that were armed; None (a table or file on
    the host decides) keeps the session, since Postfix found it worth debugging.
    """
    from pfremote.maillog.capture import read_capture

    match = match_sessions(facts, lease)
    now = datetime.fromtimestamp(reply.number("time", int(facts.time)), UTC)
    offset = read_utc_offset(reply.one("utc_offset", "+0000"))
    return read_capture(reply.payloads.blocks("evidence"), now=now, utc_offset=offset, match=match)


def match_sessions(facts: Facts, lease: Lease) -> Match:
    """Return the rule that says whose sessions a lease is about."""

    def match(session: Session) -> bool | None:
        return match_peer(lease.peers, session.peer_name, session.peer_address, parent_domain=facts.parent_domain)

    return match


def follow_sessions(reply: Reply, facts: Facts, lease: Lease, *, disguise: Disguise = PLAIN) -> Reader:
    """Return the reader for the log of a host that is followed, from its first reply to ``tail``."""
    from pfremote.maillog.live import LiveReader

    now = datetime.fromtimestamp(reply.number("time", int(facts.time)), UTC)
    offset = read_utc_offset(reply.one("utc_offset", "+0000"))
    reader = LiveReader(now=now, utc_offset=offset, match=match_sessions(facts, lease))
    if disguise is PLAIN:
        return reader
    from pfremote.store.disguise import DisguisedReader

    return DisguisedReader(reader, disguise)


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
