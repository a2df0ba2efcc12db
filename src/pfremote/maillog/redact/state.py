"""What is remembered while reading: one state per process, one ledger per capture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pfremote.maillog.owners import HOST, Owners
from pfremote.maillog.parse.record import Record
from pfremote.maillog.redact.accounts import Accounts, Claim, Given, Key, is_same_user
from pfremote.maillog.redact.exposures import Exposure, Exposures
from pfremote.maillog.redact.learned_secrets import LearnedSecrets, is_name
from pfremote.maillog.redact.masks import COMMAND, TICKET_KEY, TLS_SESSION, UNKNOWN, USER_NAME, mark

#: Kerberos: what the client sends names no user to us, and holds no password.
_TICKETS = frozenset(("GSSAPI", "GSS-SPNEGO"))
#: What belongs to no user.
_OF_NO_USER = frozenset((TICKET_KEY, TLS_SESSION, COMMAND))


@dataclass(slots=True)
class Process:
    """One (host, tag, pid): where it is in its dialogue."""

    #: smtp or lmtp: what it writes is the client's part.
    is_client: bool = False
    in_auth: bool = False
    mechanism: str = ""
    asked: str = ""
    #: What came in LOGIN as the user name and has not been followed by the password prompt yet.
    candidate: str = ""
    #: Who the client says to be.
    account: str = UNKNOWN
    attribute: str = ""
    password_map: bool = False
    #: A table is asked about a line of a message, and says so.
    checks_message: bool = False
    exchange: int = 0
    #: The secrets of this exchange; once the server has accepted them they are secrets for sure.
    offered: list[str] = field(default_factory=list)
    owner: str = HOST
    #: What the line of the dialogue before called the other side, with the colon behind it.
    peer: str = ""
    #: The ledger remembers an exchange of it, so its number must not be forgotten.
    noted: bool = False

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing of it matters for the lines to come."""
        of_exchange = self.in_auth or self.mechanism or self.asked or self.candidate or self.offered or self.noted
        of_table = self.attribute or self.password_map or self.checks_message
        return not (of_exchange or of_table) and self.account == UNKNOWN

    @property
    def is_quiet(self) -> bool:
        """Whether it is in no authentication exchange."""
        return not (self.in_auth or self.candidate)

    def serve(self, owner: str) -> None:
        """Forget the client before, if this is another one."""
        self.begin("")
        self.end()
        self.owner = owner

    def begin(self, mechanism: str) -> None:
        """Enter an authentication exchange."""
        self.in_auth = True
        self.mechanism = mechanism.upper()
        self.asked = self.candidate = ""
        self.account = UNKNOWN
        self.offered.clear()
        self.exchange += 1

    def end(self) -> None:
        """Leave it; the account is kept for the lines that still belong to it."""
        self.in_auth = False
        self.asked = self.candidate = ""


