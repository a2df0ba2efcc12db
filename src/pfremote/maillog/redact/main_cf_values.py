"""What in the value of a parameter of main.cf is masked (postconf(5), DATABASE_README). Pure."""

from __future__ import annotations

import re

MARK = b"[redacted]"
#: From where to where, in the value, and what to put there.
Mask = tuple[int, int, bytes]

#: Parameters whose names say that their value is a secret. Postfix has none; users and $name macros do.
_SECRET_NAME = re.compile(
    rb"pass(?!ed|ive)|pwd|passwd|password|secret|token|credential|bind_?pw|(?:\A|_)pw(?:_|\Z)|api_?key", re.IGNORECASE
)
#: Names of that look whose values are tables, policies or files (postconf(5)).
_HARMLESS_NAME = re.compile(
    rb"(?:smtp|lmtp|smtpd|tlsproxy)_sasl_(?:password|passwd)_(?:maps|result_delimiter|result_separator)\Z"
    rb"|\w*_(?:maps|file|path|database|map|table|list|delimiter|timeout|size|limit|time|ttl|expire|interval)\Z"
)
#: Their values have colons of their own: ciphers, curves, networks, formats.
_COLONS = re.compile(rb"cipher|curves|protocols|networks|interfaces|banner|_format\Z|grade|delimiter|separator")
_PASSWORD_TABLE = re.compile(rb"passwo?r?d|sasl.*pass|credential|secret", re.IGNORECASE)
_ENVIRONMENT = re.compile(rb"environ", re.IGNORECASE)
_ASSIGNED = re.compile(rb"\b[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*([^\s,{}]+)")
_REFERENCE = re.compile(rb"\$(?:\w+|\{\w+\}|\(\w+\))\Z")
_STATIC = re.compile(rb"\bstatic:(?!\{|[ \t])([^\s,]+)", re.IGNORECASE)
_TABLE = re.compile(rb"\b([a-z]+):[ \t]*\{", re.IGNORECASE)
#: Not that of ${name}, nor of ${name?{text}:{text}}.
_BRACE = re.compile(rb"(?<![$?])(?<!\}:)\{")
_ENDPOINT = re.compile(rb"\{[ \t]*(?:inet|inet6|unix|local|fifo):[^\s,{}:]+(?::[\w-]+)?(?:,|[ \t]|\})")
_URL = re.compile(rb"\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s:/@,]*:([^\s@/]+)(?=@)")
_WORDS = rb"(?:pass|passwd|password|pwd|bind_?pw|secret|token)"
_NOT_A_TABLE = rb"(?!\w{0,30}_(?:maps?|files?|path|tables?|database)\b)"
_NAMED = re.compile(
    rb"(?:" + _WORDS + _NOT_A_TABLE + rb"\w{0,30}|\bpw)[ \t]*=[ \t]*(?!\$|\[redacted\]|[a-z]{1,12}:/)([^\s,}]+)"
    rb"|--?" + _WORDS + rb"(?:[ \t]+|=)([^\s,}]+)",
    re.IGNORECASE,
)
#: ``left:right`` as a word. The left side of these is a type of table, a transport or an endpoint.
_PAIR = re.compile(rb"(?<![\w:\]./@$%-])([A-Za-z0-9_.+@-]+):([^\s,:/$\[\](){}|][^\s,{}]*)")
_TYPES = frozenset(
    b"""
    btree cdb cidr dbm environ fail hash inline internal ldap lmdb memcache mongodb mysql netinfo nis nisplus pcre
    pgsql pipemap proxy randmap regexp sdbm socketmap sqlite static tcp texthash unionmap unix inet inet6 local fifo
    pass smtp lmtp relay smtps submission error retry discard virtual maildrop cyrus procmail uucp ifmail bsmtp
    scalemail mailman dovecot http https ldaps ldapi unix-dgram dane filter redirect prepend host dns native
    """.split()
)
_HOST_OR_PORT = re.compile(rb"(?:\d+|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?::\d+)?|localhost(?::\d+)?)[.,;]?\Z")
_ADDRESS = re.compile(rb"[0-9A-Fa-f:.]+(?:/\d+)?\Z")
_TOLD = re.compile(
    rb"\b(?:pass\w*|pwd|secret|token|credentials?|pw|api.?key)\b[^:=]{0,60}[:=][ \t]*(\S.*)\Z",
    re.IGNORECASE | re.DOTALL,
)


