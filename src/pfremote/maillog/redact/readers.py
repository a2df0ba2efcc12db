"""Which reader a line of the log goes to. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from pfremote.maillog.redact.checks import redact_message_line
from pfremote.maillog.redact.content import (
    VALUE,
    drop_harmless_name,
    follow_name,
    redact_content,
    redact_input_attribute,
    redact_sent_attribute,
)
from pfremote.maillog.redact.dialogue import (
    is_quiet_for_client,
    is_quiet_for_server,
    redact_dialogue,
    redact_looked_up,
)
from pfremote.maillog.redact.named_user import redact_failed, redact_user
from pfremote.maillog.redact.quoted import redact_quoted, redact_replaced
from pfremote.maillog.redact.sasl_debug import is_harmless, redact_plugin_log, redact_sasl_debug
from pfremote.maillog.redact.state import Ledger, Process
from pfremote.maillog.redact.tables import (
    is_of_no_line,
    leave_password_map,
    redact_config,
    redact_debug_table,
    redact_dict,
    redact_mail_addr_find,
    redact_maps_find,
    redact_memcache,
    redact_passwd_lookup,
    redact_table_name,
)

_DUMPED = re.compile(r"[0-9a-f]{4,8}\Z")


def _leave(text: str, _process: Process, _ledger: Ledger) -> str:
    """Return a line that only tells whose the next ones are."""
    return text


Reader = Callable[[str, Process, Ledger], str]
#: The first word of a line, and who reads such lines.
READERS: dict[str, Reader] = {
    "<": redact_dialogue,
    ">": redact_dialogue,
    "maps_find:": redact_maps_find,
    "match_string:": redact_looked_up,
    "mail_addr_find:": redact_mail_addr_find,
    "smtp_sasl_passwd_lookup:": redact_passwd_lookup,
    "cfg_get_str:": redact_config,
    "rec_put:": redact_content,
    "rec_get:": redact_content,
    "Read": redact_content,
    "Write": redact_content,
    "improper": redact_quoted,
    "PREGREET": redact_quoted,
    "NON-SMTP": redact_quoted,
    "COMMAND": redact_quoted,
    "BARE": redact_quoted,
    "milter8_unknown_event:": redact_quoted,
    "SASL": redact_plugin_log,
}
#: Readers that neither use nor change the state of the process when they leave a line as it is.
STATELESS: frozenset[Reader | None] = frozenset(
    {None, redact_sent_attribute, redact_config, redact_content, redact_quoted, redact_replaced, redact_looked_up}
)
#: Readers of the lines that may say which client a process serves.
TELLING: frozenset[Reader | None] = frozenset({redact_dialogue, redact_user, redact_failed, _leave})


#: Stands in for the reader of a text that was left as it is: says whether the reader would leave it so for this process
#: too, and if so does to the process what the reader would do.
Settled = Callable[[str, Process], bool]
#: The readers that have one.
SETTLING: frozenset[Reader] = frozenset({redact_dialogue, redact_maps_find, redact_input_attribute})


def find_settled(reader: Reader | None, text: str, process: Process) -> Settled | None:
    """Return what stands in for the reader; ``process`` is in no authentication exchange, nor was before the text."""
    if reader is redact_dialogue:
        return is_quiet_for_client if process.is_client else is_quiet_for_server
    if reader is redact_maps_find:
        return leave_password_map if not process.password_map and is_of_no_line(text) else None
    return drop_harmless_name if reader is redact_input_attribute and text.startswith(VALUE) else None


#: Who reads a line, by the beginning of its first word; the first that fits counts.
_BY_START: tuple[tuple[str, Reader], ...] = (
    ("xsasl_", redact_sasl_debug),
    ("dict_alloc(", redact_table_name),
    ("dict_free", redact_table_name),
    ("dict_", redact_dict),
    ("maps_", redact_dict),
    ("hbc_", redact_message_line),
    ("cleanup_", redact_message_line),
)
_STARTS = tuple(start for start, _ in _BY_START)


def find_by_text(word: str, text: str) -> Reader | None:
    """Return who reads a line whose first word is not in :data:`READERS`, if it is anyone's."""
    if word == "input":
        return follow_name if text.startswith("input attribute name: ") else redact_input_attribute
    if word == "send":
        return redact_user if text.startswith("send attr sasl_username = ") else redact_sent_attribute
    if word == "warning:":
        return redact_failed if ", sasl_username=" in text else redact_quoted
    if word == "connect":
        return _leave if text.startswith("connect from ") else None
    if word.startswith(_STARTS):
        reader = next(reader for start, reader in _BY_START if word.startswith(start))
        # Such a text is left as it is whatever came before, and needs no reader.
        return None if reader is redact_sasl_debug and is_harmless(text) else reader
    return redact_content if _DUMPED.match(word) else _find_by_rest(word, text)


def _find_by_rest(word: str, text: str) -> Reader | None:
    """Find the reader by what follows the first word, which is a name: of a file, a peer, a message."""
    if text.startswith((" got", " write: ", " read: "), len(word)):
        return redact_memcache
    if ": wanted attribute: " in text:
        return follow_name
    if ": replacing " in text:
        return redact_replaced
    if text.startswith(" client=", len(word)):
        return redact_user
    return redact_debug_table if ': "' in text and '" = "' in text else None
