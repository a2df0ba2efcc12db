"""Attributes, TLS data and message content; and, for every line, the shapes that are never let through."""

from __future__ import annotations

import re
from collections.abc import Callable

from pfremote.maillog.redact import masks, unread_settings
from pfremote.maillog.redact.dialogue import redact_reason
from pfremote.maillog.redact.inline_tables import mask_inline
from pfremote.maillog.redact.literals import replace_outside_marks
from pfremote.maillog.redact.masks import MARK, is_mark, looks_random, mark, mask_as, mask_rest
from pfremote.maillog.redact.sasl import MECHANISMS
from pfremote.maillog.redact.state import Ledger, Process
from pfremote.maillog.redact.tables import redact_value

#: tls/tls_mgr.c: what tlsmgr hands out, logged as base64 by util/attr_scan0.c.
_TLS_ATTRIBUTES = {"keybuf": masks.TICKET_KEY, "session": masks.TLS_SESSION, "seed": masks.SEED}
VALUE = "input attribute value: "
#: Names of attributes whose values may be secret.
_TOLD = frozenset((*_TLS_ATTRIBUTES, "value"))
#: Not a next hop (``smtp:[host]:25``, ``host:25``), a URL or a command's reply.
_MAYBE_LOGIN = re.compile(r"(?!\[|\S+:(?:\d+\Z|\[|//)|\d{3} )[^:;\s]+(?: [^:;\s]+)?:.")
_DATA = re.compile(r"\[data \d+ bytes\]\Z")
_RECORD = re.compile(r"(.*? type .+? len -?\d+ data )(.+)\Z", re.DOTALL)
_CHARS = re.compile(r"(Read|Write) (?:-?\d+ chars: )(.*)\Z", re.DOTALL)
_DUMP = re.compile(r"([0-9a-f]{4,8} )(?=[0-9a-f]{2}[ |-]|- <)(.*)\Z", re.DOTALL)


def follow_name(text: str, process: Process, _ledger: Ledger) -> str:
    """Note the name of the value that comes next (``input attribute name: NAME``), or that is wanted next
    (``SERVICE: wanted attribute: NAME``), in case the line that names it is lost.
    """
    process.attribute = text[text.index(": ", text.index(" attribute")) + 2 :]
    return text


def redact_input_attribute(text: str, process: Process, ledger: Ledger) -> str:
    """Mask the value that comes after the name."""
    if not text.startswith(VALUE):
        return text
    name, process.attribute = process.attribute, ""
    if name and name not in _TOLD:
        return text
    value = text[len(VALUE) :]
    if value == "(end)" or is_mark(value):
        return text
    kind = _TLS_ATTRIBUTES.get(name)
    if kind is not None:
        return VALUE + _note_tls(kind, process, ledger)
    # The only attribute of this name is proxymap's lookup result. The line with the name may be lost; then the colon
    # of a mark is no login's.
    if value and (name == "value" or (not name and process.is_client and _MAYBE_LOGIN.match(MARK.sub("", value)))):
        return VALUE + redact_value(value, process, ledger)
    return text


def drop_harmless_name(_text: str, process: Process) -> bool:
    """Take the name that was announced if its value is never secret; say whether it was."""
    name = process.attribute
    if not name or name in _TOLD:
        return False
    process.attribute = ""
    return True


def redact_sent_attribute(text: str, process: Process, ledger: Ledger) -> str:
    """Mask ``send attr session = …`` and the like; util/attr_print0.c normally gives only their size."""
    head, equals, value = text.partition(" = ")
    name = head.removeprefix("send attr ")
    if not equals or not value or _DATA.match(value) or is_mark(value):
        return text
    if name in _TLS_ATTRIBUTES:
        return f"{head} = {_note_tls(_TLS_ATTRIBUTES[name], process, ledger)}"
    if name == "value":
        # smtp/smtp_sasl_auth_cache.c: time, unsalted SHA-1 of the password, status.
        return f"{head} = {mark(masks.TABLE_VALUE)}"
    return text


def _note_tls(kind: str, process: Process, ledger: Ledger) -> str:
    if kind == masks.SEED:
        return mark(kind)
    account, process.account = process.account, masks.UNKNOWN
    shown = ledger.note(process, kind, "TLS manager")
    process.account = account
    return shown


def redact_content(text: str, _process: Process, _ledger: Ledger) -> str:
    """Mask records (debug level 3), decrypted data and TLS dumps (TLS levels 3 and 4)."""
    if text.startswith("rec_"):
        found = _RECORD.match(text)
        return text if found is None else mask_rest(found, masks.CONTENT)
    found = _DUMP.match(text)
    if found is not None:
        return mask_rest(found, masks.WIRE)
    found = _CHARS.match(text)
    # The count goes too: it tells how long a password is.
    return text if found is None else f"{found[1]} {mark(masks.DECRYPTED)}"


