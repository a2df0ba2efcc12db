"""A second look at redacted lines that trusts nobody: what cannot be shown to be clean is withheld.

Shares no code with the redactor. It looks at the final text only, knows the places where Postfix writes a
credential, and demands that each holds a mark of the redactor, or one of the few texts known to be harmless;
and it looks for every secret that the redactor learnt, in every spelling.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, islice

from pfremote.maillog.proof_spelling import find_secret, spell
from pfremote.maillog.record import Record
from pfremote.maillog.redact import Exposure, Redactor

_CHUNK = 2048
_MARK = re.compile(
    r"\[redacted: (?:password|bearer token|authentication response|challenge|user name|table value"
    r"|Dovecot cookie|message content|decrypted data|TLS bytes|TLS ticket key|TLS session|random seed"
    r"|unrecognised command|known secret|long opaque value)(?: of ([A-Za-z0-9_.+@=\\-]+))?\]"
)
#: Stands for a mark while a line is looked at; no log line has it, since Postfix prints no control character.
_M = "\x01"
_PROMPT = (
    r"(?:VXNlcm5hbWU6|UGFzc3dvcmQ6|VXNlciBOYW1lAA==|UGFzc3dvcmQA|Username:|Password:|User Name|Password)?"
)


@dataclass(frozen=True, slots=True)
class Withheld:
    """A line that is not shown: its 1-based number and why, in a few words that quote nothing of it."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How many lines were looked at, and which of them may not be shown."""

    lines_checked: int
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class RedactedCapture:
    """Records that may be stored and shown; ``withheld`` numbers are record numbers."""

    records: tuple[Record, ...]
    exposures: tuple[Exposure, ...]
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """``trigger`` (lower case) leads to the place; ``bad`` matches a line where something is left in it."""

    trigger: str
    bad: re.Pattern[str]
    reason: str


def _place(trigger: str, bad: str, reason: str) -> _Place:
    return _Place(trigger, re.compile(bad, re.IGNORECASE | re.DOTALL), reason)


_COMMANDS = (
    r"(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT|VRFY|EXPN|ETRN|STARTTLS|XCLIENT|XFORWARD|HELP"
    r"|TURN|ATRN|AUTH|SEND|SOML|SAML|GET|POST|HEAD|PUT|OPTIONS|CONNECT|PROXY)"
)
_DIALOGUE = (
    rf"(?:^|\]:|\[) ?[<>] \S+: (?!{_M}|\*?$|\s*\.?\s*\]?$|(?:2|3(?!34)|4|5)\d\d(?:[ -]|$)"
    rf"|334 ?(?:{_PROMPT}|{_M})\s*\]?$|\s*{_COMMANDS}(?:[\s=]|$))"
)
_PLACES = (
    _place(" < ", _DIALOGUE, "a line of the dialogue that is no command and no reply"),
    _place(" > ", _DIALOGUE, "a line of the dialogue that is no command and no reply"),
    _place(
        "auth",
        rf"(?<!250[- ])\bauth[ =]+(?!from |socket |reply)[a-z][\w-]*[ ?]+(?!{_M})\S*[\w+/=]{{4}}.*",
        "AUTH with data",
    ),
    _place("init_response", rf"init_response (?!{_M})", "an initial response"),
    _place(
        "coded ", rf"coded [a-z ]*?(?:response|reply|challenge):? (?!{_M}|{_PROMPT}$)", "a decoded response"
    ),
    _place("get_passwd", rf"_get_passwd: (?!{_M})", "a client password"),
    _place("pass `", rf"pass `(?!{_M})", "a client password"),
    _place("cookie", rf"cookie\?(?!{_M})", "a Dovecot cookie"),
    _place("cont?", rf"reply: cont\?\d+\?(?!{_M}|{_PROMPT}$)", "a challenge"),
    _place(
        "reply: ",
        rf"auth reply: (?:ok|fail)\?\d+.*?\?(?!{_M}|(?:user|original_user|auth_user|code|reason)="
        r"|(?:temp|authz|user_disabled|pass_expired|nologin|anonymous)(?:\?|$)|\?|$)",
        "a field of an authentication reply",
    ),
    _place("rec_", rf"rec_(?:put|get): .* data (?!{_M}|$)", "message content"),
    _place(" chars: ", r"(?:read|write) -?\d+ chars: ", "decrypted data"),
    _place("netstring", rf"netstring .*data (?!{_M})", "message content"),
    _place("password_maps: ", rf"password_maps: (?!\S+: not found$|{_M}$|.* = {_M}$)", "a client password"),
    _place("mail_addr_find", rf"mail_addr_find: .* -> (?!{_M}).*:", "a client password"),
    _place("static:", rf"static:(?!{_M})[^\s:,()]+:(?!{_M})[^\s,()]", "a password in a table name"),
    _place("inline:", rf"inline:(?!{_M})\{{[^}}]*:", "a password in a table name"),
    _place("bearer", rf"\bbearer\s+(?!{_M})\S", "a bearer token"),
    _place("sasl authentication ", rf"sasl authentication (?:pass|trace): (?!{_M})\S", "a plug-in's trace"),
    _place("attr value = ", rf"send attr value = (?!{_M})\S", "a table value"),
    _place("result=", rf"dict_proxy_lookup: .* result=(?!{_M}|$).*:", "a table value"),
    _place("://", rf"://[^\s:/@]*:(?!{_M})[^\s@/]+@", "a password in a URL"),
    _place("pass", rf"\bpass(?:word|wd|phrase)?[\"']?(?:=| = |: )[\"']?(?!{_M}|\s|hash:|$)\S", "a password"),
    _place("secret", rf"secret[\"']?(?:=| = )[\"']?(?!{_M})\S", "a secret"),
    _place("_pw", rf"_pw(?:=| = )(?!{_M})\S", "a password"),
    _place("token", rf"token[\"']? ?[=:] ?[\"']?(?!{_M})[\w.+/-]{{8}}", "a token"),
    _place(
        "pipelining after",
        rf"pipelining after .*?\]\S*: (?!{_M}).*(?:auth|[\w+/]{{12}}={{1,2}})",
        "early data",
    ),
)
_DUMP = re.compile(r"(?:^|\]: )[0-9a-f]{4,8} (?:[0-9a-f]{2}[ |-]|- <)", re.MULTILINE)
_LONG = re.compile(r"[A-Za-z0-9+/]{28}")
_RUN = re.compile(r"[A-Za-z0-9+/]{28,}={0,2}")
_KNOWN_RUN = re.compile(
    r"message-id(?:=|: )<|session |TLS cache |send attr cache_id = ",
    re.IGNORECASE,
)
_REST_OF_ADDRESS = re.compile(r"[\w.+=-]{0,64}@")


