"""The proof of lines that are shown one by one, while a log is followed."""

from __future__ import annotations

from typing import NamedTuple

from pfremote.maillog.owners import HOST
from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.clients import ClientProof
from pfremote.maillog.proof.look import GIVEN_AWAY
from pfremote.maillog.proof.prove import judge, of_clients, withhold
from pfremote.maillog.proof.spelling import Spellings
from pfremote.maillog.redact import Redactor


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
    reasons = judge(list(dict.fromkeys(line.shown.text for line in lines)), of_host)
    proof = ClientProof(Spellings(of_clients(secrets)), redactor.owners)
    proven = []
    for _, record, owner in lines:
        reason = reasons.get(record.text)
        if reason is None and proof.may_hold(record.text) and proof.holds(record.text, owner, record.host):
            reason = GIVEN_AWAY
        proven.append(record if reason is None else record.with_text(withhold(reason)))
    return proven
