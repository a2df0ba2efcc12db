"""SMTP dialogue lines (``< peer: …`` and ``> peer: …``), where AUTH happens.

smtpd/smtpd_chat.c and smtp/smtp_chat.c log each line as read and written, so every initial response,
continuation and challenge is in the log from debug level 1 on.
"""

from __future__ import annotations

import re

from pfremote.maillog.redact import masks
from pfremote.maillog.redact.masks import MARK, is_mark, mark, split_at_colon
from pfremote.maillog.redact.sasl import (
    MECHANISMS,
    Response,
    asked_for,
    decode,
    is_prompt,
    read_clear_response,
    read_response,
)
from pfremote.maillog.redact.state import Ledger, Process

#: smtpd/smtpd_token.c takes any white space between words, and util/printable.c shows all but blanks as "?".
_AUTH = re.compile(r"([\s?]*AUTH(?:[\s?]*=[\s?]*|[\s?]+|\Z))([^\s?]*)([\s?]*)(.*)\Z", re.IGNORECASE | re.DOTALL)
_REPLY = re.compile(r"[2-5]\d\d(?:[ -]|\Z)")
#: What may be shown of a client's line: real commands, and those of protocols that end up on port 25.
_COMMAND = re.compile(
    r"[\s?]*(?:(?:EHLO|HELO|LHLO|MAIL|RCPT|BDAT|VRFY|EXPN|ETRN|XCLIENT|XFORWARD|NOOP|HELP|ATRN|SEND|SOML|SAML"
    r"|GET|POST|HEAD|PUT|OPTIONS|CONNECT|PROXY)(?:[\s?]|\Z)|(?:DATA|RSET|QUIT|STARTTLS|TURN|\.)[\s?]*\Z)|\s*\Z",
    re.IGNORECASE,
)
_FIRST_WORD = re.compile(
    r"(?:EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT|VRFY|EXPN|ETRN|XCLIENT|XFORWARD|STARTTLS|AUTH|HELP|TURN|ATRN"
    r"|SEND|SOML|SAML|GET|POST|HEAD|PUT|OPTIONS|CONNECT|PROXY|\.)?\Z",
    re.IGNORECASE,
)
_QUERY = re.compile(r"\A(\s*(?:GET|POST|HEAD|PUT|OPTIONS|CONNECT)\s.*?\?)(?!\[redacted: )(\S+)", re.IGNORECASE)
#: What util/printable.c leaves of telnet's options: two bytes that are no text, and one that may be (RFC 854).
_TELNET = re.compile(r"\?(?:\?|(?<=\?\?)[!-/ ])*\Z")
#: Commands that cannot be a base64 response: they end an exchange whose reply was lost.
_SURE_COMMAND = re.compile(
    r"[\s?]*(?:(?:MAIL[\s?]+FROM|RCPT[\s?]+TO):[\s?]*<|(?:EHLO|HELO|LHLO)[\s?]+[\w.:\[\]-]+\Z)", re.IGNORECASE
)
#: What may be a header, a number, a network or mail address, a host name; as a first word any word.
_PLAIN_TEXT = re.compile(
    r"(?:[\w-]+:|[\d.:\[\]/]+|<?[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+>?|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})\Z"
)
_PLAIN_WORD = re.compile(rf"[^\W\d_]+\W?\Z|{_PLAIN_TEXT.pattern}")
_REASON = re.compile(r"(authentication failed: )([A-Za-z0-9+/]{6,}={0,2})(?=[,)]|\s*\Z)")
#: The password was judged (RFC 4954 4; 435 under soft_bounce): not where the answer is about the mechanism, what was
#: coded wrong, the account.
_JUDGED = re.compile(r"[45]35(?!.*\b(?:mechanism|base64|disabled|expired|encrypt\w*|TLS)\b)", re.IGNORECASE | re.DOTALL)
#: Of a message (RFC 5322, 2045, 6376) that a client sends on although it was refused.
_HEADER = re.compile(
    r"(?:Received|Return-Path|Date|From|Sender|Reply-To|To|Cc|Bcc|Subject|Message-ID|In-Reply-To|References|User-Agent"
    r"|MIME-Version|Content-(?:Type|Transfer-Encoding|Disposition|Language)|DKIM-Signature):\s",
    re.IGNORECASE,
)
_WHERE = "SMTP dialogue"


