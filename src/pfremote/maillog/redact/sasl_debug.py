"""What Postfix's side of SASL logs: xsasl_dovecot_server.c, xsasl_cyrus_{server,client,log}.c, from level 1 on.

Everything here is allow-listed: a line of these functions that is not known to be harmless is masked.
"""

from __future__ import annotations

import re

from pfremote.maillog.redact import masks
from pfremote.maillog.redact.dialogue import (
    note_response,
    read_continuation,
    read_initial,
    read_login_name,
    redact_challenge,
)
from pfremote.maillog.redact.masks import is_mark, mark, split_at_colon
from pfremote.maillog.redact.sasl import MECHANISMS, read_clear_response
from pfremote.maillog.redact.state import Ledger, Process

_HARMLESS = re.compile(
    r"(?:SASL service=\S*, realm=\S*|Connecting|(?:keep|drop|skip) mechanism: \S{1,24}"
    r"|SASL config file is \S+|auth reply: DONE"
    r"|auth reply: (?:VERSION|MECH|SPID|CUID)(?:\?[A-Za-z0-9-]{1,24})*"
    r"|(?:(?:un|de)coded (?:server challenge|challenge|response|initial reply|client response):?"
    r"|decoded initial response) ?)\Z"
)
_FIRST = re.compile(r"sasl_method (\[redacted: [^\]]*\]|\S*?)(?:, init_response (.*))?\Z", re.DOTALL)
_REPLY = re.compile(r"auth reply: (OK|FAIL|CONT)\?(\d+)(?:\?(.*))?\Z", re.DOTALL)
#: Fields of a reply that may be shown (Dovecot's authentication protocol, version 1).
_FIELD = re.compile(
    r"(?:user|original_user|auth_user|code|reason)=|(?:temp|authz|user_disabled|pass_expired|nologin|anonymous)\Z"
)
_USERS = ("user", "original_user", "auth_user")
_STEP = re.compile(r"[A-Z0-9-]+ (?:(?:server|client) step \d+|common mech (?:dispose|free))\Z")


def redact_sasl_debug(text: str, process: Process, ledger: Ledger) -> str:
    """Mask one ``xsasl_FUNCTION: …`` line."""
    if is_harmless(text):
        return text
    function, _, rest = split_at_colon(text)
    return f"{function}: {_redact_rest(function, rest, process, ledger)}"


def is_harmless(text: str) -> bool:
    """Say whether such a line holds nothing of a response, in whatever exchange it stands."""
    _, colon, rest = split_at_colon(text)
    return not colon or _HARMLESS.match(rest) is not None or is_mark(rest)


def _redact_rest(function: str, rest: str, process: Process, ledger: Ledger) -> str:
    where = "Dovecot SASL" if "dovecot" in function else "Cyrus SASL"
    found = _FIRST.match(rest)
    if found is not None:
        return _redact_first(found, process, ledger, where)
    found = _REPLY.match(rest)
    if found is not None:
        return _redact_dovecot_reply(found, process, ledger)
    if rest.startswith("auth reply: COOKIE"):
        return f"auth reply: COOKIE?{mark(masks.COOKIE)}"
    if function.endswith("_get_user"):
        # All of a table's value where smtp did not find its delimiter; the line of the lookup tells.
        return rest if ledger.accounts.is_confirmed(rest, ledger.owner) else mark(masks.USER_NAME)
    if function.endswith("_get_passwd"):
        return ledger.note(process, masks.PASSWORD, where, (rest,))
    for opening in ("uncoded server challenge: ", "decoded challenge: "):
        if rest.startswith(opening):
            return opening + redact_challenge(rest[len(opening) :], process)
    if not (process.in_auth or process.is_client):
        # The AUTH line is missing, and the one before it was another exchange's.
        process.begin("")
    return _redact_cyrus(rest, process, ledger, where)


def _redact_first(found: re.Match[str], process: Process, ledger: Ledger, where: str) -> str:
    mechanism, blob = found[1], found[2]
    known = is_mark(mechanism) or MECHANISMS.match(mechanism) is not None
    if not process.in_auth or process.mechanism != mechanism.upper():
        # The AUTH line is missing.
        process.begin(mechanism if known else "")
    shown = f"sasl_method {mechanism if known else mark(masks.RESPONSE)}"
    if blob is None:
        return shown
    kept = is_mark(blob)
    return f"{shown}, init_response {blob if kept else read_initial(blob, process, ledger, where)}"


def _redact_dovecot_reply(found: re.Match[str], process: Process, ledger: Ledger) -> str:
    verdict, number, rest = found.groups()
    opening = f"auth reply: {verdict}?{number}"
    if rest is None:
        return opening
    if verdict == "CONT":
        # The prompt to the client follows in a line of its own; only that one moves the dialogue.
        asked = process.asked
        shown = redact_challenge(rest, process)
        process.asked = asked
        return f"{opening}?{shown}"
    return f"{opening}?{'?'.join(_show_field(field, process, ledger) for field in rest.split('?'))}"


def _show_field(field: str, process: Process, ledger: Ledger) -> str:
    name, equals, value = field.partition("=")
    if not (equals and name in _USERS) or is_mark(value):
        return field if _may_show(field) else mark(masks.RESPONSE)
    if name == "user":
        may_show = ledger.confirm_name(process, value, of_exchange=process.in_auth)
    else:
        may_show = ledger.accounts.may_show(value, ledger.owner)
    return f"{name}={ledger.show_user(process, value) if may_show else mark(masks.LEARNED)}"


def _may_show(field: str) -> bool:
    if not field or is_mark(field):
        return True
    return _FIELD.match(field) is not None and not (field.startswith("reason=") and field.endswith("="))


_CYRUS = (
    "decoded initial response ",
    "decoded response: ",
    "uncoded initial reply: ",
    "uncoded client response ",
)


def _redact_cyrus(rest: str, process: Process, ledger: Ledger, where: str) -> str:
    for opening in _CYRUS:
        if not rest.startswith(opening):
            continue
        value = rest[len(opening) :]
        if is_mark(value):
            return rest
        if opening == "decoded response: ":
            return opening + read_continuation(value, process, ledger, where, clear=True)
        if opening == "decoded initial response ":
            return opening + _read_clear_initial(value, process, ledger, where)
        return opening + ledger.note(process, masks.RESPONSE, where)
    return mark(masks.RESPONSE)


def _read_clear_initial(value: str, process: Process, ledger: Ledger, where: str) -> str:
    if process.mechanism == "LOGIN":
        return read_login_name(value, process, ledger)
    # xsasl_cyrus_server.c logs it up to the first NUL, so for PLAIN this is the authorization identity.
    if process.mechanism in ("PLAIN", "NTLM"):
        ledger.claim(process, masks.RESPONSE, process.account)
        return mark(masks.RESPONSE)
    return note_response(read_clear_response(process.mechanism, value), process, ledger, where)


def redact_plugin_log(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``SASL authentication {debug,trace,pass}: …``: what libsasl's plug-ins say (levels 2 and up)."""
    opening, _, rest = split_at_colon(text)
    level = opening.removeprefix("SASL authentication ")
    if level not in ("debug", "trace", "pass") or _STEP.match(rest) or is_mark(rest) or not rest:
        return text
    return f"{opening}: {ledger.note(process, masks.RESPONSE, 'Cyrus plug-in')}"