class Ledger:
    """Secrets learned and exposures found so far. ``record`` is the line that is read, ``owner`` whose it is."""

    def __init__(self, owners: Owners, *, follows: bool = False) -> None:
        self.learned = LearnedSecrets(owners)
        self._follows = follows
        #: Line → the users whom it names, in a log that is followed.
        self._given: dict[int, list[Given]] = {}
        self.record: Record | None = None
        self.owner = HOST
        self.accounts = Accounts(owners, self.learned)
        self._exposed = Exposures()
        #: Exchange → who the client says to be, and whose it is.
        self._claimed: dict[Key, tuple[str, str]] = {}

    @property
    def exposures(self) -> tuple[Exposure, ...]:
        """One per account, kind and authentication exchange, in the order of the log.

        An account is named only where a line of the server names it too; what a client sent may be anything.
        """
        return tuple(
            one if one.kind in _OF_NO_USER else replace(one, account=self._confirmed_account(key))
            for key, one in self._exposed
        )

    @property
    def exposed_owners(self) -> tuple[str, ...]:
        """Whose the exposures are, in the same order."""
        return tuple(self._claimed[key][1] for key, _ in self._exposed)

    def _confirmed_account(self, key: Key) -> str:
        return self.accounts.name_exchange(key, *self._claimed[key])

    def note(
        self,
        process: Process,
        kind: str,
        where: str,
        secrets: Iterable[str] = (),
        account: str = UNKNOWN,
        *,
        listed: str = "",
    ) -> str:
        """Learn ``secrets`` of the line's owner, enter the exposure, and return the mark to show instead.

        ``listed`` is the kind that is entered where it is not that of the mark.
        """
        if account == UNKNOWN:
            account = process.account
        elif process.account == UNKNOWN:
            self.name(process, account)
        # What a client guesses may be a domain or an address, which half of its lines hold: only if accepted.
        guesses = process.in_auth and not process.is_client
        for secret in secrets:
            if not (guesses and is_name(secret)):
                self.learned.add(secret, self.owner, account)
            process.offered.append(secret)
        record = self.record
        if record is not None:
            word = listed or kind
            item = Exposure(UNKNOWN, record.host, record.time, process.mechanism, where, word, record.number)
            self._exposed.enter(self._key(record, process), item)
        self.claim(process, kind, account)
        return mark(kind)

    def note_of_host(
        self, process: Process, kind: str, where: str, secrets: Iterable[str] = (), account: str = UNKNOWN
    ) -> str:
        """Do the same for secrets that the host looked up, in a client's line or not."""
        owner, self.owner = self.owner, HOST
        shown = self.note(process, kind, where, secrets, account)
        self.owner = owner
        return shown

    def note_login_name(self, process: Process, account: str) -> str:
        """Note what stood in the user's place of LOGIN, and return the mark to show instead."""
        if self.record is not None:
            self.accounts.claim_login(self._key(self.record, process), account, self.owner)
        return mark(USER_NAME)

    def claim(self, process: Process, kind: str, account: str) -> None:
        """Note who the client says to be where this line has a mark."""
        record = self.record
        if record is None:
            return
        key = self._key(record, process)
        if account != UNKNOWN or key not in self._claimed:
            self._claimed[key] = account, self.owner
        # What is quoted outside a dialogue may be of several clients.
        if process.exchange >= 0 and kind not in _OF_NO_USER:
            self.accounts.claim(record.number, Claim(key, kind, account, self.owner))

    def accept_user(self, process: Process) -> None:
        """Say that the user of this exchange was let in."""
        if self.record is not None:
            self.accounts.accept(self._key(self.record, process), self.owner)

    def accept(self, process: Process) -> None:
        """Say that the server has accepted what this exchange offered.

        A user name elsewhere that is the same text was a password typed into the wrong field: what was shown
        of it is withheld by the proof pass.
        """
        for secret in process.offered:
            if secret.casefold() != process.account.casefold():
                self.learned.distrust(secret, self.owner)
        process.offered.clear()
        self.accept_user(process)

    def refuse(self, process: Process) -> None:
        """Say that the server has judged what this exchange offered, and refused it."""
        if self.record is not None:
            self._exposed.refuse(self._key(self.record, process))

    def name(self, process: Process, account: str) -> None:
        """Say whose exchange this is, as far as the client told."""
        if account != UNKNOWN and account and self.accounts.may_show(account, self.owner):
            process.account = account
            self.learned.expect(self.owner, account)

    def confirm_name(self, process: Process, account: str, *, of_exchange: bool = False) -> bool:
        """Take the user name that the server gives; say whether it may be shown.

        ``of_exchange``: it is about the exchange that the process is in. smtpd's own lines may still name the user of
        an earlier one, so there the client must have claimed the same.
        """
        if not account or not self.accounts.may_show(account, self.owner):
            return False
        self.accounts.confirm(self.owner, account)
        claimed = process.account
        if of_exchange if claimed == UNKNOWN else is_same_user(claimed, account):
            process.account = account
            if self.record is not None:
                self.accounts.confirm_exchange(self._key(self.record, process), account)
        elif of_exchange and self.accounts.is_login(claimed, self.owner):
            # Lines came in a wrong order, and what was taken for the user name in LOGIN may be the password.
            self.learned.distrust(claimed, self.owner)
        return True

    def show_user(self, process: Process, account: str) -> str:
        """Return what is shown of a user whom a line of the server names, and who may be shown.

        In a log that is followed a later line cannot take back what was shown, so there :meth:`fill` decides.
        """
        record = self.record
        if not self._follows or record is None:
            return account
        is_by_ticket = process.exchange > 0 and process.mechanism in _TICKETS
        given = Given(self._key(record, process), account, self.owner, is_by_ticket)
        self._given.setdefault(record.number, []).append(given)
        return mark(USER_NAME)

    def fill(self, number: int, text: str) -> str:
        """Return line ``number`` with the users in its marks who are confirmed. Each line is asked for once.

        In a log that is followed, a user whom the server names is shown if the client said the same in this exchange:
        a line that came too early may have the password where the user belongs, and one that is late tells so.
        """
        text = self.accounts.fill(number, text)
        if number not in self._given:
            return text
        opening, *rest = text.split(mark(USER_NAME))
        given = self._given.pop(number)
        return opening + "".join(
            f"{self._name_given(given[at]) if at < len(given) else mark(USER_NAME)}{part}"
            for at, part in enumerate(rest)
        )

    def _name_given(self, given: Given) -> str:
        claimed = self._claimed.get(given.key, (UNKNOWN, ""))[0]
        is_same = claimed not in ("", UNKNOWN) and is_same_user(claimed, given.account)
        may_show = (is_same or given.is_by_ticket) and self.accounts.may_show(given.account, given.owner)
        return given.account if may_show else mark(USER_NAME)

    def _key(self, record: Record, process: Process) -> Key:
        process.noted = True
        # What is quoted outside a dialogue is no exchange of the process; there may be several clients' (< 0).
        return record.host, record.tag, record.pid, process.exchange, self.owner if process.exchange < 0 else ""
