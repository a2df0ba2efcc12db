"""Take the credentials out of a Postfix log, record by record, and tell whose they were.

>>> from pfremote.maillog.record import Record
>>> text = "< c[192.0.2.5]: AUTH PLAIN AGFsaWNlAFMzY3JldFBX"
>>> line = Record(1, None, "mx", "postfix/smtpd", "smtpd", 7, "", text)
>>> redactor = Redactor()
>>> redactor.redact(line).text
'< c[192.0.2.5]: AUTH PLAIN [redacted: password of alice]'
>>> redactor.exposures[0].account
'alice'
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pfremote.maillog.record import Record
from pfremote.maillog.redact.content import (
    follow_name,
    redact_anywhere,
    redact_content,
    redact_input_attribute,
    redact_sent_attribute,
)
from pfremote.maillog.redact.dialogue import redact_dialogue
from pfremote.maillog.redact.glue import redact_glue, redact_plugin_log
from pfremote.maillog.redact.process import Exposure, Ledger, Process
from pfremote.maillog.redact.quoted import redact_quoted, redact_replaced
from pfremote.maillog.redact.tables import (
    redact_config,
    redact_debug_table,
    redact_dict,
    redact_mail_addr_find,
    redact_maps_find,
    redact_passwd_lookup,
)

__all__ = ["Exposure", "Redactor"]

_CLIENTS = frozenset({"smtp", "lmtp"})
_DUMPED = re.compile(r"[0-9a-f]{4,8}\Z")
_NESTED = re.compile(r"(?<![\w/.-])[\w/.-]+\[\d+\]: ")
#: How far into a line of unknown layout a ``name[pid]: `` is looked for.
_NESTED_WITHIN = 400
_REPEATED = re.compile(r"(\s?message repeated \d+ times: \[ ?)(.*)(\])\Z", re.DOTALL)
_CACHE_LIMIT = 65536

_Reader = Callable[[str, Process, Ledger], str]
#: The first word of a line, and who reads such lines.
_READERS: dict[str, _Reader] = {
    "<": redact_dialogue,
    ">": redact_dialogue,
    "send": redact_sent_attribute,
    "maps_find:": redact_maps_find,
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
    "warning:": redact_quoted,
    "milter8_unknown_event:": redact_quoted,
    "SASL": redact_plugin_log,
}
#: Readers that neither use nor change the state of the process when they leave a line as it is.
_STATELESS: frozenset[_Reader | None] = frozenset(
    {None, redact_sent_attribute, redact_config, redact_content, redact_quoted, redact_replaced}
)


class Redactor:
    """Masks the records of a capture in the order of the log; what is learnt is kept in memory only."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._processes: dict[tuple[str, str, int | None], Process] = {}
        self._peers: set[str] = set()
        #: Texts that no reader needs to see again, with the attribute that they announce, if any.
        self._plain: dict[str, str] = {}
        #: Texts that hold no secret learnt so far.
        self._clean: set[str] = set()
        self._generation = 0

    @property
    def exposures(self) -> tuple[Exposure, ...]:
        """The credentials found so far, one per account, kind and authentication exchange."""
        return self._ledger.exposures

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets learnt, for the proof pass. Never print, log or store them."""
        return self._ledger.learnt.secrets

    def redact(self, record: Record) -> Record:
        """Return ``record`` with what is secret in its text replaced by marks."""
        shown = self.redact_text(record)
        return record if shown == record.text else record.with_text(shown)

    def redact_text(self, record: Record) -> str:
        """Return the record's text with what is secret in it replaced by marks."""
        text = record.text
        announced = self._plain.get(text)
        if announced is not None:
            if announced:
                self._process(record).attribute = announced
            return text
        self._ledger.record = record
        if not record.daemon:
            return self._redact_unparsed(text, record)
        if "message repeated" in text[:18]:
            return self._redact_repeated(text, record)
        return self._redact_text(text, record)

    def is_settled(self, record: Record) -> bool:
        """Say whether the record's process is in no authentication exchange.

        In one, a later line may tell that an earlier one has to be masked as well (a LOGIN password that came
        where the user name was expected).
        """
        process = self._processes.get((record.host, record.tag, record.pid))
        return process is None or not (process.in_auth or process.candidate)

    def _redact_text(self, text: str, record: Record) -> str:
        word = text.partition(" ")[0]
        reader = _READERS.get(word) or _find_reader(word, text)
        if reader is None:
            shown, announced = self._scrub(text), ""
        else:
            process = self._process(record)
            if reader is redact_dialogue:
                self._protect_peer(text)
            shown = self._scrub(reader(text, process, self._ledger))
            announced = process.attribute if reader is follow_name else ""
        if shown == text and (announced or reader in _STATELESS):
            self._plain[text] = announced
        return shown

    def _redact_repeated(self, text: str, record: Record) -> str:
        found = _REPEATED.match(text)
        if found is None:
            return self._redact_text(text, record)
        return found[1] + self._redact_text(found[2], record) + found[3]

    def _redact_unparsed(self, text: str, record: Record) -> str:
        """A line whose head is unknown to us: look for the ``name[pid]: `` in it."""
        found = _NESTED.search(text, 0, _NESTED_WITHIN)
        if found is None:
            return self._redact_text(text, record)
        return text[: found.end()] + self._redact_text(text[found.end() :], record)

    def _scrub(self, text: str) -> str:
        learnt = self._ledger.learnt
        if learnt.generation != self._generation:
            self._forget()
        if text in self._clean:
            return text
        shown = learnt.scrub(redact_anywhere(text))
        if len(self._clean) >= _CACHE_LIMIT:
            self._forget()
        self._clean.add(shown)
        return shown

    def _forget(self) -> None:
        """Empty the caches: their lines may hold what has been learnt since."""
        self._plain.clear()
        self._clean.clear()
        self._generation = self._ledger.learnt.generation

    def _process(self, record: Record) -> Process:
        key = (record.host, record.tag, record.pid)
        process = self._processes.get(key)
        if process is None:
            process = self._processes[key] = Process(is_client=record.daemon in _CLIENTS)
            self._ledger.learnt.protect(record.host)
        return process

    def _protect_peer(self, text: str) -> None:
        peer = text[2 : text.find(": ")]
        if peer not in self._peers:
            self._peers.add(peer)
            name, _, address = peer.partition("[")
            self._ledger.learnt.protect(name, address.partition("]")[0])


def _find_reader(word: str, text: str) -> _Reader | None:
    if word == "input":
        return follow_name if text.startswith("input attribute name: ") else redact_input_attribute
    if word.startswith("xsasl_"):
        return redact_glue
    if word.startswith("dict_"):
        return redact_dict
    if _DUMPED.match(word):
        return redact_content
    if ": wanted attribute: " in text:
        return follow_name
    if ": replacing " in text:
        return redact_replaced
    return redact_debug_table if ': "' in text and '" = "' in text else None