_NETSTRING = re.compile(r"((?:read|write) netstring (?:len \d+ )?data )(.+)\Z", re.DOTALL)
_MILTER = re.compile(r"(milter8_[a-z_]{0,24}?(?:header|body)[a-z_]{0,24}: )(.+)\Z", re.DOTALL)
#: Line ends may be written out before it (util/unescape.c).
_AUTH = re.compile(
    r"((?:\b|(?<=\\[rnt]))AUTH[ =]++)([A-Za-z0-9_+/=-]++)([ ?]++)(?!\[redacted: )(\S[^\r\n]*)", re.IGNORECASE
)
_BEARER = re.compile(r"(\bBearer\s+)(?!\[redacted: |token\])([^\s?'\",]+)", re.IGNORECASE)
_NAMED = re.compile(
    r"""((?:\b|_|(?<=\#011)|(?<=\\t))(?:pass|passwd|password|passphrase|secret|(?:access_|refresh_)?token|resp|cookie|bind_pw
    |client_secret|api[_-]?key)["']?\ *[=:]\ *)(?!["']?(?:\[redacted:|\ |\(|hash:|static:))
    (?!(?<=\(using\ password:\ )(?:YES|NO)\)|(?:No\ such\ file\ or\ directory|Permission\ denied|Is\ a\ directory)\Z)
    ("[^"]{2,}"?|'[^']{2,}'?|[^\s"']\S+)""",
    re.IGNORECASE | re.VERBOSE,
)
#: Dovecot's auth_debug_passwords, as its lines stand among Postfix's: a tab may be written out.
_CONTINUED = re.compile(r"(\bin: CONT(\t|#011|\\t)\d+\2)(?!\[redacted: )(\S+)", re.IGNORECASE)
#: Courier's authlib: supplied password 'x' does not match.
_SUPPLIED = re.compile(r"""(\bpassword )(?!['"]\[redacted:)('[^']+'?|"[^"]+"?)""", re.IGNORECASE)
#: cleanup/cleanup_message.c quotes a header or body line that a check named, and says whose it is after it.
_QUOTED_END = r"(?= from \S+\[[^\]]*\];|\Z)"
_HEADER = re.compile(
    r"(\b(?:(?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]{0,20}(?:auth|key|token)[a-z-]{0,20}): )"
    rf"(?!\[redacted: )(.+?){_QUOTED_END}",
    re.IGNORECASE | re.DOTALL,
)
_BODY = re.compile(rf"(\w: [a-z]+: body )(?!\[redacted: )(.+?){_QUOTED_END}", re.DOTALL)
#: Commands of aliases and .forward files (local(8), pipe_command.c), which may hold a login: what is said of them, and
#: the command as a recipient.
_COMMAND_RUN = re.compile(r"((?:\bto command: |[Cc]ommand (?:died|time limit)[^\"]{0,60}: \"))(.+)\Z", re.DOTALL)
_COMMAND_NAMED = re.compile(r"(\b(?:orig_)?to=<\"?\|)(.{1,2000}?)(?=\"?>, \w+=|\Z)", re.DOTALL)
_LOGIN_IN_COMMAND = re.compile(
    r"(?:^|\s)-p\S{2}|\S:\S|(?:^|\s)\w+=\S|pass|pwd|secret|token|key|cred|auth|(?:^|\s)-{1,2}pw\b", re.IGNORECASE
)
#: A number with a path after it is a port.
_URL = re.compile(
    r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)(?!\[redacted: |\d{1,5}(?:[/?]|\Z))([^\s\"'<>]+(?=@)|[^\s\"'<>@]+\Z)"
)
#: Looked for in lower case: ignoring case in the expression would cost ten times as much, on every line.
_TRIGGER = re.compile(
    r"auth[ =]|ication failed|authorization: |: body |bearer|pass|secret|token|resp|cookie|bind_pw|api[_-]?key"
    r"|x-[a-z-]{0,20}(?:auth|key)|static:|in: cont|: ?\{|://|netstring|milter8_|to command: "
    r"|command (?:died|time)|=<\"?\|"
    rf"|{'|'.join(map(re.escape, unread_settings.WORDS))}"
)
#: One of these is in what it matches. Looking for words is faster than an expression of many, which is only asked then.
_TRIGGER_WORDS = (
    *("auth", "failed", ": body ", "bearer", "pass", "secret", "token", "resp", "cookie", "bind_pw", "key"),
    *("static:", "in: cont", "{", "|", "://", "netstring", "milter8_", "command"),
    *unread_settings.WORDS,
)
_LONG = re.compile(r"[A-Za-z0-9+/_-]{24}")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
#: A path of a host: by chance no secret begins so, and each name in it is judged by itself.
_PATH = re.compile(r"/(?:data|etc|export|home|mail|mnt|opt|root|run|srv|tmp|usr|var|vmail)/")
_REST_OF_ADDRESS = re.compile(r"[\w.+=-]{0,64}@")
_MESSAGE_ID = re.compile(r"(?:message-id=<|[Mm]essage-[Ii][Dd]: <)[^<>\s]*\Z")
_LONGEST_ID = 250
#: Ids of cached sessions are no secrets, and one wants to see whether the same one is found again.
_SESSION_ID = re.compile(
    r"(?:looking (?:for|up) session |(?:re)?loaded session |(?:save|put|remove|lookup|delete) "
    r"|\S+: (?:looking up|save|reloaded|remove) session "
    r"|(?:read|write|drop) \S+ TLS cache|send attr cache_id = )"
)

#: What a server calls the message that it took, or says of itself.
_OTHERS_ID = re.compile(r"[<>] \S{1,300}: 2(?!35)\d\d[ -]|\w{6,20}: to=<[^<>]*>, .{0,600}status=sent \(")
_HOST_NAME = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}(?![A-Za-z0-9._=+/-])")


def _is_in_host_name(run: re.Match[str]) -> bool:
    """Say whether a run is a label of a host name: access providers make them of addresses, in hex."""
    text = run.string
    start = run.start()
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] in ".-") and run.start() - start < _LONGEST_ID:
        start -= 1
    found = _HOST_NAME.match(text, start)
    return found is not None and found.end() > run.end() and found[0] in (found[0].lower(), found[0].upper())


