"""Where a Postfix log line may hold a credential, for the proof pass. Shares no code with the redactor."""

from __future__ import annotations

import re
from dataclasses import dataclass

MARK = re.compile(
    r"\[redacted: (?:password|bearer token|authentication response|challenge|user name|table value"
    r"|Dovecot cookie|message content|decrypted data|TLS bytes|TLS ticket key|TLS session|random seed"
    r"|unrecognised command|known secret|long opaque value)(?: of ([A-Za-z0-9_.+@=\\-]+))?\]"
)
#: Stands for a mark while a line is looked at; no log line has it, since Postfix prints no control character.
STAND_IN = "\x01"
_M = STAND_IN
_PROMPT = r"(?:VXNlcm5hbWU6|UGFzc3dvcmQ6|VXNlciBOYW1lAA==|UGFzc3dvcmQA|Username:|Password:|User Name|Password)?"


@dataclass(frozen=True, slots=True)
class Place:
    """``trigger`` (lower case) leads to the place; ``bad`` matches a line where something is left in it."""

    trigger: str
    bad: re.Pattern[str]
    reason: str


def _place(trigger: str, bad: str, reason: str) -> Place:
    return Place(trigger, re.compile(bad, re.IGNORECASE | re.DOTALL), reason)


_COMMANDS = (
    r"(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT|VRFY|EXPN|ETRN|STARTTLS|XCLIENT|XFORWARD|HELP"
    r"|TURN|ATRN|AUTH|SEND|SOML|SAML|GET|POST|HEAD|PUT|OPTIONS|CONNECT|PROXY)"
)
_DIALOGUE = (
    rf"(?:^|\]:|\[) ?[<>] \S+: (?!{_M}|\*?$|\s*\.?\s*\]?$|(?:2|3(?!34)|4|5)\d\d(?:[ -]|$)"
    rf"|334 ?(?:{_PROMPT}|{_M})\s*\]?$|\s*{_COMMANDS}(?:[\s=]|$))"
)
PLACES = (
    _place("< ", _DIALOGUE, "a line of the dialogue that is no command and no reply"),
    _place("> ", _DIALOGUE, "a line of the dialogue that is no command and no reply"),
    _place(
        "auth",
        rf"(?<!250[- ])\bauth[ =]+(?!from |socket |reply)[a-z][\w-]*[ ?]+(?!{_M})\S*[\w+/=]{{4}}.*",
        "data after AUTH",
    ),
    _place("init_response", rf"init_response (?!{_M})", "an initial response"),
    _place("coded ", rf"coded [a-z ]*?(?:response|reply|challenge):? (?!{_M}|{_PROMPT}$)", "a decoded response"),
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
    # smtp/smtp_sasl_auth_cache.c: an unsalted SHA-1 of the password, in base64.
    _place("=;", r";[A-Za-z0-9+/]{27}=;", "the hash of a password"),
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