def mask_value(name: bytes, value: bytes) -> list[Mask]:
    """Return what to mask in a value, in the order of its places.

    >>> mask_value(b"my_login", b"static:u|pw")
    [(7, 11, b'[redacted]')]
    """
    bare = value.rstrip()
    if _SECRET_NAME.search(name) and not _HARMLESS_NAME.match(name):
        start = len(bare) - len(bare.lstrip())
        hides = bare.strip() and not _REFERENCE.match(bare.strip()) and not _is_masked(bare)
        return [(start, len(bare), MARK)] if hides else []
    found = list(_in_environment(bare)) if _ENVIRONMENT.search(name) else []
    found += _in_tables(bare, is_password_table=_PASSWORD_TABLE.search(name) is not None)
    found += _in_text(bare)
    if not _COLONS.search(name):
        found += _in_pairs(bare)
    return _merge(found, bare)


def mask_comment(value: bytes) -> list[Mask]:
    """Return what to mask in a comment: the same, and what follows the word for a secret."""
    bare = value.rstrip()
    found = [*_in_tables(bare, is_password_table=False), *_in_text(bare)]
    if told := _TOLD.search(bare):
        found.append((*told.span(1), MARK))
    return _merge(found, bare)


def _is_masked(value: bytes) -> bool:
    return not value.replace(MARK, b"").strip()


def _merge(found: list[Mask], value: bytes) -> list[Mask]:
    """Return the masks without those that lie in others, and without what is masked already."""
    kept: list[Mask] = []
    for start, end, put in sorted(found, key=lambda mask: (mask[0], -mask[1])):
        inside = kept and start < kept[-1][1]
        if not inside and not _is_masked(value[start:end]) and not value[start:end].startswith(MARK):
            kept.append((start, end, put))
    return kept


def _in_environment(value: bytes) -> list[Mask]:
    return [(*found.span(1), MARK) for found in _ASSIGNED.finditer(value)]


def _in_text(value: bytes) -> list[Mask]:
    named = [(*found.span(found.lastindex or 0), MARK) for found in _NAMED.finditer(value)]
    return named + [(*found.span(1), MARK) for found in _URL.finditer(value) if not found[1].startswith(b"$")]


def _in_pairs(value: bytes) -> list[Mask]:
    return [
        (*found.span(2), MARK)
        for found in _PAIR.finditer(value)
        if found[1].lower() not in _TYPES and not _HOST_OR_PORT.match(found[2]) and not _ADDRESS.match(found[0])
    ]


def _in_tables(value: bytes, *, is_password_table: bool) -> list[Mask]:
    found: list[Mask] = []
    for static in _STATIC.finditer(value):
        if is_password_table or re.search(rb"[:|;=]", static[1]):
            found.append((*static.span(1), MARK))
    at = 0
    while (brace := _BRACE.search(value, at)) is not None:
        start, end = brace.start(), _closing_brace(value, brace.start())
        table = _TABLE.search(value, max(0, start - 40), start + 1)
        kind = table[1].lower() if table and table.end() == start + 1 else b""
        found += _in_braces(kind, value, start, end, is_password_table)
        at = end
    return found


def _in_braces(kind: bytes, value: bytes, start: int, end: int, is_password_table: bool) -> list[Mask]:
    closed = value[start:end].endswith(b"}") and end - start > 1
    inner = (start + 1, end - 1 if closed else end)
    if kind == b"inline" and closed:
        return _in_inline(value, *inner, is_password_table)
    if not kind and _ENDPOINT.match(value, start):
        return []
    if not value[slice(*inner)].strip() or _is_masked(value[slice(*inner)]):
        return []
    return [(*inner, b" " + MARK + b" " if kind == b"static" else MARK)]


_GROUP = re.compile(rb"\{[^{}=]*=([^{}]*)\}")
_ENTRY = re.compile(rb"(?:\A|(?<=[{,\s]))[^{}=,\s]+=([^{},\s]+)")


def _in_inline(value: bytes, start: int, end: int, is_password_table: bool) -> list[Mask]:
    """Mask the values of ``key = value`` pairs; whatever in these braces is no such pair goes as a whole."""
    groups = [_strip(value, *found.span(1)) for found in _GROUP.finditer(value, start, end)]
    rest = _GROUP.sub(lambda found: b" " * len(found[0]), value[start:end])
    entries = [(start + found.start(1), start + found.end(1)) for found in _ENTRY.finditer(rest)]
    left = _ENTRY.sub(b"", rest).strip(b" \t,\r\n")
    if left:
        return [(start, end, MARK)]
    return [
        (first, last, MARK)
        for first, last in (*groups, *entries)
        if first < last and (is_password_table or re.search(rb"[:|;]", value[first:last]))
    ]


def _strip(value: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the place without the white space at its ends."""
    text = value[start:end]
    return start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())


def _closing_brace(value: bytes, opening: int) -> int:
    depth = 0
    for index in range(opening, len(value)):
        depth += (value[index : index + 1] == b"{") - (value[index : index + 1] == b"}")
        if depth == 0:
            return index + 1
    return len(value)
