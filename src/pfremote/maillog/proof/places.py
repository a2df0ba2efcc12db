"""Where a Postfix log line may hold a credential, for the proof pass. Shares no code with the redactor."""

from __future__ import annotations

import binascii
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
#: What servers say to ask for the two parts of LOGIN, in clear and coded; matched without regard to case.
_PROMPTS = [
    f"{word}{end}"
    for word in ("Username", "username", "User Name", "Login", "login", "Password", "password", "Passcode")
    for end in ("", ":", ": ", "\0", ":\0")
]
_PROMPT = (
    "(?:"
    + "|".join(
        re.escape(text)
        for prompt in _PROMPTS
        for text in (prompt.replace("\0", ""), binascii.b2a_base64(prompt.encode(), newline=False).decode())
    )
    + ")?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """``triggers`` (lower case) lead to the place, each alone; ``bad`` matches a line where something is left in it."""

    triggers: tuple[str, ...]
    bad: re.Pattern[str]
    reason: str


def _place(trigger: str | tuple[str, ...], bad: str, reason: str) -> Place:
    return Place(
        (trigger,) if isinstance(trigger, str) else trigger, re.compile(bad, re.IGNORECASE | re.DOTALL), reason
    )


_COMMANDS = (
    r"(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT|VRFY|EXPN|ETRN|STARTTLS|XCLIENT|XFORWARD|HELP"
    r"|TURN|ATRN|AUTH|SEND|SOML|SAML|GET|POST|HEAD|PUT|OPTIONS|CONNECT|PROXY)"
)
_MECHANISM = (
    r"(?:plain|login|(?:cram|digest|scram)-[\w-]+|ntlm|gssapi|gss-spnego|gs2-[\w-]+|external|anonymous|otp|skey|apop"
    r"|x?oauth\w*|kerberos_v\d|srp\w*|eap-[\w-]+|ecdsa-[\w-]+|passdss[\w-]*|nmas[\w-]*|x-[\w-]+|xtoken"
    r"|dovecot-token|plain-clienttoken|xyme?cookie\w*|xympki|spnego|unix|rpa|msn|securid|openid20|saml20)"
)
#: The first word of a line of a settings file or table: a name, a next hop, an address. And an entry of master.cf.
_FIRST = r"(?:[a-z_][\w.-]*|\[[\w.:-]+\](?::\w+)?|[\w.+-]+@[\w.-]+)"
_SERVICE = r"\S+\s+(?:inet|unix|unix-dgram|fifo|pass)\s+[yn-]\s"
_HOP = r"(?:\[?[\w.-]+\]?|[\w.+-]+@[\w.-]+)(?::(?:\d+|smtps?|submissions?))?"
#: A word begins here; line ends may be written out before it.
_START = r"(?:\b|(?<=\\[rnt]))"
#: Somewhere in a quoted text, whose line ends are written out, begins a line that is neither command nor mark.
_QUOTED = (
    rf"(?!\\026\\003)(?:.*(?:\\[rn]|\?\?))?"
    rf"(?!{_M}|\s*{_COMMANDS}(?:[\s=\\?\"]|\.\.\.|$)|\\[rn]|\s*\.?(?:\.\.\.|\?|\"|$|\\[rn]))"
)
_SAID = r"(?:^|\]:|\[) ?[<>] \S+: "
_DIALOGUE = (
    rf"{_SAID}(?!{_M}|\*?$|\s*\.?\s*\]?$|\?(?:\?|(?<=\?\?)[!-/ ])*$|(?:2|3(?!34)|4|5)\d\d(?:[ -]|$)"
    rf"|334 ?(?:{_PROMPT}|{_M})\s*\]?$|[\s?]*{_COMMANDS}(?:[\s=?]|$))"
)
PLACES = (
    _place("< ", _DIALOGUE, "a line of the dialogue that is no command and no reply"),
    _place("> ", _DIALOGUE, "a line of the dialogue that is no command and no reply"),
    _place(
        ("auth ", "auth=", "auth?"),
        rf"{_START}(?<!250[- ])auth[ =?]+{_MECHANISM}[ ?]+(?!{_M}|{_MECHANISM}\b)\S*[\w+/=]{{4}}",
        "data after AUTH",
    ),
    _place(
        ("auth ", "auth=", "auth?"),
        rf"{_SAID}[\s?]*auth[ =?]++(?!{_M}|{_MECHANISM}(?:[\s=?]|$))\S",
        "an unknown mechanism",
    ),
    _place("authorization: ", rf"authorization: (?!{_M})\S", "a credential in a header"),
    _place("init_response", rf"init_response (?!{_M})", "an initial response"),
    _place("coded ", rf"coded [a-z ]*?(?:response|reply|challenge):? (?!{_M}|{_PROMPT}$)", "a decoded response"),
    _place("get_passwd", rf"_get_passwd: (?!{_M})", "a client password"),
    _place("pass `", rf"pass `(?!{_M})", "a client password"),
    _place("cookie?", rf"cookie\?(?!{_M})", "a Dovecot cookie"),
    _place("reply: cont?", rf"reply: cont\?\d+\?(?!{_M}|{_PROMPT}$)", "a challenge"),
    _place(
        "auth reply: ",
        rf"auth reply: (?:ok|fail)\?\d+.*?\?(?!{_M}|(?:user|original_user|auth_user|code|reason)="
        r"|(?:temp|authz|user_disabled|pass_expired|nologin|anonymous)(?:\?|$)|\?|$)",
        "a field of an authentication reply",
    ),
    _place("rec_", rf"rec_(?:put|get): .* data (?!{_M}|$)", "message content"),
    _place(" chars: ", r"(?:read|write) -?\d+ chars: ", "decrypted data"),
    _place("hbc_", rf"(?:^|\]: )hbc_\w+: (?!{_M})", "message content"),
    _place("cleanup_", rf"(?:^|\]: )cleanup_\w*header\w*: (?!{_M})", "message content"),
    _place(
        "_checks: ",
        rf"maps_find: \S*(?:header|body)_checks: (?:\S+:\S+\([^)]*\): )?+(?!{_M})",
        "message content",
    ),
    _place(" got", rf"(?:^|\]: )\S*[^\s:] got:? (?!{_M})", "a table value"),
    _place("dict_alloc(", rf'dict_alloc\("(?:static|inline)", (?!{_M})', "a password in a table name"),
    _place("dict_free ", rf'dict_free type="(?:static|inline)" (?!{_M})', "a password in a table name"),
    _place("netstring", rf"netstring .*data (?!{_M})", "message content"),
    _place("password_maps: ", rf"password_maps: (?!\S+: not found$|{_M}$|.* = {_M}$)", "a client password"),
    _place("mail_addr_find", rf"mail_addr_find: .* -> (?!{_M}|[\w-]+:\[\S+$).*:", "a client password"),
    _place("static:", rf"static:(?!{_M})[^\s:,()]+:(?!{_M})[^\s,()]", "a password in a table name"),
    _place("inline:{", rf"inline:(?!{_M})\{{[^}}]*:", "a password in a table name"),
    _place("_lookup: {", r"dict_[a-z]+_lookup: \{", "a password in a table name"),
    _place(
        ":{",
        rf"\b(?:inline|pcre|regexp|cidr|texthash):\{{(?!{_M})[^}}]{{0,600}}?[\w.@-][:|;=][^\s/:|;={{}}]",
        "a password in a table name",
    ),
    _place(
        "_commands: ",
        rf"match_string: smtpd_(?:forbidden|noop)_commands: (?!{_M}|{_COMMANDS} ~|\.? ~)",
        "what is no command",
    ),
    _place("bearer", rf"\bbearer\s+(?!{_M})\S", "a bearer token"),
    _place("sasl authentication ", rf"sasl authentication (?:pass|trace): (?!{_M})\S", "a plug-in's trace"),
    # smtp/smtp_sasl_auth_cache.c: an unsalted SHA-1 of the password, in base64.
    _place("=;", r";[A-Za-z0-9+/]{27}=;", "the hash of a password"),
    _place("send attr value = ", rf"send attr value = (?!{_M})\S", "a table value"),
    _place("dict_proxy_lookup: ", rf"dict_proxy_lookup: .* result=(?!{_M}|$).*:", "a table value"),
    _place("://", rf"://[^\s:/@]*:(?!{_M}|\d{{1,5}}(?:$|/))\S+?(?:@|$)", "a password in a URL"),
    _place(
        "pass",
        rf"\bpass(?:word|wd|phrase)?[\"']?(?:=| = |: )[\"']?(?!{_M}|\s|hash:|$|(?<=\(using password: )(?:YES|NO)\))\S",
        "a password",
    ),
    _place("secret", rf"secret[\"']?(?:=| = )[\"']?(?!{_M})\S", "a secret"),
    _place("_pw", rf"_pw(?:=| = )(?!{_M})\S", "a password"),
    _place("token", rf"token[\"']? ?[=:] ?[\"']?(?!{_M})[\w.+/-]{{8}}", "a token"),
    _place("pregreet ", rf"pregreet \d+ after \S+ from \S+: {_QUOTED}", "early data"),
    _place("pipelining ", rf"pipelining (?:after \S+ from .*?\]\S*|from \S+ after .*?): {_QUOTED}", "early data"),
    _place("command from ", rf"non-\S+ command from \S+(?: after \S+)?: {_QUOTED}", "what is no command"),
    _place("bare newline ", rf"bare newline from \S+ after {_QUOTED}", "what is no command"),
    _place("request longer ", rf"request longer than \d+: {_QUOTED}", "a long line"),
    _place("unknown command: ", rf"unknown_event: .*: unknown command: {_QUOTED}", "what is no command"),
    _place("replacing command ", rf'replacing command "{_QUOTED}', "what is no command"),
    *(
        _place(
            trigger,
            rf'(?:attribute name|must not start with whitespace): "\s*(?!(?:{_FIRST} )?{_M}"?$)(?!{_SERVICE})\S',
            "a line of a settings file",
        )
        for trigger in ("missing '=' after attribute name: ", "missing attribute name: ", "start with whitespace: ")
    ),
    _place(
        "duplicate entry: ",
        rf'(?:pass|sasl|secret|cred)[^\s:,]*[:,] (?:line \d+: )?duplicate entry: "(?!{_M}"|{_HOP}")',
        "a key of a table of passwords",
    ),
    _place(
        ' lookup: "',
        rf'(?:pass|sasl|secret|cred)\S{{0,100}} lookup: "[^"]*(?:"(?! = ")[^"]*)*" = "(?!{_M}|not_found|error)',
        "a table value",
    ),
)
#: Words that several of the triggers have in them: one look for such a word finds the lines of all of these.
_SHARED = ("auth", "pass", "command", "dict_", "{")


def _group() -> dict[str, tuple[Place, ...]]:
    groups: dict[str, tuple[Place, ...]] = {}
    for place in PLACES:
        words = (*_SHARED, place.triggers[0])
        word = next(word for word in words if all(word in trigger for trigger in place.triggers))
        groups[word] = (*groups.get(word, ()), place)
    return groups


#: The places by a word that each line with one of their triggers has.
PLACES_BY_WORD = _group()
