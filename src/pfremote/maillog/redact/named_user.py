"""Lines in which smtpd itself names the user: a failed login, a message let in, a question to a policy service.

smtpd/smtpd_sasl_glue.c, smtpd/smtpd.c, smtpd/smtpd_check.c. They confirm what the client said of its user.
"""

from __future__ import annotations

import re

from pfremote.maillog.redact import masks
from pfremote.maillog.redact.masks import is_mark, mark
from pfremote.maillog.redact.quoted import redact_quoted
from pfremote.maillog.redact.state import Ledger, Process

_FAILED = re.compile(r"warning: \S+: SASL ")
_LET_IN = re.compile(r"\w+: client=")
_SENT = "send attr sasl_username = "
_NAMED = ", sasl_username="
_END = re.compile(r", (?:sasl_sender|orig_queue_id|orig_client)=")
_NO_USER = ("", "(unavailable)")


def redact_user(text: str, process: Process, ledger: Ledger) -> str:
    """Mask the user that smtpd names where that may be a secret; else note that it is confirmed."""
    opening = _SENT if text.startswith(_SENT) else _NAMED
    at = text.find(opening)
    if at < 0:
        return text
    start = at + len(opening)
    ending = _END.search(text, start)
    end = ending.start() if ending else len(text)
    user = text[start:end]
    if user in _NO_USER or is_mark(user):
        return text
    if ledger.confirm_name(process, user):
        if _LET_IN.match(text):
            ledger.accept_user(process)
        return text[:start] + ledger.show_user(process, user) + text[end:]
    return text[:start] + mark(masks.LEARNED) + text[end:]


def redact_failed(text: str, process: Process, ledger: Ledger) -> str:
    """Do so in a warning that a login failed."""
    text = redact_quoted(text, process, ledger)
    return redact_user(text, process, ledger) if _FAILED.match(text) else text
