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
#: Parameters of that look whose values are tables, files or rules (postconf(5)).
_HARMLESS_NAME = re.compile(r"_(?:maps|file|path|database|delimiter|separator|options|timeout|size|limit|time|ttl)\Z")
_PASSWD = re.compile(r"(smtp_sasl_passwd_lookup: host `.*?' user `)(.*?)(' pass `)(.*)\Z", re.DOTALL)
_RESULT = re.compile(
    r"(.*?(?: result=| value=|found: | returned | recv: 200 | -> | => | = |: key .*? result ))(.+)\Z", re.DOTALL
)
_NOTHING = re.compile(r"(?:\((?:not ?found|try again|error)\)|not found|nothing|\d+ value\(s\) for .*|)\Z", re.DOTALL)
#: What smtpd looks up are addresses and actions; only this would have the look of a login there, or of the cache
#: of failed logins (smtp/smtp_sasl_auth_cache.c). A colon with ``[`` or ``//`` behind it is a next hop or a URL.
_LOGIN = re.compile(r"[^\s:;]+:(?!\[|//)\S+\Z|\d+;\S+;")
_DEBUGGED = re.compile(r'((\S+:\S+) (?:lookup|update|sequence): ".*?" = ")(.*)("(?:: \w+)?)\Z', re.DOTALL)


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
    if not colon or ";" in user or (" " in user and not process.password_map):
        return ledger.note(process, masks.TABLE_VALUE, where)
    process.exchange += process.account not in (user, masks.UNKNOWN)
    process.account = masks.UNKNOWN
    return ledger.note(process, masks.PASSWORD, where, (password,), user or masks.UNKNOWN)


def redact_value(value: str, process: Process, ledger: Ledger) -> str:
    """Return the mark for the result of a table whose name is not known, or the result."""
    if not process.is_client:
        return mark(masks.TABLE_VALUE) if _LOGIN.match(value) else value
    # smtp and lmtp look up a password here, a TLS policy there; what has no colon tells of nobody's password.
    if ":" not in value and ";" not in value:
        return mark(masks.TABLE_VALUE)
    return note_login(value, process, ledger, "lookup table")


def redact_mail_addr_find(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``mail_addr_find: KEY -> user:password``; other maps' results have no colon in them."""
    opening, arrow, value = text.partition(" -> ")
    if not arrow or MARK.fullmatch(value) or _NOTHING.match(text.rpartition(" -> ")[2]):
        return text
    if process.password_map:
        return f"{opening} -> {note_login(value, process, ledger, 'lookup table')}"
    return f"{opening} -> {redact_value(value, process, ledger)}" if ":" in value else text


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
    if opening.startswith(("dict_lookup: ", "dict_update: ", "dict_eval: ")):
        # util/dict.c: parameters of main.cf, among them those of a table that is configured there.
        return _redact_parameter(opening, value, process, ledger)
    # table=… flags=… key=… come first and are worth keeping, so cut at the last marker that is ours.
    if "table=" in text:
        cut = re.match(r"(.*? (?:result|value)=)(.*)\Z", text, re.DOTALL)
        if cut is None or not cut[2] or MARK.fullmatch(cut[2]):
            return text
        opening, value = cut.groups()
    return opening + redact_value(value, process, ledger)


def _redact_parameter(opening: str, value: str, process: Process, ledger: Ledger) -> str:
    name = opening.rstrip(" =->").rpartition(": ")[2]
    if not value or MARK.fullmatch(value) or not _PASSWORD_NAME.search(name) or _HARMLESS_NAME.search(name):
        return opening + value
    secrets = (value, value.partition(":")[2])
    return opening + ledger.note(process, masks.PASSWORD, "table configuration", secrets)


def redact_debug_table(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``TYPE:NAME lookup: "KEY" = "VALUE"`` (util/dict_debug.c) of tables that hold passwords."""
    found = _DEBUGGED.match(text)
    if found is None or found[3] in ("not_found", "error"):
        return text
    opening, table, value, end = found.groups()
    if _SENSITIVE.search(table) or (process.is_client and ":" in value):
        return opening + note_login(value, process, ledger, "lookup table") + end
    return text


def redact_config(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``cfg_get_str: FILE: bind_pw = …`` (global/cfg_parser.c, services started with -v)."""
    opening, equals, value = text.partition(" = ")
    return _redact_parameter(f"{opening} = ", value, process, ledger) if equals else text
