"""A second look at redacted lines that does not trust the first: what cannot be shown to be clean is withheld.

Of the redactor it uses no rule: only who sent a line (owners) and which words are a client's (client_text). It looks at
the final text only, knows the places where Postfix writes a credential, and demands that each holds a mark of the
redactor, or one of the few texts known to be harmless; and it looks for every secret that the redactor learned, in
every spelling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from typing import NamedTuple

from pfremote.maillog.client_text import is_debug
from pfremote.maillog.contain import Unreadable, attempt
from pfremote.maillog.owners import HOST, Owners
from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.clients import ClientProof, tell_owner
from pfremote.maillog.proof.look import CHUNK, GIVEN_AWAY, look
from pfremote.maillog.proof.spelling import Spellings
from pfremote.maillog.redact import Exposure, Redactor


@dataclass(frozen=True, slots=True)
class Withheld:
    """A line that is not shown: its 1-based number and why, in a few words that quote nothing of it."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How many lines were looked at, and which of them may not be shown."""

    lines_checked: int
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class RedactedCapture:
    """Records that may be stored and shown; ``withheld`` numbers are record numbers."""

    records: tuple[Record, ...]
    exposures: tuple[Exposure, ...]
    withheld: tuple[Withheld, ...]
    unreadable: tuple[Unreadable, ...] = ()


UNREAD = "it could not be read"
UNNAMED = "(unknown)"


def prove(lines: Iterable[str], secrets: Iterable[str] = ()) -> Proof:
    """Look at redacted ``lines``, in which no spelling of ``secrets`` may occur.

    >>> prove(["mx postfix/smtpd[7]: < c[192.0.2.5]: AUTH PLAIN AGFsaWNlAFMzY3JldFBX"]).withheld
    (Withheld(number=1, reason='data after AUTH'),)
    """
    spellings = Spellings(dict.fromkeys(secrets, frozenset((HOST,))))
    source = iter(lines)
    done = 0
    withheld: list[Withheld] = []
    while chunk := list(islice(source, CHUNK)):
        found = dict(look(chunk, spellings))
        withheld += [Withheld(done + index + 1, found[index]) for index in sorted(found)]
        done += len(chunk)
    return Proof(done, tuple(withheld))


def withhold(reason: str) -> str:
    """Return the text that stands for a line that may not be shown.

    >>> withhold("data after AUTH")
    '[line withheld: data after AUTH]'
    """
    return f"[line withheld: {reason}]"


def redact_and_prove(records: Iterable[Record], known: Iterable[str] = ()) -> RedactedCapture:
    """Redact a capture and prove the result; a record that cannot be proven keeps its head only.

    ``known`` are secrets that are known beforehand.
    """
    logged = list(records)
    redactor = Redactor(known)
    # Debug logs say the same thing over and over: each text is held once, and looked at once.
    held: dict[str, str] = {}
    redacted, unreadable = _redact(logged, redactor, held)
    redactor.settle()
    _name_users(redacted, redactor, held)
    texts = list(held)
    del held
    secrets = redactor.secrets
    of_host = {secret: owners for secret, owners in secrets.items() if HOST in owners}
    reasons = _judge(texts, of_host)
    late = _mask_late(logged, redacted, texts, redactor)
    withheld = []
    for index, record in enumerate(redacted if reasons or late else ()):
        reason = late.get(index) or reasons.get(record.text)
        if reason is not None:
            redacted[index] = record.with_text(withhold(reason))
            withheld.append(Withheld(record.number, reason))
    exposures = _prove_accounts(redactor)
    withheld += [Withheld(item.line, UNREAD) for item in unreadable]
    return RedactedCapture(tuple(redacted), exposures, tuple(withheld), tuple(unreadable))


class HeldLine(NamedTuple):
    """A line of a log that is followed: as it was logged, as it may be shown, and whose it is."""

    logged: Record
    shown: Record
    owner: str | None


