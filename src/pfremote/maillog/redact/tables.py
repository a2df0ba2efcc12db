"""Lookup results that hold a client password: smtp_sasl_password_maps and what lies under it.

The same value is logged by the table (dict_*), by the proxy protocol, by maps_find, by mail_addr_find and by
smtp_sasl_passwd_lookup, in this order; each is masked on its own, since any of them may be missing.
"""

from __future__ import annotations

import re

from pfremote.maillog.redact import masks
from pfremote.maillog.redact.checks import hide_line, redact_check
from pfremote.maillog.redact.inline_tables import mask_inline, mask_query
from pfremote.maillog.redact.masks import MARK, is_mark, mark, mask_rest
from pfremote.maillog.redact.state import Ledger, Process

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
_RESULT = re.compile(r" result=| value=|found: | returned | recv: 200 | -> | => | = ")
_ATTRIBUTE_RESULT = re.compile(r" (?:result|value)=")
_NOTHING = re.compile(r"(?:\((?:not ?found|try again|error)\)|not found|nothing|\d+ value\(s\) for .*|)\Z", re.DOTALL)
#: What smtpd looks up are actions (access(5)), addresses, words, next hops; anything else may be a login, or the cache
#: of failed logins (smtp/smtp_sasl_auth_cache.c). A colon with ``[`` or ``//`` behind it is a next hop or a URL.
_HARMLESS_RESULT = re.compile(
    r"(?:(?:ok|dunno|reject|defer|hold|discard|prepend|redirect|warn|info|filter|bcc|permit|[45]\d\d)(?![A-Za-z0-9])[^;]*"
    r"|(?:permit|reject|defer|check|warn)_\w+[\w ,:/.-]*"
    r"|[^\s:;,@]+@[^\s:;,@]+(?:, ?[^\s:;,@]+@[^\s:;,@]+)*|[\w./+-]+/?|[\w.-]+:\[\S+|[a-z]+://[^\s@]+)\Z",
    re.IGNORECASE,
)
_DEBUGGED = re.compile(r'((\S+:\S+) (?:lookup|update|sequence): ".*?" = ")(.*)("(?:: \w+)?)\Z', re.DOTALL)


_FILTER = "maps_find: smtpd_command_filter: "
_PLAIN_COMMAND = re.compile(r"(?:\S+: )?(?:EHLO|HELO|MAIL|RCPT|DATA|RSET|NOOP|QUIT|VRFY|STARTTLS)\b", re.IGNORECASE)


def redact_maps_find(text: str, process: Process, ledger: Ledger) -> str:
    """Mask the result of ``maps_find: NAME: TABLE: key = value`` for maps that hold passwords."""
    text = mask_inline(text)
    if text.startswith(_FILTER):
        # The key is what a client sent (smtpd_command_filter), and may be a response.
        known = is_mark(text[len(_FILTER) :]) or _PLAIN_COMMAND.match(text, len(_FILTER))
        return text if known else _FILTER + mark(masks.COMMAND)
    name = text[11 : text.find(":", 11)]
    if name.endswith(("header_checks", "body_checks")):
        return redact_check(text, name, process)
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


def is_of_no_line(text: str) -> bool:
    """Say whether a ``maps_find`` line is of a table that is asked neither about a command nor a message's line."""
    return not text.startswith(_FILTER) and "_checks: " not in text


def leave_password_map(_text: str, process: Process) -> bool:
    """Note that a table is asked that holds no passwords."""
    process.password_map = False
    return True


#: The first ones; a password has some, too.
_DELIMITER = re.compile(r"[^\w.@+-]")


def note_login(value: str, process: Process, ledger: Ledger, where: str) -> str:
    """Return the mark for a ``user:password`` value, having learned from it."""
    if is_mark(value):
        return value
    user, colon, password = value.partition(":")
    # Other values (the cache of failed logins has hash and status in one) are masked, not learned.
    if not colon or ";" in user or (" " in user and not process.password_map):
        return ledger.note_of_host(process, masks.TABLE_VALUE, where, _passwords(value) if process.password_map else ())
    process.exchange += process.account not in (user, masks.UNKNOWN)
    process.account = masks.UNKNOWN
    secrets = dict.fromkeys((password, *(_passwords(value) if process.password_map else ())))
    return ledger.note_of_host(process, masks.PASSWORD, where, secrets, user or masks.UNKNOWN)


def _passwords(value: str) -> list[str]:
    """Return what may be the password in a value of a password table, where smtp_sasl_password_result_delimiter
    (postconf(5), 3.10+) may be any character: all that stands behind one.

    >>> _passwords("relay=Gr4n:ite-77")
    ['Gr4n:ite-77', 'ite-77', 'relay=Gr4n:ite-77']
    """
    found = [value[at.end() :] for at in _DELIMITER.finditer(value)]
    return [*found, value] if found else [value]


def redact_value(value: str, process: Process, ledger: Ledger) -> str:
    """Return the mark for the result of a table whose name is not known, or the result."""
    if not process.is_client:
        return value if _HARMLESS_RESULT.match(value) else mark(masks.TABLE_VALUE)
    # smtp and lmtp look up a password here, a TLS policy there; what has no colon holds no password.
    if ":" not in value and ";" not in value:
        return mark(masks.TABLE_VALUE)
    return note_login(value, process, ledger, "lookup table")