def redact_anywhere(text: str) -> str:
    """Mask what is shaped like a credential in any line: the catch-all behind the readers of known lines."""
    lowered = text.lower()
    if any(map(lowered.__contains__, _TRIGGER_WORDS)) and _TRIGGER.search(lowered) is not None:
        text = replace_outside_marks(redact_reason(text), _redact_shapes)
    if _LONG.search(text) is not None and not _SESSION_ID.match(text) and not _OTHERS_ID.match(text):
        text = replace_outside_marks(text, _redact_runs)
    return text


def _redact_shapes(text: str) -> str:
    lowered = text.lower()
    if "static:" in lowered or "{" in text:
        text = mask_inline(text)
    for words, shape, replacement in _SHAPES:
        if any(map(lowered.__contains__, words)):
            text = shape.sub(replacement, text)
    return text


_OFFERS = ("250-", "250 ")
#: RFC 4422, 3.1.
_MECHANISM_NAME = re.compile(r"[A-Z][A-Z0-9_-]{0,19}\Z")


def _mask_auth(found: re.Match[str]) -> str:
    # The list of mechanisms in an EHLO reply looks the same, but every word of it is a mechanism, known here or not.
    words = f"{found[2]} {found[4]}".split()
    if found.string[max(0, found.start() - 4) : found.start()] in _OFFERS and all(map(_MECHANISM_NAME.match, words)):
        return found[0]
    if all(MECHANISMS.match(word) for word in words) or not MECHANISMS.match(found[2]):
        return found[0]
    return found[1] + found[2] + found[3] + mark(masks.RESPONSE)


def _mask_command(found: re.Match[str]) -> str:
    """Leave the program, where what follows it may be a login."""
    command = found[2]
    if _LOGIN_IN_COMMAND.search(command) is None:
        return found[0]
    program = command.split(" ", 1)[0]
    shown = f"{program} " if program != command and "=" not in program and ":" not in program else ""
    return found[1] + shown + mark(masks.PASSWORD)


#: What each shape has in it, in lower case; the shape; what to put in its place.
_SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (("auth",), _AUTH, _mask_auth),
    (("authorization: ", "cookie: ", "x-"), _HEADER, mask_as(masks.TOKEN)),
    (("bearer",), _BEARER, mask_as(masks.TOKEN)),
    (("pass", "secret", "token", "resp", "cookie", "bind_pw", "api"), _NAMED, mask_as(masks.PASSWORD)),
    (("in: cont",), _CONTINUED, mask_as(masks.RESPONSE)),
    (("password ",), _SUPPLIED, mask_as(masks.PASSWORD)),
    (("://",), _URL, mask_as(masks.PASSWORD)),
    (("netstring",), _NETSTRING, mask_as(masks.CONTENT)),
    (("milter8_",), _MILTER, mask_as(masks.CONTENT)),
    ((": body ",), _BODY, mask_as(masks.CONTENT)),
    (("=<|", '=<"|'), _COMMAND_NAMED, _mask_command),
    (("to command: ", "command "), _COMMAND_RUN, _mask_command),
    *unread_settings.SHAPES,
)


def _redact_runs(text: str) -> str:
    def judge(found: re.Match[str]) -> str:
        names = found[0].split("/") if _PATH.match(found[0]) else [found[0]]
        if not any(map(looks_random, names)) or _REST_OF_ADDRESS.match(text, found.end()) or _is_in_host_name(found):
            return found[0]
        if _MESSAGE_ID.search(text, max(0, found.start() - _LONGEST_ID), found.start()):
            return found[0]
        return mark(masks.OPAQUE)

    return _RUN.sub(judge, text)
