"""Lines in which Postfix quotes what a client said, outside the dialogue.

smtpd/smtpd.c and postscreen/postscreen_{early,smtpd}.c do so without any debugging: what came too early, what is
no SMTP, what is too long, what smtpd_command_filter changed. Each quoted line is read as one of the dialogue.
"""

from __future__ import annotations

import re

from pfremote.maillog.redact import masks
from pfremote.maillog.redact.dialogue import redact_command
from pfremote.maillog.redact.masks import is_mark, mark
from pfremote.maillog.redact.sasl import MECHANISMS, is_prompt
from pfremote.maillog.redact.state import Ledger, Process

#: What stands before the quoted text, the text itself, and what stands after it.
_QUOTES = (
    re.compile(r"(improper command pipelining after \S+ from .*?\]\S*: )(.*)()\Z", re.DOTALL),
    re.compile(r"(PREGREET \d+ after \S+ from \S+: )(.*)()\Z", re.DOTALL),
    re.compile(r"(NON-SMTP COMMAND from \S+ after \S+: )(.*)()\Z", re.DOTALL),
    re.compile(r"(BARE NEWLINE from \S+ after )(.*)()\Z", re.DOTALL),
    re.compile(r"(warning: non-\S+ command from \S+: )(.*)()\Z", re.DOTALL),
    re.compile(r"(warning: \S+: request longer than \d+: )(.*?)(\.\.\.|)\Z", re.DOTALL),
    re.compile(r"(milter8_unknown_event: milter .*?: unknown command: )(.*)()\Z", re.DOTALL),
)
_PIPELINED = re.compile(r"(COMMAND PIPELINING from \S+ after )(\[redacted: [^\]]*\]|.*?)(: )(.*)\Z", re.DOTALL)
_REPLACED = re.compile(r'(\S+: replacing (command|server reply) ")(.*)(" with ")(.*)("\Z)', re.DOTALL)
_REFUSED = re.compile(r"(warning: \S+: SASL )(\S+)( authentication (?:failed|aborted).*)\Z", re.DOTALL)
#: util/unescape.c (escape) shows line ends as \r and \n, util/printable.c as question marks.
_LINE_END = re.compile(r"(\\r\\n|\\r|\\n|\?\?|\?\Z)")
#: The head of a TLS handshake record, by which one sees that TLS came to a port without it.
_HELLO = re.compile(r"\\026\\003(?:\\00\d)?")
#: Telnet's options (RFC 854: IAC, a verb, an option), and what util/printable.c leaves of such bytes.
_HARMLESS = re.compile(r"(?:\\377\\3[67]\d(?:\\[0-7]{3}|[!-~ ])|\?|\\r|\\n|'|\.{3})+\Z")
#: What is quoted says nothing of the exchange that the process is in, and must not count as one.
_OUTSIDE = -2


def redact_quoted(text: str, _process: Process, ledger: Ledger) -> str:
    """Mask one line that quotes a client."""
    for quote in _QUOTES:
        if found := quote.match(text):
            return f"{found[1]}{_redact_lines(found[2], ledger)}{found[3]}"
    if found := _PIPELINED.match(text):
        return f"{found[1]}{_redact_lines(found[2], ledger)}{found[3]}{_redact_lines(found[4], ledger)}"
    if found := _REFUSED.match(text):
        known = MECHANISMS.match(found[2]) or found[2].startswith("[redacted:")
        return text if known else f"{found[1]}{mark(masks.RESPONSE)}{found[3]}"
    return text


def redact_replaced(text: str, _process: Process, ledger: Ledger) -> str:
    """Mask ``PEER: replacing command "…" with "…"`` (smtpd_command_filter, smtp_reply_filter)."""
    found = _REPLACED.match(text)
    if found is None:
        return text
    opening, what, old, between, new, end = found.groups()
    if what == "command":
        return f"{opening}{_redact_lines(old, ledger)}{between}{_redact_lines(new, ledger)}{end}"
    return f"{opening}{_redact_challenge(old)}{between}{_redact_challenge(new)}{end}"


def _redact_challenge(reply: str) -> str:
    harmless = not reply.startswith("334") or is_prompt(reply[4:]) or is_mark(reply[4:])
    return reply if harmless else f"334 {mark(masks.CHALLENGE)}"


def _redact_lines(said: str, ledger: Ledger) -> str:
    if hello := _HELLO.match(said):
        rest = said[hello.end() :]
        return hello[0] + (mark(masks.WIRE) if rest else "")
    if _HARMLESS.match(said):
        return said
    process = Process(exchange=_OUTSIDE)
    lines = _LINE_END.split(said)
    lines[::2] = [line if is_mark(line) else redact_command(line, process, ledger) for line in lines[::2]]
    return "".join(lines)
