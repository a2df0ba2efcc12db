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

from pfremote.maillog.record import Record
from pfremote.maillog.redact.content import (
    follow_wanted,
    redact_anywhere,
    redact_content,
    redact_input_attribute,
    redact_pipelining,
    redact_sent_attribute,
)
from pfremote.maillog.redact.dialogue import redact_dialogue
from pfremote.maillog.redact.glue import redact_glue, redact_plugin_log
from pfremote.maillog.redact.process import Exposure, Ledger, Process
from pfremote.maillog.redact.tables import (
    redact_config,
    redact_dict,
    redact_mail_addr_find,
    redact_maps_find,
    redact_passwd_lookup,
)

__all__ = ["Exposure", "Redactor"]

_CLIENTS = frozenset({"smtp", "lmtp"})
_DUMPED = re.compile(r"[0-9a-f]{4,8}\Z")
_NESTED = re.compile(r"(.*?[\w/.-]+\[\d+\]: )(.*)\Z", re.DOTALL)
_REPEATED = re.compile(r"(\s?message repeated \d+ times: \[ ?)(.*)(\])\Z", re.DOTALL)
_CACHE_LIMIT = 65536
#: The first word of a line, and which reader knows such lines.
_READERS = {
    "<": "dialogue",
    ">": "dialogue",
    "input": "input",
    "send": "send",
    "maps_find:": "maps",
    "mail_addr_find:": "addr",
    "smtp_sasl_passwd_lookup:": "passwd",
    "cfg_get_str:": "config",
    "rec_put:": "content",
    "rec_get:": "content",
    "Read": "content",
    "Write": "content",
    "improper": "pipelining",
    "SASL": "plugin",
}


class Redactor:
    """Masks the records of a capture in the order of the log; what is learnt is kept in memory only."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._processes: dict[tuple[str, str, int | None], Process] = {}
        self._peers: set[str] = set()
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
        text = record.text
        word = text[: text.find(" ")] if " " in text else text
        reader = _READERS.get(word) or _find_reader(word, text)
        if reader is None and text in self._clean and record.daemon:
            return record
        self._ledger.record = record
        shown = self._redact_text(text, reader, record)
        if shown == text:
            return record
        return Record(
            record.number,
            record.time,
            record.host,
            record.tag,
            record.daemon,
            record.pid,
            record.head,
            shown,
        )

    def _redact_text(self, text: str, reader: str | None, record: Record) -> str:
        repeated = _REPEATED.match(text) if "message repeated" in text[:18] else None
        if repeated is not None:
            inner = self._redact_inner(repeated[2], record)
            return repeated[1] + inner + repeated[3]
        nested = None if record.daemon else _NESTED.match(text)
        if nested is not None:
            return nested[1] + self._redact_inner(nested[2], record)
        shown = text if reader is None else self._read(text, reader, record)
        return self._scrub(shown)

    def _redact_inner(self, text: str, record: Record) -> str:
        word = text[: text.find(" ")] if " " in text else text
        reader = _READERS.get(word) or _find_reader(word, text)
        return self._scrub(text if reader is None else self._read(text, reader, record))

    def _scrub(self, text: str) -> str:
        learnt = self._ledger.learnt
        if learnt.generation != self._generation:
            self._clean.clear()
            self._generation = learnt.generation
        if text in self._clean:
            return text
        shown = learnt.scrub(redact_anywhere(text))
        if len(self._clean) >= _CACHE_LIMIT:
            self._clean.clear()
        self._clean.add(shown)
        return shown

    def _read(self, text: str, reader: str, record: Record) -> str:
        key = (record.host, record.tag, record.pid)
        process = self._processes.get(key)
        if process is None:
            process = self._processes[key] = Process()
            self._ledger.learnt.protect(record.host)
        is_client = record.daemon in _CLIENTS
        if reader == "dialogue":
            return self._read_dialogue(text, process, is_client=is_client)
        if reader == "input":
            return redact_input_attribute(text, process, self._ledger, is_client=is_client)
        if reader == "dict":
            return redact_dict(text, process, self._ledger, is_client=is_client)
        if reader == "wanted":
            follow_wanted(text, process)
            return text
        if reader in _PLAIN_READERS:
            return _PLAIN_READERS[reader](text, process, self._ledger)
        return redact_pipelining(text) if reader == "pipelining" else redact_content(text)

    def _read_dialogue(self, text: str, process: Process, *, is_client: bool) -> str:
        peer = text[2 : text.find(": ")]
        if peer not in self._peers:
            self._peers.add(peer)
            name, _, address = peer.partition("[")
            self._ledger.learnt.protect(name, address.partition("]")[0])
        # smtpd is the client of its content filter (smtpd_proxy.c), whose peer has no name[address].
        outgoing = is_client or "[" not in peer
        return redact_dialogue(text, process, self._ledger, is_client=(text[0] == ">") == outgoing)


_PLAIN_READERS = {
    "send": redact_sent_attribute,
    "maps": redact_maps_find,
    "addr": redact_mail_addr_find,
    "passwd": redact_passwd_lookup,
    "config": redact_config,
    "glue": redact_glue,
    "plugin": redact_plugin_log,
}


def _find_reader(word: str, text: str) -> str | None:
    if word.startswith("xsasl_"):
        return "glue"
    if word.startswith("dict_"):
        return "dict"
    if _DUMPED.match(word):
        return "content"
    return "wanted" if ": wanted attribute: " in text else None
