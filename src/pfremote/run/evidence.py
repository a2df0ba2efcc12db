"""What a host's reply to ``collect`` becomes: read, judged, stored, told. Only then may the host forget its copy."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pfremote.agent.protocol import Reply
from pfremote.codes import read_code
from pfremote.errors import PfremoteError, Reason
from pfremote.model.event import NO_MATCH_YET, EventSink
from pfremote.model.facts import Facts, Lease
from pfremote.model.result import HostResult, name_host, reason_as_json, reasons_as_json
from pfremote.model.secret import KNOWN_SECRETS
from pfremote.model.typed import TYPED
from pfremote.postfix.ownership import is_explained, judge_session, list_claims
from pfremote.postfix.unmatched import explain_unmatched, find_unmatched
from pfremote.pseudonyms.plain import PLAIN, Disguise
from pfremote.store import RunStore
from pfremote.text.times import read_utc_offset
from pfremote.window.no_match import explain_no_match

if TYPE_CHECKING:  # what reads logs is loaded when there is a log: not before arming
    from pfremote.maillog.capture import Capture
    from pfremote.maillog.live import Reader
    from pfremote.maillog.sessions.build import Session
    from pfremote.maillog.sessions.select import Match

#: Python reads one log at a time however many threads do it; two of them would only need twice the memory.
_READING = threading.Lock()

COPIES = {"before": "main.cf.before", "during": "main.cf.during", "after": "main.cf.after"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one host sent: its log, redacted and understood, and its copies of main.cf.

    ``missing`` says why the log is not complete, ``unmatched`` which peers had no session in it, ``source`` where the
    host keeps its log. ``main_cf`` has the keys of :data:`COPIES` where known.
    """

    capture: Capture
    missing: tuple[Reason, ...]
    unmatched: tuple[Reason, ...]
    source: str
    main_cf: Mapping[str, bytes]


class EvidenceStore:
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
        """Store what ``collect`` sent and return the result with sessions, lines and folder.

        Raises:
            PfremoteError: it cannot be stored; nothing may be forgotten on the host.
        """
        if self._store is None:
            raise PfremoteError(
                "there is no run folder to keep the evidence in",
                hint=f"Fetch it with: {TYPED.command('collect', result.host, '--lease', lease.id)}",
            )
        with _READING:
            evidence = disguise_evidence(read_evidence(reply, facts, lease), self._store.disguise)
            judged = judge_evidence(result, evidence)
            stored = self._write(self._store, judged, evidence, lease)
            tell_evidence(stored, evidence, self._emit)
            return stored

    def _write(self, store: RunStore, result: HostResult, evidence: Evidence, lease: Lease) -> HostResult:
        return store.write_host(
            result,
            capture=evidence.capture,
            main_cf=evidence.main_cf if self._main_cf else {},
            source=evidence.source,
            missing=tuple(name_host(reason, result.host) for reason in evidence.missing),
            lease=lease,
            play=self._play,
            transcripts=self._transcripts,
        )


def read_evidence(reply: Reply, facts: Facts, lease: Lease) -> Evidence:
    """Read a reply to ``collect``; what could not be proven free of secrets is left out."""
    # Reads logs: nothing of it is needed, or loaded, before a host is armed.
    from pfremote.maillog.completeness import explain_difference, explain_gaps

    capture = read_collected_log(reply, facts, lease)
    lost = read_missing(reply)
    # Where the host itself lost lines, that fewer sessions came than it saw begin says nothing new.
    begun = 0 if lost else lease.sessions
    return Evidence(
        capture,
        missing=(
            *lost,
            *explain_gaps(capture.sessions, capture.counts.cut_lines, capture.unreadable),
            *explain_difference(begun, capture.sessions, capture.counts.other_verbose),
        ),
        unmatched=explain_absence(capture, facts, lease, reply.every("list")),
        source=reply.one("source"),
        main_cf={moment: reply.payloads[name] for moment, name in COPIES.items() if name in reply.payloads},
    )


def disguise_evidence(evidence: Evidence, disguise: Disguise) -> Evidence:
    """Return the evidence with tokens in place of names, where that is wanted."""
    return dataclasses.replace(evidence, capture=disguise.capture(evidence.capture))


def judge_evidence(result: HostResult, evidence: Evidence) -> HostResult:
    """Return ``result`` with what the evidence comes to."""
    # Reads logs: nothing of it is needed, or loaded, before a host is armed.
    from pfremote.maillog.causes import list_causes, number_lines
    from pfremote.maillog.completeness import count_cut, may_forget
    from pfremote.maillog.transcripts.summary import judge_outcome

    outcomes = Counter(judge_outcome(item) for item in evidence.capture.transcripts)
    return dataclasses.replace(
        result,
        sessions=len(evidence.capture.sessions),
        lines=len(evidence.capture.records),
        complete=not evidence.missing,
        host_keeps=not may_forget(evidence.missing),
        cut=count_cut(evidence.capture.sessions),
        outcomes=tuple(outcomes.most_common()),
        findings=list_causes(evidence.capture, number_lines(evidence.capture)),
        # What was said while the window was open is not true any more: the evidence says what is.
        warnings=(
            *(item for item in result.warnings if item.code != NO_MATCH_YET),
            *(name_host(reason, result.host) for reason in evidence.unmatched),
        ),
    )


