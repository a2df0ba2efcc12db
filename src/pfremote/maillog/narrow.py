"""A capture → the part of it that was asked for: by peer, address, message, user, time or outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pfremote.maillog.capture import Capture
from pfremote.maillog.messages.message import Hop
from pfremote.maillog.parties import RECIPIENT, SENDER
from pfremote.maillog.record_table import list_numbers
from pfremote.maillog.redact import Exposure
from pfremote.maillog.sessions.build import Session
from pfremote.maillog.transcripts.summary import judge_outcome
from pfremote.maillog.transcripts.turns import Transcript
from pfremote.postfix.matching import match_peer

#: Outcomes (see :mod:`pfremote.maillog.transcripts.summary`) with which no one is content.
FAILED = frozenset({"deferred", "bounced", "rejected", "auth-failed", "tls-failed", "lost"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for; an empty value asks for nothing. Times are aware; addresses may be ``@domain``."""

    peers: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    queue_ids: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    failed: bool = False

    @property
    def everything(self) -> bool:
        """Tell whether nothing in particular was asked for."""
        return self == Wanted()

    def of_messages(self) -> bool:
        """Tell whether messages were asked for: by an address, a queue id or a Message-ID."""
        return bool(self.senders or self.recipients or self.queue_ids or self.message_ids)


def narrow(capture: Capture, wanted: Wanted, hops: Iterable[Hop] = ()) -> Capture:
    """Return the capture with only the sessions that are wanted, and the lines that follow their messages.

    ``hops`` are the messages of the same log: a session belongs to a message by its queue id. Sessions are numbered
    anew, from 1. Credentials stay listed, whosever session exposed them: they have to be changed all the same. Where
    messages are wanted other lines may not have been read, and only the credentials of the kept lines are listed.
    """
    if wanted.everything:
        return capture
    ids = {hop.queue_id for hop in hops if wanted.of_messages() and is_wanted(hop, wanted)}
    accounts = name_accounts(capture.exposures)
    with_finding = {finding.session for finding in capture.findings}
    kept = [
        item
        for item in capture.transcripts
        if is_kept(item, wanted, ids, users_of(item, accounts), item.session.id in with_finding)
    ]
    numbered = {item.session.id: number for number, item in enumerate(kept, 1)}
    kept = [replace(item, session=replace(item.session, id=numbered[item.session.id])) for item in kept]
    ids |= {queue_id for item in kept for queue_id in item.session.queue_ids}
    followed = tuple(record for record in capture.followed if record.text.partition(":")[0] in ids)
    numbers = {record.number for item in kept for record in item.session.records}
    numbers |= {record.number for record in followed}
    return replace(
        capture,
        records=tuple(record for record in capture.records if record.number in numbers),
        sessions=tuple(item.session for item in kept),
        followed=followed,
        unplaced=(),
        transcripts=tuple(kept),
        findings=tuple(
            item if item.session is None else replace(item, session=numbered.get(item.session))
            for item in capture.findings
            if item.session in numbered or item.proof.number in numbers
        ),
        exposures=tuple(item for item in capture.exposures if not wanted.of_messages() or item.line in numbers),
        withheld=tuple(item for item in capture.withheld if item.number in numbers),
    )


def name_accounts(exposures: Iterable[Exposure]) -> dict[int, list[tuple[int, str]]]:
    """Return the accounts that are known by the line that exposes them, each with its place among the exposures."""
    found: dict[int, list[tuple[int, str]]] = {}
    for place, item in enumerate(exposures):
        if not item.account.startswith("("):
            found.setdefault(item.line, []).append((place, item.account))
    return found


def users_of(transcript: Transcript, accounts: Mapping[int, Iterable[tuple[int, str]]]) -> tuple[str, ...]:
    """Return the accounts that a session logged in under, or tried to: from the SASL lines, and from AUTH itself.

    ``accounts`` is what :func:`name_accounts` returns of the log.
    """
    told = [sasl.user for sasl in transcript.sasl]
    own = (accounts.get(number, ()) for number in list_numbers(transcript.session.records)) if accounts else ()
    told += [account for _, account in sorted(item for items in own for item in items)]
    return tuple(dict.fromkeys(filter(None, told)))


def is_wanted(hop: Hop, wanted: Wanted) -> bool:
    """Tell whether a message is among those that were asked for."""
    return all(
        (
            not wanted.senders or (hop.sender is not None and _fits(hop.sender, wanted.senders)),
            not wanted.recipients or any(_fits(item.recipient, wanted.recipients) for item in hop.tries),
            not wanted.queue_ids or hop.queue_id in wanted.queue_ids,
            not wanted.message_ids or hop.message_id.strip("<>") in {text.strip("<>") for text in wanted.message_ids},
        )
    )


def may_be_kept(session: Session, wanted: Wanted) -> bool:
    """Say whether a session was asked for as far as its peer and its time tell."""
    return all(
        (
            not wanted.peers or match_peer(wanted.peers, session.peer_name, session.peer_address) is True,
            wanted.since is None or (session.ended is not None and session.ended >= wanted.since),
            wanted.until is None or (session.started is not None and session.started <= wanted.until),
        )
    )


def is_kept(transcript: Transcript, wanted: Wanted, ids: set[str], users: tuple[str, ...], has_finding: bool) -> bool:
    """Say whether a session was asked for; ``ids`` are the wanted messages, ``users`` those whom it logged in."""
    session = transcript.session
    return all(
        (
            may_be_kept(session, wanted),
            not wanted.users or bool(set(users) & set(wanted.users)),
            not wanted.failed or has_finding or judge_outcome(transcript) in FAILED,
            not wanted.of_messages() or bool(ids & set(session.queue_ids)) or _speaks_of(session, wanted),
        )
    )


def _speaks_of(session: Session, wanted: Wanted) -> bool:
    """Tell whether a session without a message of its own (a refused one) names the wanted addresses."""
    if wanted.queue_ids or wanted.message_ids:
        return False
    texts = [record.text for record in session.records]
    return all(
        not addresses or any(_fits(found, addresses) for text in texts for found in pattern.findall(text))
        for pattern, addresses in ((SENDER, wanted.senders), (RECIPIENT, wanted.recipients))
    )


def _fits(address: str, wanted: Iterable[str]) -> bool:
    """Tell whether an address is one of those, or lies in one of those domains.

    >>> _fits("Bob@Example.jp", ["bob@example.jp"]), _fits("bob@example.jp", ["@example.jp"]), _fits("", ["a@b"])
    (True, True, False)
    """
    lowered = address.lower()
    return any(lowered == text.lower() or (text.startswith("@") and lowered.endswith(text.lower())) for text in wanted)
