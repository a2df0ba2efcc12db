"""Lines of a message that tables are asked about: header_checks(5), body_checks and their kind, from level 1 on."""

from __future__ import annotations

import re

from pfremote.maillog.redact import masks
from pfremote.maillog.redact.masks import MARK, is_mark, mark, mask_rest
from pfremote.maillog.redact.state import Ledger, Process

#: global/header_body_checks.c and cleanup/cleanup_{message,milter}.c: lines of a message, from debug level 1 on.
_OF_MESSAGE = re.compile(
    r"((?:hbc|cleanup)_(?:header_checks|body_checks|header_callback|find_header_(?:start|end)|(?:patch|upd|ins|add)_header)"
    r": )(.+)\Z",
    re.DOTALL,
)


def redact_message_line(text: str, process: Process, _ledger: Ledger) -> str:
    """Mask a header or body line that a table of checks is asked about, and note that the tables' own lines follow."""
    found = _OF_MESSAGE.match(text)
    if found is None:
        return text
    process.checks_message = True
    return mask_rest(found, masks.CONTENT)


_CHECKED = re.compile(r"maps_find: \S+ (?:(\S+:\S+\([^)]*\): ))?(.*?)(: (?:not found|search aborted))?\Z", re.DOTALL)


def redact_check(text: str, name: str, process: Process) -> str:
    """Mask the line of a message that header_checks(5) or body_checks were asked about."""
    process.checks_message = process.password_map = False
    found = _CHECKED.match(text)
    if found is None or is_mark(found[2]):
        return text
    return f"maps_find: {name}: {found[1] or ''}{mark(masks.CONTENT)}{found[3] or ''}"


#: What a table of patterns is asked in the course of SMTP: a command or a reply as a whole (smtpd_command_filter).
_OF_DIALOGUE = re.compile(r"(?:[A-Z]{4,8}(?: .*)?|[2-5]\d\d[ -].*)\Z", re.DOTALL)
_PATTERNS = re.compile(rf"(dict_(?:regexp|pcre)_lookup: (?:{MARK.pattern}|[^\s\[]\S*): )(.+)\Z", re.DOTALL)


def hide_line(text: str, process: Process) -> str:
    """Mask what a table is asked where that is a line of a message: as known, or as it is no word, command or reply."""
    function = text.partition(": ")[0]
    if process.checks_message and function.endswith("_lookup"):
        return f"{function}: {mark(masks.CONTENT)}"
    found = _PATTERNS.match(text)
    if found is None or " " not in MARK.sub("", found[2]).strip() or _OF_DIALOGUE.match(found[2]):
        return text
    return found[1] + mark(masks.CONTENT)
