"""Lookup results that hold a client password: smtp_sasl_password_maps and what lies under it.

The same value is logged by the table (dict_*), by the proxy protocol, by maps_find, by mail_addr_find and by
smtp_sasl_passwd_lookup, in this order; each is masked on its own, since any of them may be missing.
"""

from __future__ import annotations

import re

from pfremote.maillog.redact import masks
from pfremote.maillog.redact.masks import MARK, mark
from pfremote.maillog.redact.process import Ledger, Process

_SENSITIVE = re.compile(r"pass|pw|secret|token|sasl|cred|auth", re.IGNORECASE)
_PASSWORD_NAME = re.compile(r"pass|pw\b|_pw|secret|token|credential|api_?key|private_?key", re.IGNORECASE)
_MAP_HIT = re.compile(
    r"(maps_find: \S*: (?!(?:proxy:)?(?:static|inline|pipemap|unionmap|randmap):)"
    r"[^ (]*\([^)]*\): \S+ = )(.*)\Z",
    re.DOTALL,
)
_MAP_MISS = re.compile(r"maps_find: \S*: \S+: (?:not found|search aborted)\Z")
_PASSWD = re.compile(r"(smtp_sasl_passwd_lookup: host `.*?' user `)(.*?)(' pass `)(.*)\Z", re.DOTALL)
_RESULT = re.compile(r"(.*?(?: result=| value=|found: | returned | -> | = |: key .*? result ))(.+)\Z", re.DOTALL)
_NOTHING = re.compile(r"(?:\(not found\)|\(try again\)|not found|)\Z")


def redact_maps_find(text: str, process: Process, ledger: Ledger) -> str:
    """Mask the result of ``maps_find: NAME: TABLE: key = value`` for maps that hold passwords."""
    name = text[11 : text.find(":", 11)]
    if not _SENSITIVE.search(name):
        process.password_map = False
        return text
    process.password_map = False
    if _MAP_MISS.match(text):
        return text
    process.password_map = True
    found = _MAP_HIT.match(text)
    if found is None:
        # static: and inline: tables carry the password in their own name.
        return f"maps_find: {name}: {mark(masks.TABLE_VALUE)}"
    return found[1] + note_login(found[2], process, ledger, "lookup table")


def note_login(value: str, process: Process, ledger: Ledger, where: str) -> str:
    """Return the mark for a ``user:password`` value, having learnt from it."""
    if MARK.fullmatch(value):
        return value
    user, colon, password = value.partition(":")
    # Other values (the cache of failed logins has hash and status in one) are masked, not learnt.
    if not colon or " " in user or ";" in user:
        return ledger.note(process, masks.TABLE_VALUE, where)
    process.exchange += process.account not in (user, masks.UNKNOWN)
    process.account = masks.UNKNOWN
    return ledger.note(process, masks.PASSWORD, where, (password,), user or masks.UNKNOWN)


def redact_mail_addr_find(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``mail_addr_find: KEY -> user:password``; other maps' results have no colon in them."""
    _, arrow, value = text.rpartition(" -> ")
    first = text.find(" -> ")
    if not arrow or _NOTHING.match(value):
        return text
    if process.password_map or ":" in text[first + 4 :]:
        return f"{text[:first]} -> {note_login(text[first + 4 :], process, ledger, 'lookup table')}"
    return text


def redact_passwd_lookup(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``smtp_sasl_passwd_lookup: host `h' user `u' pass `p'`` (from level 1, in the clear)."""
    found = _PASSWD.match(text)
    if found is None:
        opening, _, rest = text.partition(": ")
        harmless = rest.startswith("no ") or MARK.fullmatch(rest)
        return text if harmless else f"{opening}: {mark(masks.TABLE_VALUE)}"
    opening, user, between, password = found.groups()
    password = password.removesuffix("'")
    if MARK.fullmatch(password):
        return text
    note = ledger.note(process, masks.PASSWORD, "smtp_sasl_passwd_lookup", (password,), user or masks.UNKNOWN)
    return f"{opening}{user}{between}{note}'"


def redact_dict(text: str, process: Process, ledger: Ledger) -> str:
    """Mask results and values in ``dict_*`` lines: in smtp and lmtp all, else what looks like a login."""
    found = _RESULT.match(text)
    if found is None or MARK.fullmatch(found[2]) or _NOTHING.match(found[2]):
        return text
    opening, value = found.groups()
    # table=… flags=… key=… come first and are worth keeping, so cut at the last marker that is ours.
    if "table=" in text:
        cut = re.match(r"(.*? (?:result|value)=)(.*)\Z", text, re.DOTALL)
        if cut is None or not cut[2] or MARK.fullmatch(cut[2]):
            return text
        opening, value = cut.groups()
    if process.is_client or ":" in value or ";" in value or _PASSWORD_NAME.search(opening):
        return opening + note_login(value, process, ledger, "lookup table")
    return text


def redact_config(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``cfg_get_str: FILE: bind_pw = …`` (global/cfg_parser.c, services started with -v)."""
    opening, equals, value = text.partition(" = ")
    if not equals or not value or MARK.fullmatch(value) or not _PASSWORD_NAME.search(opening.rpartition(": ")[2]):
        return text
    return f"{opening} = {ledger.note(process, masks.PASSWORD, 'table configuration', (value,))}"
