"""The marks that stand where a credential stood: one style, never a piece of the secret nor its length."""

from __future__ import annotations

import re
from collections.abc import Callable

UNKNOWN = "(unknown)"

PASSWORD = "password"  # noqa: S105 - the word, not one
TOKEN = "bearer token"  # noqa: S105 - the same
RESPONSE = "authentication response"
CHALLENGE = "challenge"
USER_NAME = "user name"
TABLE_VALUE = "table value"
COOKIE = "Dovecot cookie"
CONTENT = "message content"
DECRYPTED = "decrypted data"
WIRE = "TLS bytes"
TICKET_KEY = "TLS ticket key"
TLS_SESSION = "TLS session"
SEED = "random seed"
COMMAND = "unrecognised command"
LEARNED = "known secret"
OPAQUE = "long opaque value"
#: Kinds of exposures only, which never stand in a mark: what stood where a credential belongs was none.
EMPTY = "empty password"
HEADER = "message header"

_KINDS = (
    PASSWORD,
    TOKEN,
    RESPONSE,
    CHALLENGE,
    USER_NAME,
    TABLE_VALUE,
    COOKIE,
    CONTENT,
    DECRYPTED,
    WIRE,
    TICKET_KEY,
    TLS_SESSION,
    SEED,
    COMMAND,
    LEARNED,
    OPAQUE,
)
_ACCOUNT = r"[A-Za-z0-9_][A-Za-z0-9_.+@=\\-]{0,99}"

#: A mark of ours. A closed set of phrases, so that a client cannot smuggle a value through as a "mark".
MARK = re.compile(rf"\[redacted: (?:{'|'.join(_KINDS)})(?: of {_ACCOUNT})?\]")

_SHOWABLE = re.compile(rf"{_ACCOUNT}\Z")


def mark(kind: str, account: str = UNKNOWN) -> str:
    """Return the text that replaces a secret of ``kind``.

    >>> mark(PASSWORD, "alice")
    '[redacted: password of alice]'
    >>> mark(PASSWORD)
    '[redacted: password]'
    """
    named = account != UNKNOWN and is_showable(account)
    return f"[redacted: {kind} of {account}]" if named else f"[redacted: {kind}]"


def is_mark(text: str) -> bool:
    """Say whether this is a mark and nothing else; most texts do not even begin like one."""
    return text.startswith("[redacted: ") and MARK.fullmatch(text) is not None


def mask_rest(found: re.Match[str], kind: str) -> str:
    """Return a line as a mark behind its first group, where the second, all the rest, is none yet."""
    return found[0] if is_mark(found[2]) else found[1] + mark(kind)


def mask_as(kind: str) -> Callable[[re.Match[str]], str]:
    """Return what puts a mark of ``kind`` behind the first group of a match."""
    return lambda found: found[1] + mark(kind)


def is_showable(account: str) -> bool:
    """Say whether a decoded user name may stand in a mark: plain characters, and no look of a token."""
    return _SHOWABLE.match(account) is not None and not is_opaque(account)


def split_at_colon(text: str) -> tuple[str, str, str]:
    """Partition at the first ``: `` that is not inside a mark."""
    head, colon, rest = text.partition(": ")
    return (text, "", "") if head.endswith("[redacted") else (head, colon, rest)


_RUNS = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}|[A-Za-z0-9_-]{24,}={0,2}")
_HEX = re.compile(r"[0-9A-Fa-f]{24,}")
_CHANGES = re.compile(r"[a-z][A-Z0-9+]|[0-9+][A-Za-z]|[A-Z][0-9+]")


def is_opaque(value: str) -> bool:
    """Say whether ``value`` holds 24 or more characters that look like base64 or hex rather than words.

    >>> is_opaque("QWxhZGRpbjpvcGVuIHNlc2FtZQ"), is_opaque("smtpd_sasl_mechanism_filter")
    (True, False)
    """
    return len(value) >= 24 and any(looks_random(found[0]) for found in _RUNS.finditer(value))


def looks_random(run: str) -> bool:
    """Judge one run of base64 alphabet: hex with digits and letters, or case and digits changing often."""
    for found in _HEX.finditer(run):
        if not found[0].isdigit() and not found[0].isalpha():
            return True
    for found in _BASE64.finditer(run):
        text = found[0]
        # Words, paths and parameter names change their character class once or twice, random text often.
        if any(c.islower() for c in text) and any(c.isupper() for c in text) and len(_CHANGES.findall(text)) >= 4:
            return True
    return False
