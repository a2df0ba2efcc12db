"""Tables that are written out where their name stands (DATABASE_README), and the literals of queries.

``type:name`` and the key of a lookup are shown; what a table answers, what is written out in braces, and the
literals of SQL and LDAP queries are not. Everything here takes one pass over the line.
"""

from __future__ import annotations

import re

from pfremote.maillog.redact import masks
from pfremote.maillog.redact.literals import replace_outside_marks
from pfremote.maillog.redact.masks import mark

#: Tables whose name may be their content; util/dict_inline.c, dict_regexp.c, dict_pcre.c, dict_cidr.c, dict_static.c,
#: and those that are made of others.
_BRACED = re.compile(r"\b(?:static|inline|regexp|pcre|cidr|texthash|pipemap|unionmap|randmap):\s*(?=\{)")
#: dict_regexp.c, dict_pcre.c and dict_cidr.c log their name without the type: ``dict_regexp_lookup: NAME: KEY``.
_BARE = re.compile(r"dict_[a-z]+_[a-z]+: (?=\{)|(?:dict|maps)_[a-z]+: (?=\{)")
_PAIR = re.compile(r"[\w.@-][:|;=][^\s/:|;={}]")
_STATIC = re.compile(r"\bstatic:(?=[^\s{])(?!\[redacted: )")
#: What static: gives in access maps and lists; a password is none of these.
_PLAIN_STATIC = re.compile(
    r"(?:ok|dunno|reject|permit|defer|discard|hold|all|any|yes|no|root|nobody|vmail|rest|\d+)\b", re.IGNORECASE
)
_VERB = re.compile(r"\b(?:select|insert|update|delete|call|exec)\s", re.IGNORECASE)
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"|'(?! from host )[^']*\Z|\"[^\"]*\Z")
_ASSERTION = re.compile(r"(\([A-Za-z][\w;.-]{0,60}(?:[~<>]?=|:=))([^()*]+)(?=\)|\Z|\*)")


def mask_inline(text: str) -> str:
    """Mask every table that is written out in ``text``.

    >>> mask_inline("dict_regexp_lookup: {{/x/ u:hidden}}: relay.example.jp")
    'dict_regexp_lookup: [redacted: table value]: relay.example.jp'
    """
    if "{" not in text:
        return _mask_static(text) if "static:" in text else text
    at = 0
    parts: list[str] = []
    of_tables = text.startswith(("dict_", "maps_", "mail_addr_", "send attr "))
    while (found := _BRACED.search(text, at) or _BARE.match(text, at)) is not None:
        end = _closing_brace(text, found.end())
        if not of_tables and not found[0].startswith(("inline", "static")) and not _PAIR.search(text, found.end(), end):
            parts.append(text[at:end])  # a pattern and an action
            at = end
            continue
        parts += (text[at : found.end()].rstrip(), " " if found[0].endswith(": ") else "", mark(masks.TABLE_VALUE))
        at = end
    return _mask_static("".join((*parts, text[at:])))


def _mask_static(text: str) -> str:
    found = _STATIC.search(text)
    if found is None or _PLAIN_STATIC.match(text, found.end()):
        return text
    # The value may hold any character, and the line does not say where it ends.
    whole = text.startswith(("dict_", "maps_", "send attr "))
    end = len(text) if whole else _first_space(text, found.end())
    return text[: found.end()] + mark(masks.TABLE_VALUE) + text[end:]


def _first_space(text: str, start: int) -> int:
    end = text.find(" ", start)
    return len(text) if end < 0 else end


def _closing_brace(text: str, opening: int) -> int:
    """Return where the braces that open here are closed; the end of the line where they are not."""
    depth = 0
    for at in range(opening, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at + 1
    return len(text)


def mask_query(text: str) -> str:
    """Mask the literals of an SQL query or of an LDAP filter.

    >>> mask_query("dict_mysql: successful query 'SELECT p FROM t WHERE u='bob'' from host db")
    "dict_mysql: successful query 'SELECT p FROM t WHERE u=[redacted: table value]' from host db"
    >>> mask_query("dict_ldap_lookup: Searching with filter (&(mail=bob)(objectClass=*))")
    'dict_ldap_lookup: Searching with filter (&(mail=[redacted: table value])(objectClass=*))'
    """
    verb = _VERB.search(text)
    if verb is not None:
        head, query = text[: verb.start()], text[verb.start() :]
        return head + replace_outside_marks(query, lambda part: _LITERAL.sub(mark(masks.TABLE_VALUE), part))
    if "(" in text and "=" in text:
        return replace_outside_marks(
            text, lambda part: _ASSERTION.sub(lambda found: found[1] + mark(masks.TABLE_VALUE), part)
        )
    return text