def tell_evidence(result: HostResult, evidence: Evidence, emit: EventSink) -> None:
    """Tell what came, after it is stored: which peers had no session, each session, each finding, the whole of it."""
    # Reads logs: nothing of it is needed, or loaded, before a host is armed.
    from pfremote.run.capture_events import list_capture_events, list_exposures

    host, lease = result.host, result.lease
    for reason in evidence.unmatched:
        emit("warning", host, lease, **reason_as_json(name_host(reason, host)))
    for kind, details in list_capture_events(evidence.capture, result.findings):
        emit(kind, host, lease, **details)
    emit(
        "collected",
        host,
        lease,
        sessions=result.sessions,
        lines=result.lines,
        out=result.out,
        complete=result.complete,
        cut=result.cut,
        source=evidence.source,
        missing=reasons_as_json(name_host(reason, host) for reason in evidence.missing),
        exposures=list_exposures(evidence.capture),
    )


def explain_absence(capture: Capture, facts: Facts, lease: Lease, lists: Iterable[str] = ()) -> tuple[Reason, ...]:
    """Return which of the lease's peers had no session in the window, and what to try instead."""
    if lease.log == "elsewhere":
        return ()
    if not capture.sessions:
        message = "no debugged session of these peers is in the log of the window"
        why = explain_no_match(lease, lease.peers)
        if why is not None:
            return (Reason("no-session", f"{message}: {why.message}", why.hint),)
        return (Reason("no-session", message, "It did not connect, or is known there by another name."),)
    claims = list_claims(facts, lease, lists)
    if not all(is_explained(claims, item.peer_name, item.peer_address, item.nexthop) for item in capture.sessions):
        return ()  # the host matched a session by what is not in its lines, so it may be any of the patterns
    seen = [(session.peer_name, session.peer_address) for session in capture.sessions]
    seen += [(session.nexthop, "noaddr") for session in capture.sessions if session.nexthop]
    # Mail to a domain may leave by another name (transport_maps, relayhost), and has been seen all the same.
    sent = [item for item in capture.transcripts if item.session.kind in ("smtp", "lmtp")]
    seen += [(done.recipient.rpartition("@")[2], "noaddr") for item in sent for done in item.deliveries]
    unmatched = find_unmatched(lease.peers, seen, resolved=facts.resolved, parent_domain=facts.parent_domain)
    return tuple(explain_unmatched(peer) for peer in unmatched)


def read_missing(reply: Reply) -> tuple[Reason, ...]:
    """Return why the evidence is not complete, as the host says it."""
    return tuple(Reason(read_code(code), text) for code, text in reply.named("missing"))


def read_collected_log(reply: Reply, facts: Facts, lease: Lease) -> Capture:
    """Return the log of a reply to ``collect``, redacted, and only the sessions of the lease's peers.

    Postfix found all of them worth debugging; what is decided here is for whom (see postfix/ownership.py).
    """
    # What reads logs is loaded when there is a log: not before arming.
    from pfremote.maillog.capture import read_capture

    match = match_sessions(facts, lease, reply.every("list"))
    now, offset = _read_clock(reply, facts)
    blocks = reply.payloads.blocks("evidence")
    return read_capture(blocks, now=now, utc_offset=offset, match=match, known=KNOWN_SECRETS)


def match_sessions(facts: Facts, lease: Lease, lists: Iterable[str] = ()) -> Match:
    """Return the rule that says whose sessions a lease is about; ``lists`` as in :func:`list_claims`."""
    claims = list_claims(facts, lease, lists)

    def match(session: Session) -> bool | None:
        return judge_session(claims, session.peer_name, session.peer_address, session.nexthop)

    return match


def follow_sessions(reply: Reply, facts: Facts, lease: Lease, *, disguise: Disguise = PLAIN) -> Reader:
    """Return the reader for the log of a host that is followed, from its first reply to ``tail``."""
    # What reads logs is loaded when there is a log: not before arming.
    from pfremote.maillog.live import LiveReader

    now, offset = _read_clock(reply, facts)
    reader = LiveReader(now=now, utc_offset=offset, match=match_sessions(facts, lease), known=KNOWN_SECRETS)
    if disguise is PLAIN:
        return reader
    from pfremote.pseudonyms.disguise import DisguisedReader

    return DisguisedReader(reader, disguise)


def _read_clock(reply: Reply, facts: Facts) -> tuple[datetime, timedelta]:
    """Return what the host's clock showed when it answered, and the offset from UTC of the times in its log."""
    now = datetime.fromtimestamp(reply.moment("time", int(facts.time)), UTC)
    return now, read_utc_offset(reply.one("utc_offset", "+0000"))
