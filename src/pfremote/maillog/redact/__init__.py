"""Take the credentials out of a Postfix log, record by record, and tell whose they were.

>>> from pfremote.maillog.parse.record import Record
>>> text = "< c[192.0.2.5]: AUTH PLAIN AGFsaWNlAFMzY3JldFBX"
>>> line = Record(1, None, "mx", "postfix/smtpd", "smtpd", 7, "", text)
>>> redactor = Redactor()
>>> shown = redactor.redact(line)
>>> shown.text
'< c[192.0.2.5]: AUTH PLAIN [redacted: password]'

The user is told once a line of the server names the same one:

>>> text = "warning: c[192.0.2.5]: SASL PLAIN authentication failed: no, sasl_username=alice"
>>> _ = redactor.redact(line.with_text(text))
>>> redactor.name_user(shown).text
'< c[192.0.2.5]: AUTH PLAIN [redacted: password of alice]'
>>> redactor.exposures[0].account
'alice'
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pfremote.maillog.owners import HOST, OTHER, Owners
from pfremote.maillog.parse.record import Record
from pfremote.maillog.redact.content import follow_name, redact_anywhere
from pfremote.maillog.redact.exposures import Exposure
from pfremote.maillog.redact.pasted import Pasted
from pfremote.maillog.redact.readers import READERS, SETTLING, STATELESS, TELLING, Settled, find_by_text, find_settled
from pfremote.maillog.redact.state import Ledger, Process

__all__ = ["Exposure", "Redactor"]

_CLIENTS = frozenset({"smtp", "lmtp"})
_NESTED = re.compile(r"(?<![\w/.-])[\w/.-]+\[\d+\]: ")
#: How far into a line of unknown layout a ``name[pid]: `` is looked for.
_NESTED_WITHIN = 400
_REPEATED = re.compile(r"(\s?message repeated \d+ times: \[ ?)(.*)(\])\Z", re.DOTALL)
_CACHE_LIMIT = 65536
_PROCESSES = 10_000


class Redactor:
    """Masks the records of a capture in the order of the log; what is learned is kept in memory only.

    ``known`` are secrets of the operator's side: passwords that were typed or decrypted. ``follows``: what is shown of
    a line is shown before the next ones are known.
    """

    def __init__(self, known: Iterable[str] = (), *, follows: bool = False) -> None:
        self._owners = Owners()
        self._ledger = Ledger(self._owners, follows=follows)
        self._learned = self._ledger.learned
        for secret in known:
            self._learned.add(secret, HOST)
        self._processes: dict[tuple[str, str, int | None], Process] = {}
        #: The process of the line before.
        self._latest: tuple[int | None, str, str, Process] | None = None
        #: Texts that no reader needs to see again, with the attribute that they announce, if any.
        self._plain: dict[str, str] = {}
        #: Texts that no reader needs to see again where the process is in the right state.
        self._settled: dict[str, Settled] = {}
        #: Texts that are not shaped like a credential, whatever is learned.
        self._calm: set[str] = set()
        #: Those of them that hold no secret learned so far.
        self._clean: set[str] = set()
        self._generation = 0
        self._pasted = Pasted()
        #: From so many processes on those are forgotten of which nothing matters any more.
        self._most = _PROCESSES

    @property
    def exposures(self) -> tuple[Exposure, ...]:
        """The credentials found so far, one per account, kind and authentication exchange."""
        return self._ledger.exposures

    @property
    def exposed_owners(self) -> tuple[str, ...]:
        """Whose the exposures are, in the same order."""
        return self._ledger.exposed_owners

    @property
    def secrets(self) -> dict[str, frozenset[str]]:
        """The secrets learned and whose they are, for the proof pass. Never print, log or store them."""
        return self._learned.secrets

    def redact(self, record: Record) -> Record:
        """Return ``record`` with what is secret in its text replaced by marks."""
        text = record.text
        announced = self._plain.get(text)
        if announced is not None:
            if announced:
                self._process(record).attribute = announced
            return record
        settled = self._settled.get(text)
        if settled is not None and settled(text, self._process(record)):
            return record
        shown = self._read(text, record)
        return record if shown == text else record.with_text(shown)

    @property
    def owners(self) -> Owners:
        """Whose lines are whose."""
        return self._owners

    def owner_of(self, record: Record) -> str | None:
        """Return which client a line is about that was redacted just now."""
        return self._owners.of(record)

    def settle(self) -> None:
        """Learn, at the end of a log, what may be a secret because no line said that it is a user's name."""
        self._learned.settle()
        self._ledger.accounts.settle()

    def end(self) -> None:
        """Hold no longer what only further lines need: none comes."""
        self._owners.end()
        self._processes, self._latest, self._calm = {}, None, set()
        self.forget()

    def unnamed(self) -> frozenset[int]:
        """Return the numbers of the lines whose mark waits for its user."""
        return self._ledger.accounts.numbers()

    def name_user(self, record: Record) -> Record:
        """Return a redacted line with the user in its mark, if another line has confirmed who that is."""
        shown = self._ledger.fill(record.number, record.text)
        return record if shown == record.text else record.with_text(shown)

    def redact_late(self, record: Record, owner: str | None) -> Record:
        """Mask in a redacted line about ``owner`` what has been learned since."""
        shown = self._learned.scrub(record.text, owner, record.host)
        return record if shown == record.text else record.with_text(shown)

    def is_settled(self, record: Record) -> bool:
        """Say whether the record's process is in no authentication exchange.

        In one, a later line may tell that an earlier one has to be masked as well (a LOGIN password that came
        where the user name was expected).
        """
        process = self._processes.get((record.host, record.tag, record.pid))
        return process is None or not (process.in_auth or process.candidate)

    def _read(self, text: str, record: Record) -> str:
        self._ledger.record = record
        self._ledger.owner = HOST
        if not record.daemon:
            return self._redact_unparsed(text, record)
        if "message repeated" in text[:18]:
            return self._redact_repeated(text, record)
        return self._redact_text(text, record)

    def _redact_text(self, text: str, record: Record) -> str:
        word = text.partition(" ")[0]
        reader = READERS.get(word) or find_by_text(word, text)
        if reader is None:
            shown, announced, was_quiet = self._scrub(text, record), "", False
        else:
            process = self._process(record)
            was_quiet = reader in SETTLING and process.is_quiet
            if record.daemon == "smtpd":
                if reader in TELLING:
                    self._serve(text, record, process)
                self._ledger.owner = process.owner
            elif not process.is_client:
                self._ledger.owner = self._whose(record)
            shown = self._scrub(reader(text, process, self._ledger), record)
            announced = process.attribute if reader is follow_name else ""
        # Whose line it is decides where a text holds what was learned; such a text is looked at each time.
        if shown == text and text in self._clean:
            if announced or reader in STATELESS:
                self._plain[text] = announced
            elif was_quiet and process.is_quiet and (settled := find_settled(reader, text, process)) is not None:
                self._settled[text] = settled
        return shown

    def _serve(self, text: str, record: Record, process: Process) -> None:
        """Take a line of smtpd that may say who its client is."""
        peer = text[2 : text.find(": ") + 2] if text[:2] in ("< ", "> ") else ""
        if peer and peer == process.peer:
            return  # as in the line of the dialogue before
        process.peer = peer
        self._owners.see(record)
        owner = self._owners.of(record) or HOST
        if owner != process.owner and not self._owners.is_same(process.owner, owner):
            process.serve(owner)
        process.owner = owner

    def _whose(self, record: Record) -> str:
        """Return whose a secret in a line of another daemon is: a client's, or the host's own."""
        owner = self._owners.of(record)
        return owner if owner and owner != OTHER else HOST

    def _redact_repeated(self, text: str, record: Record) -> str:
        found = _REPEATED.match(text)
        if found is None:
            return self._redact_text(text, record)
        # One syslog daemon may pass it on to another that does the same.
        again = "message repeated" in found[2][:18]
        redact = self._redact_repeated if again else self._redact_text
        return found[1] + redact(found[2], record) + found[3]

    def _redact_unparsed(self, text: str, record: Record) -> str:
        """A line whose head is unknown to us: look for the ``name[pid]: `` in it."""
        found = _NESTED.search(text, 0, _NESTED_WITHIN)
        if found is None:
            return self._redact_text(self._pasted.mask(text), record)
        return text[: found.end()] + self._redact_text(text[found.end() :], record)

    def _scrub(self, text: str, record: Record) -> str:
        learned = self._learned
        if learned.generation != self._generation:
            self.forget()
        if text in self._clean:
            return text
        shown = text if text in self._calm else self._look_anywhere(text)
        if learned.literals.may_be_in(shown):
            return learned.scrub(shown, self._owners.of(record), record.host)
        if len(self._clean) >= _CACHE_LIMIT:
            self.forget()
        self._clean.add(shown)
        return shown

    def _drop_blank(self) -> None:
        """Forget the processes that a new state would not differ from: most never had a credential."""
        self._processes = {key: process for key, process in self._processes.items() if not process.is_blank}
        self._most = max(_PROCESSES, 2 * len(self._processes))

    def _look_anywhere(self, text: str) -> str:
        shown = redact_anywhere(text)
        if shown == text:
            if len(self._calm) >= _CACHE_LIMIT:
                self._calm.clear()
            self._calm.add(text)
        return shown

    def forget(self) -> None:
        """Empty the caches: their lines may hold what has been learned since."""
        self._plain.clear()
        self._settled.clear()
        self._clean.clear()
        self._generation = self._learned.generation

    def _process(self, record: Record) -> Process:
        latest = self._latest
        if latest is not None and record.pid == latest[0] and record.tag == latest[1] and record.host == latest[2]:
            return latest[3]
        key = (record.host, record.tag, record.pid)
        process = self._processes.get(key)
        if process is None:
            if len(self._processes) >= self._most:
                self._drop_blank()
            process = self._processes[key] = Process(is_client=record.daemon in _CLIENTS)
            if record.daemon == "smtpd":
                process.owner = self._owners.of(record) or HOST
            self._learned.protect(HOST, record.host)
        self._latest = record.pid, record.tag, record.host, process
        return process
