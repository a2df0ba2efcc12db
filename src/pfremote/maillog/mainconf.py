"""Take the secrets out of a main.cf; everything else stays byte for byte."""

from __future__ import annotations

import re

_MARK = b"[redacted]"
_NAME = re.compile(rb"([ \t]*#[# \t]*)?([A-Za-z_][A-Za-z0-9_]*)([ \t]*=[ \t]*)", re.ASCII)
#: Parameters whose names say that their value is a secret. Postfix has none; users and $name macros do.
_SECRET_NAME = re.compile(rb"pass(?!ed|ive)|passwd|password|secret|token|credential|_pw\Z|api_?key", re.IGNORECASE)
#: Names of that look whose values are tables, policies or files (postconf(5)).
_HARMLESS_NAME = re.compile(
    rb"(?:smtp|lmtp|smtpd|tlsproxy)_sasl_(?:password|passwd)_(?:maps|result_delimiter|result_separator)\Z"
    rb"|\w*_(?:maps|file|path|database|map|table|list|delimiter|timeout|size|limit|time|ttl|expire|interval)\Z"
)
#: static: gives its value for every key; for passwords that is "user:password" (DATABASE_README).
_STATIC = re.compile(rb"(\bstatic:)(?:(\{)[ \t]*([^}\n]*)(\}?)|([^\s,]+))", re.IGNORECASE)
#: inline: holds key=value pairs; the others hold patterns whose values cannot be told apart for sure.
_BRACED = re.compile(rb"\b(inline|pcre|regexp|cidr):\{", re.IGNORECASE)
_URL = re.compile(rb"(\b[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@,]*:)([^\s@/]+)(?=@)")
_PASSWORD_TABLE = re.compile(rb"passwo?r?d|sasl.*pass|credential|secret", re.IGNORECASE)
_BIND = re.compile(rb"(\b(?:bind_pw|password|passwd|secret|token)[ \t]*=[ \t]*)([^\s,}]+)", re.IGNORECASE)


def redact_main_cf(text: bytes) -> bytes:
    """Return ``text`` with secret values replaced by ``[redacted]``.

    Masked are values of parameters whose name says so, ``user:password`` in ``static:`` and ``inline:``
    tables, passwords in URLs, and the same in comments. Idempotent; line ends and layout are kept.

    >>> redact_main_cf(b"relayhost = [mx]:587\\nsmtp_sasl_password_maps = static:u:pw\\n")
    b'relayhost = [mx]:587\\nsmtp_sasl_password_maps = static:[redacted]\\n'
    """
    return b"".join(_redact_entry(entry) for entry in _split_entries(text))


def _split_entries(text: bytes) -> list[list[bytes]]:
    """Group lines as postconf(5) reads them: a line that starts with white space continues the last one.

    Comments and empty lines in between do not end an entry; they are entries of one line of their own, save
    that what continues after them belongs to the parameter before.
    """
    entries: list[list[bytes]] = []
    for line in text.splitlines(keepends=True) if b"\r" not in text else _split_at_newline(text):
        continues = line[:1] in (b" ", b"\t") and line.strip() and not line.lstrip().startswith(b"#")
        blank = not line.strip() or line.lstrip().startswith(b"#")
        if entries and (continues or (blank and not _NAME.match(line))):
            entries[-1].append(line)
        else:
            entries.append([line])
    return entries


def _split_at_newline(text: bytes) -> list[bytes]:
    return [line for line in re.split(rb"(?<=\n)", text) if line]


def _redact_entry(lines: list[bytes]) -> bytes:
    found = _NAME.match(lines[0])
    if found is None:
        return b"".join(_redact_value(line, is_password_table=False) for line in lines)
    name = found[2]
    if _SECRET_NAME.search(name) and not _HARMLESS_NAME.match(name):
        head = lines[0][: found.end()]
        return head + _mask_text(lines[0][found.end() :]) + b"".join(_mask_continued(line) for line in lines[1:])
    is_table = _PASSWORD_TABLE.search(name) is not None
    joined = b"".join(lines)
    head = joined[: found.end()]
    return head + _redact_value(joined[found.end() :], is_password_table=is_table)


def _mask_continued(line: bytes) -> bytes:
    if not line.strip() or line.lstrip().startswith(b"#"):
        return _redact_value(line, is_password_table=False)
    indent = line[: len(line) - len(line.lstrip())]
    return indent + _mask_text(line[len(indent) :])


def _mask_text(value: bytes) -> bytes:
    bare = value.rstrip()
    # A bare $name is a reference, not a value.
    if not bare or re.fullmatch(rb"\$(?:\w+|\{\w+\}|\(\w+\))", bare):
        return value
    return _MARK + value[len(bare) :]


def _redact_value(value: bytes, *, is_password_table: bool) -> bytes:
    value = _STATIC.sub(lambda found: _mask_static(found, is_password_table), value)
    value = _mask_inline(value, is_password_table)
    value = _BIND.sub(lambda found: found[1] + _keep_or_mask(found[2]), value)
    return _URL.sub(lambda found: found[1] + _keep_or_mask(found[2]), value)


def _keep_or_mask(value: bytes) -> bytes:
    is_reference = value.startswith((b"$", _MARK)) or re.match(rb"[a-z]+:/", value)
    return value if is_reference else _MARK


def _mask_static(found: re.Match[bytes], is_password_table: bool) -> bytes:
    value = found[3] if found[2] else found[5]
    if not (is_password_table or b":" in value) or value.startswith(_MARK):
        return found[0]
    return found[1] + (found[2] + b" " + _MARK + b" " + found[4] if found[2] else _MARK)


def _mask_inline(text: bytes, is_password_table: bool) -> bytes:
    """Mask the values of tables that are written out in braces; counting braces tells where one ends."""
    parts: list[bytes] = []
    at = 0
    while (found := _BRACED.search(text, at)) is not None:
        start, end = found.end() - 1, _closing_brace(text, found.end() - 1)
        parts.append(text[at:start])
        table = text[start:end]
        if found[1].lower() == b"inline":
            parts.append(_mask_pairs(table, is_password_table))
        else:
            parts.append(b"{" + _MARK + b"}" if is_password_table and table.endswith(b"}") else table)
        at = end
    parts.append(text[at:])
    return b"".join(parts)


def _closing_brace(text: bytes, opening: int) -> int:
    depth = 0
    for index in range(opening, len(text)):
        depth += (text[index : index + 1] == b"{") - (text[index : index + 1] == b"}")
        if depth == 0:
            return index + 1
    return len(text)


_GROUP_PAIR = re.compile(rb"(\{\s*[^{}=]+?\s*=\s*)([^{}]*?)(\s*\})")
_PAIR = re.compile(rb"([{,\s][^{}=,\s]+=)([^{},\s]+)")


def _mask_pairs(table: bytes, is_password_table: bool) -> bytes:
    def mask(found: re.Match[bytes]) -> bytes:
        value = found[2]
        hides = is_password_table or b":" in value
        if not hides or not value or value.startswith(_MARK):
            return found[0]
        return b"".join((found[1], _MARK, *found.groups()[2:]))

    # The outermost braces belong to the table; inside them {key = value} may hold blanks.
    inner = table[1:]
    return table[:1] + _PAIR.sub(mask, _GROUP_PAIR.sub(mask, b" " + inner))[1:]