def redact_dialogue(text: str, process: Process, ledger: Ledger) -> str:
    """Mask one ``<`` or ``>`` line."""
    head, colon, payload = split_at_colon(text)
    if not colon or is_mark(payload):
        return text
    # smtpd is the client of its content filter (smtpd_proxy.c), whose peer has no name[address].
    writes_commands = process.is_client or "[" not in head
    if (head[0] == "<") == writes_commands:
        if _REPLY.match(payload):
            shown = _redact_reply(payload, process, ledger)
        else:
            # A server that says something else: nothing is learned from it.
            shown = mark(masks.COMMAND) if payload.strip() else payload
    else:
        shown = redact_command(payload, process, ledger)
    return text if shown is payload else f"{head}: {shown}"


def is_quiet_for_client(_text: str, process: Process) -> bool:
    """Say whether a line that was left as it is outside of an exchange is so again, in a process of smtp or lmtp."""
    return process.is_client and not process.in_auth and not process.candidate


def is_quiet_for_server(text: str, process: Process) -> bool:
    """Say so in a process of smtpd, where it is of the same client as the line of the dialogue before."""
    if process.is_client or process.in_auth or process.candidate or not process.peer:
        return False
    return text.startswith(process.peer, 2)


def redact_command(payload: str, process: Process, ledger: Ledger) -> str:
    """Mask what a client sent: the AUTH command, a response, or something that is no command at all."""
    found = _AUTH.match(payload)
    if found is not None:
        return _redact_auth(found, process, ledger)
    if process.in_auth and not _SURE_COMMAND.match(payload):
        if payload.strip() in ("*", ""):
            return payload
        return read_continuation(payload, process, ledger, _WHERE)
    process.end()
    if _COMMAND.match(payload) or _TELNET.match(payload):
        return _QUERY.sub(lambda found: found[1] + mark(masks.COMMAND), payload) if "?" in payload else payload
    # No command word: a response whose AUTH line was lost, or a password typed at the wrong moment. Most
    # are base64; learning the text makes a later spelling of it go as well.
    listed = masks.HEADER if _HEADER.match(payload) else ""
    return ledger.note(process, masks.COMMAND, _WHERE, _learnable(payload), listed=listed)


def _redact_auth(found: re.Match[str], process: Process, ledger: Ledger) -> str:
    verb, mechanism, gap, blob = found.groups()
    if not MARK.sub("", mechanism + gap + blob).strip():
        return found[0]
    if not MECHANISMS.match(mechanism):
        process.begin("")
        both = f"{mechanism} {blob}".strip()
        return verb + ledger.note(process, masks.RESPONSE, _WHERE, _learnable(mechanism, blob, both))
    process.begin(mechanism)
    if not blob or is_mark(blob) or blob == "=":
        return found[0]
    return f"{verb}{mechanism}{gap}{read_initial(blob, process, ledger, _WHERE)}"


def read_initial(blob: str, process: Process, ledger: Ledger, where: str) -> str:
    """Return the mark for an initial response, having learned from it."""
    if process.mechanism == "LOGIN":
        return read_login_name(decode(blob) or "", process, ledger)
    return note_response(read_response(process.mechanism, blob), process, ledger, where)


def read_login_name(account: str, process: Process, ledger: Ledger) -> str:
    """Return the mark for what came with ``AUTH LOGIN``, which is the user name."""
    shown = ledger.note_login_name(process, account)
    ledger.name(process, account)
    ledger.claim(process, masks.USER_NAME, process.account)
    return shown