def redact_mail_addr_find(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``mail_addr_find: KEY -> user:password``; other maps' results have no colon in them."""
    text = mask_inline(text)
    opening, arrow, value = text.partition(" -> ")
    if not arrow or is_mark(value) or _NOTHING.match(text.rpartition(" -> ")[2]):
        return text
    if process.password_map:
        return f"{opening} -> {note_login(value, process, ledger, 'lookup table')}"
    return f"{opening} -> {redact_value(value, process, ledger)}" if ":" in value else text


#: What may be left of an empty password: the quote, and what a damaged line has behind it.
_NOTHING_LEFT = "' ?\r\0"


def redact_passwd_lookup(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``smtp_sasl_passwd_lookup: host `h' user `u' pass `p'`` (from level 1, in the clear)."""
    found = _PASSWD.match(text)
    if found is None:
        opening, _, rest = text.partition(": ")
        harmless = rest.startswith("no ") or is_mark(rest)
        return text if harmless else f"{opening}: {mark(masks.TABLE_VALUE)}"
    opening, user, between, password = found.groups()
    password = password.removesuffix("'")
    if is_mark(password):
        if not is_mark(user):
            _confirm(user, process, ledger)
        return text
    where = "smtp_sasl_passwd_lookup"
    is_empty = password.startswith("'") or not MARK.sub("", password).strip(_NOTHING_LEFT)
    if is_empty or not masks.is_showable(user):
        # The table's value has another delimiter or none, so the password may be in what was taken for the user.
        note = ledger.note(process, masks.PASSWORD, where, (password, *_passwords(user)))
        return f"{opening}{mark(masks.USER_NAME)}{between}{note}'"
    note = ledger.note(process, masks.PASSWORD, where, (password,), user)
    shown = user if _confirm(user, process, ledger) else mark(masks.LEARNED)
    return f"{opening}{shown}{between}{note}'"


def _confirm(user: str, process: Process, ledger: Ledger) -> bool:
    """Take the user whom the host logs in as; say whether it may be shown."""
    known = ledger.confirm_name(process, user, of_exchange=True)
    if known:
        ledger.accept_user(process)
    return known


def redact_dict(text: str, process: Process, ledger: Ledger) -> str:
    """Mask results, inline tables and the literals of queries in ``dict_*`` lines."""
    text = hide_line(mask_query(mask_inline(text)), process)
    cut = _find_result(text)
    if cut is None or is_mark(text[cut:]) or _NOTHING.match(text[cut:]):
        return text
    opening, value = text[:cut], text[cut:]
    if opening.startswith(("dict_lookup: ", "dict_update: ", "dict_eval: ")):
        # util/dict.c: parameters of main.cf, among them those of a table that is configured there.
        return _redact_parameter(opening, value, process, ledger)
    # table=… flags=… key=… come first and are worth keeping, so cut at the last marker that is ours.
    if "table=" in text:
        marked = _ATTRIBUTE_RESULT.search(text)
        if marked is None or marked.end() == len(text) or is_mark(text[marked.end() :]):
            return text
        opening, value = text[: marked.end()], text[marked.end() :]
    return opening + redact_value(value, process, ledger)


def _find_result(text: str) -> int | None:
    """Return where the result begins in a line of a table, if it has one."""
    found = _RESULT.search(text)
    key = text.find(": key ")
    behind = text.find(" result ", key) if key >= 0 else -1
    if behind >= 0 and (found is None or key < found.start()):
        return behind + len(" result ")
    return found.end() if found is not None and found.end() < len(text) else None


def _redact_parameter(opening: str, value: str, process: Process, ledger: Ledger) -> str:
    name = opening.rstrip(" =->").rpartition(": ")[2]
    if not value or is_mark(value) or not _PASSWORD_NAME.search(name) or _HARMLESS_NAME.search(name):
        return opening + value
    secrets = (value, value.partition(":")[2])
    return opening + ledger.note_of_host(process, masks.PASSWORD, "table configuration", secrets)


#: util/dict_alloc.c, from level 3 on.
_NAMED_TABLE = re.compile(
    r'(dict_(?:alloc\(|free type=)"(?:debug:)?(?:static|inline|regexp|pcre|cidr|texthash|pipemap|unionmap|randmap)"'
    r"(?:, | ))(.+)\Z",
    re.DOTALL,
)


def redact_table_name(text: str, _process: Process, _ledger: Ledger) -> str:
    """Mask the name of a table whose name may be its content, where type and name stand apart."""
    found = _NAMED_TABLE.match(text)
    return text if found is None else mask_rest(found, masks.TABLE_VALUE)


_MEMCACHE = re.compile(r"(\S*[^\s:] (?:got:?|write:|read:) )(.+)\Z", re.DOTALL)


def redact_memcache(text: str, _process: Process, _ledger: Ledger) -> str:
    """Mask what goes to and comes from memcached (global/memcache_proto.c): ``127.0.0.1:11211 got: user:password``."""
    found = _MEMCACHE.match(text)
    return text if found is None else mask_rest(found, masks.TABLE_VALUE)


def redact_debug_table(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``TYPE:NAME lookup: "KEY" = "VALUE"`` (util/dict_debug.c) of tables that hold passwords."""
    found = _DEBUGGED.match(text)
    if found is None or found[3] in ("not_found", "error"):
        return text
    opening, table, value, end = found.groups()
    if _SENSITIVE.search(table) or (process.is_client and ":" in value):
        return opening + note_login(value, process, ledger, "lookup table") + end
    return text


_URL_LOGIN = re.compile(r"(://[^\s:/@]*:)(?!\[redacted: ).+(?=@)", re.DOTALL)


def redact_config(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``cfg_get_str: FILE: bind_pw = …`` (global/cfg_parser.c, services started with -v)."""
    text = mask_query(text)
    opening, equals, value = text.partition(" = ")
    if not equals:
        return text
    shown = _redact_parameter(f"{opening} = ", value, process, ledger)
    # A password in a URL may have any sign, quotes and slashes too.
    return _URL_LOGIN.sub(lambda found: found[1] + mark(masks.PASSWORD), shown)
