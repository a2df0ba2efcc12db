"""Tells at a glance that sessions went well, as most of an ordinary log do: no transcript is made of them."""

from __future__ import annotations

import re
from datetime import datetime

from pfremote.maillog.findings.slow import SLOW
from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.gather import Group

#: A delivery as the log has it where all is well; transcripts take it for one, and findings for no cause.
_SENT = r"[0-9A-Za-z]+: to=<[^>]*>,.* relay=[^,]+,.* dsn=[\d.]+, status=sent \((?!.*\b(?i:discarded)\b).*\)\Z"
#: What smtpd, smtp and lmtp say then.
_OF_SESSION = re.compile(
    rf"(?:dis)?connect from |[0-9A-Za-z]+: client=|{_SENT}"
    r"|(?:Anonymous|Untrusted|Trusted|Verified) TLS connection (?:established|reused) (?:from|to) .*?: "
    r"TLSv[\d.]+ with cipher \S"
)
#: What the others say of a message.
_FOLLOWED = re.compile(
    rf"[0-9A-Za-z]+: (?:message-id=[^ ]*\Z|from=<[^>]*>, size=\d+, nrcpt=\d+ \(queue active\)\Z|uid=\d+ from=<[^>]*>\Z"
    rf"|removed\Z)|{_SENT}"
)
_EXPIRED = "status=expired"


def went_well(group: Group) -> bool:
    """Say whether the sessions of a group have no finding for sure: each line is of those above, and none came late."""
    own = [record for session in group.sessions for record in session.records]
    if not all(_OF_SESSION.match(record.text) for record in own):
        return False
    if not all(_FOLLOWED.match(record.text) and _EXPIRED not in record.text for record in group.followed):
        return False
    of_message = [record for record in group.followed if record.daemon == "cleanup"]
    return all(_took_no_time([*session.records, *of_message]) for session in group.sessions)


def _took_no_time(records: list[Record]) -> bool:
    """Say whether there is no pause that a person would ask about."""
    times: list[datetime] = [record.time for record in records if record.time is not None]
    return len(times) == len(records) and (max(times) - min(times)).total_seconds() < SLOW