def prove(lines: Iterable[str], secrets: Iterable[str] = ()) -> Proof:
    """Look at redacted ``lines``, in which no spelling of ``secrets`` may occur.

    >>> prove(["mx postfix/smtpd[7]: < c[192.0.2.5]: AUTH PLAIN AGFsaWNlAFMzY3JldFBX"]).withheld
    (Withheld(number=1, reason='AUTH with data'),)
    """
    needles = spell(secrets)
    source = iter(lines)
    done = 0
    withheld: list[Withheld] = []
    while chunk := list(islice(source, _CHUNK)):
        found = dict(_look(chunk, needles))
        withheld += [Withheld(done + index + 1, found[index]) for index in sorted(found)]
        done += len(chunk)
    return Proof(done, tuple(withheld))


def withhold(reason: str) -> str:
    """Return the text that stands for a line that may not be shown.

    >>> withhold("AUTH with data")
    '[line withheld: AUTH with data]'
    """
    return f"[line withheld: {reason}]"


def redact_and_prove(records: Iterable[Record]) -> RedactedCapture:
    """Redact a capture and prove the result; a record that cannot be proven keeps its head only."""
    redactor = Redactor()
    redacted = [redactor.redact(record) for record in records]
    # Debug logs say the same thing over and over: each text is looked at once.
    texts = list(dict.fromkeys(record.text for record in redacted))
    reasons = {texts[item.number - 1]: item.reason for item in prove(texts, redactor.secrets).withheld}
    withheld = []
    for index, record in enumerate(redacted if reasons else ()):
        if record.text in reasons:
            reason = reasons[record.text]
            redacted[index] = replace(record, text=withhold(reason))
            withheld.append(Withheld(record.number, reason))
    return RedactedCapture(tuple(redacted), redactor.exposures, tuple(withheld))


def _look(chunk: list[str], needles: dict[str, bool]) -> Iterator[tuple[int, str]]:
    """Yield (index, reason) for each line that may not be shown; an index may come more than once."""
    text = "\n".join(chunk)
    starts = [0, *accumulate(len(line) + 1 for line in chunk)]
    lowered = text.lower()
    if len(lowered) != len(text):
        # Lower case of some letters is longer; then positions would not fit. ASCII is all that matters here.
        lowered = text.translate(_ASCII_LOWER)
    yield from _look_at_places(chunk, lowered, starts)
    yield from _look_for_data(chunk, text, starts)
    for needle, whole_word in needles.items():
        for index in _lines_with(needle, text, starts):
            if find_secret(needle, _MARK.sub(r"\1", chunk[index]), whole_word=whole_word):
                yield index, "a secret that another line gave away"


def _look_at_places(chunk: list[str], lowered: str, starts: list[int]) -> Iterator[tuple[int, str]]:
    for place in _PLACES:
        for index in _lines_with(place.trigger, lowered, starts):
            if place.bad.search(_MARK.sub(_M, chunk[index])):
                yield index, place.reason


def _look_for_data(chunk: list[str], text: str, starts: list[int]) -> Iterator[tuple[int, str]]:
    for found in _DUMP.finditer(text):
        yield bisect_right(starts, found.start()) - 1, "bytes of a TLS connection"
    seen = -1
    for found in _LONG.finditer(text):
        index = bisect_right(starts, found.start()) - 1
        if index == seen:
            continue
        seen = index
        if _has_opaque_run(_MARK.sub(_M, chunk[index])):
            yield index, "a long value of unknown meaning"


_ASCII_LOWER = {code: code + 32 for code in range(65, 91)}


def _lines_with(needle: str, text: str, starts: list[int]) -> Iterator[int]:
    at = text.find(needle)
    while at >= 0:
        index = bisect_right(starts, at) - 1
        yield index
        at = text.find(needle, starts[index + 1])


def _has_opaque_run(line: str) -> bool:
    if _KNOWN_RUN.search(line):
        return False
    for found in _RUN.finditer(line):
        run = found[0]
        if _REST_OF_ADDRESS.match(line, found.end()):
            continue
        if re.search("[0-9]", run) and re.search("[A-Z]", run) and re.search("[a-z]", run):
            return True
    return False