def prove_records(lines: list[HeldLine], redactor: Redactor) -> list[Record]:
    """Return lines of a log that is followed as they may be shown."""
    lines = [line._replace(shown=redactor.name_user(line.shown)) for line in lines]
    secrets = redactor.secrets
    of_host = {secret: owners for secret, owners in secrets.items() if HOST in owners}
    reasons = _judge(list(dict.fromkeys(line.shown.text for line in lines)), of_host)
    proof = ClientProof(Spellings(_of_clients(secrets)), redactor.owners)
    proven = []
    for _, record, owner in lines:
        reason = reasons.get(record.text)
        if reason is None and proof.may_hold(record.text) and proof.holds(record.text, owner, record.host):
            reason = GIVEN_AWAY
        proven.append(record if reason is None else record.with_text(withhold(reason)))
    return proven


def _of_clients(secrets: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    return {secret: owners - {HOST} for secret, owners in secrets.items() if owners - {HOST}}


def _judge(texts: list[str], secrets: Iterable[str]) -> dict[str, str]:
    """Return why which of these texts may not be shown; ``secrets`` are those of the host."""
    return attempt(lambda: _prove_texts(texts, secrets), lambda _kind: _prove_each(texts, secrets))


def _withhold_text(text: str, _kind: str) -> dict[str, str]:
    return {text: UNREAD}


def _redact(logged: list[Record], redactor: Redactor, held: dict[str, str]) -> tuple[list[Record], list[Unreadable]]:
    """Return the redacted records, in which one that cannot be read keeps its head only."""
    redacted: list[Record] = []
    unreadable: list[Unreadable] = []

    def go_on() -> str:
        for record in waiting:
            text = redactor.redact_text(record)
            held[text] = text
            redacted.append(record if text == record.text else record.with_text(text))
        return ""

    waiting = iter(logged)
    while why := attempt(go_on, str):
        record = logged[len(redacted)]
        redacted.append(record.with_text(held.setdefault(withhold(UNREAD), withhold(UNREAD))))
        unreadable.append(Unreadable("line", record.number, why))
    return redacted, unreadable


def _name_users(redacted: list[Record], redactor: Redactor, held: dict[str, str]) -> None:
    """Put users into the marks, now that the whole log has told which are confirmed."""
    waiting = redactor.unnamed()
    for index, record in enumerate(redacted if waiting else ()):
        if record.number in waiting:
            redacted[index] = named = redactor.name_user(record)
            held.setdefault(named.text, named.text)


def _prove_texts(texts: list[str], secrets: Iterable[str]) -> dict[str, str]:
    return {texts[item.number - 1]: item.reason for item in prove(texts, secrets).withheld}


def _prove_each(texts: list[str], secrets: Iterable[str]) -> dict[str, str]:
    """Do the same text by text: one that the proof cannot read is withheld."""
    reasons: dict[str, str] = {}
    for text in texts:
        reasons |= attempt(partial(_prove_texts, [text], secrets), partial(_withhold_text, text))
    return reasons


def _mask_late(logged: list[Record], redacted: list[Record], texts: list[str], redactor: Redactor) -> dict[int, str]:
    """Look for what clients offered later than the line; return which lines are to be withheld, by index.

    A debug line goes as a whole. Of the others, which tell what became of a client, only what it said goes.
    """
    owners = Owners()
    proof = ClientProof(Spellings(_of_clients(redactor.secrets)), owners)
    doubted = {texts[index] for index in proof.find(texts)}
    told = [tell_owner(owners, record) for record in logged] if doubted else []
    found: dict[int, str] = {}
    for index, owner in enumerate(map(owners.settle, told)):
        shown = redacted[index]
        if shown.text not in doubted:
            continue
        if not is_debug(shown.text):
            shown = redacted[index] = redactor.redact_late(shown, owner)
        if proof.holds(shown.text, owner, shown.host):
            found[index] = GIVEN_AWAY
    return found


def _prove_accounts(redactor: Redactor) -> tuple[Exposure, ...]:
    """Return the exposures, without an account that holds a secret of the same client: it is text like any other."""
    spellings = Spellings(redactor.secrets)

    @cache
    def is_clean(account: str, owner: str) -> bool:
        of_whom = (owners for _, _, owners in spellings.find(account))
        is_theirs = any(one == HOST or redactor.owners.is_same(one, owner) for owners in of_whom for one in owners)
        return not is_theirs and not prove([account]).withheld

    found = zip(redactor.exposures, redactor.exposed_owners, strict=True)
    return tuple(one if is_clean(one.account, owner) else replace(one, account=UNNAMED) for one, owner in found)