def read_continuation(blob: str, process: Process, ledger: Ledger, where: str, *, clear: bool = False) -> str:
    """Return the mark for a later response, base64 or (as Cyrus logs it) ``clear``."""
    text = blob if clear else decode(blob)
    if process.asked == "user":
        process.candidate = text or ""
        return ledger.note_login_name(process, process.candidate)
    if process.asked == "password":
        password = blob.strip() if text is None else text
        # RFC 4954 4: "=" is how nothing is written in the AUTH command; some clients write it later, too.
        is_empty = not password.strip("\0") or blob.strip() == "="
        listed = masks.EMPTY if is_empty else ""
        return ledger.note(process, masks.PASSWORD, where, (password,), listed=listed)
    if process.mechanism == "LOGIN":
        # The prompt is lost: user name or password.
        ledger.note_login_name(process, blob.strip() if text is None else text)
        return ledger.note(process, masks.RESPONSE, where)
    mechanism = process.mechanism or _guess_mechanism(text or "")
    if clear:
        # At the first NUL the log stops, so what is left of PLAIN is no password.
        response = Response(masks.RESPONSE) if mechanism in ("PLAIN", "NTLM", "") else None
        return note_response(response or read_clear_response(mechanism, blob), process, ledger, where)
    return note_response(read_response(mechanism, blob), process, ledger, where)


def redact_challenge(challenge: str, process: Process) -> str:
    """Mask a challenge unless it is a fixed prompt, and remember what it asks for."""
    process.in_auth = True
    process.asked = asked_for(challenge)
    return challenge if is_prompt(challenge) or is_mark(challenge) else mark(masks.CHALLENGE)


def _redact_reply(payload: str, process: Process, ledger: Ledger) -> str:
    code = payload[:3]
    if code == "334":
        had, challenge = process.candidate, payload[4:]
        shown = redact_challenge(challenge, process)
        if had and process.asked == "password":
            ledger.name(process, had)
        process.candidate = ""
        return payload[:4] + shown
    if process.in_auth:
        if code == "235" and process.candidate:
            # Accepted right after the "user name": the lines between were lost, and it was the password.
            ledger.learned.add(process.candidate, ledger.owner)
        if code == "235":
            ledger.accept(process)
        if _JUDGED.match(payload):
            ledger.refuse(process)
        process.end()
    return redact_reason(payload)


_LOOKED_UP = re.compile(r"(match_string: smtpd_(?:forbidden|noop)_commands: )(.*?)( ~\? .*)\Z", re.DOTALL)


def redact_looked_up(text: str, _process: Process, _ledger: Ledger) -> str:
    """Mask a first word that smtpd looks up among commands (smtpd/smtpd.c), where it is none."""
    found = _LOOKED_UP.match(text)
    if found is None or is_mark(found[2]) or _FIRST_WORD.match(found[2]):
        return text
    return f"{found[1]}{mark(masks.COMMAND)}{found[3]}"


def redact_reason(text: str) -> str:
    """Mask a reason for a failed login that is base64: older Dovecot versions give the last challenge."""
    if "authentication failed: " not in text:
        return text
    return _REASON.sub(lambda found: found[0] if _is_word(found[2]) else found[1] + mark(masks.CHALLENGE), text)


def _is_word(text: str) -> bool:
    return is_prompt(text) or (text.isalpha() and text[1:].islower())


def note_response(response: Response, process: Process, ledger: Ledger, where: str) -> str:
    """Learn from a response that was read, and return the mark to show instead."""
    if response.undecided:
        ledger.accounts.doubt(ledger.owner, response.secrets)
    listed = masks.EMPTY if response.is_empty else ""
    return ledger.note(process, response.kind, where, response.secrets, response.account, listed=listed)


def _learnable(*texts: str) -> tuple[str, ...]:
    """Return what of these texts is worth looking for in other lines, in clear and decoded.

    A client whose message is refused may go on to send it as commands: its words are no secrets, and a log without
    them, or without the addresses and names in it, is of no use.
    """
    plain: dict[str, None] = {}
    for text in filter(None, map(str.strip, texts)):
        # The first word too: smtpd looks that up in smtpd_forbidden_commands, and logs it.
        first = text.split()[0]
        if not _PLAIN_TEXT.match(text):
            plain[text] = None
        if first != text and not _PLAIN_WORD.match(first):
            plain[first] = None
    decoded = (decode(text) for text in plain)
    readable = (text for text in decoded if text and text.isprintable())
    return (*plain, *readable)


def _guess_mechanism(text: str) -> str:
    if "\0" in text:
        return "NTLM" if text.startswith("NTLMSSP") else "PLAIN"
    if "auth=" in text:
        return "XOAUTH2"
    if 'username="' in text:
        return "DIGEST-MD5"
    return "SCRAM" if text.startswith(("n,", "y,", "p=", "c=")) else ""
