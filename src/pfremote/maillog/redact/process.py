"""What is remembered while reading: one state per process, one ledger per capture."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pfremote.maillog.record import Record
from pfremote.maillog.redact.learnt import Learnt, is_name
from pfremote.maillog.redact.masks import TICKET_KEY, TLS_SESSION, UNKNOWN, is_opaque, mark


@dataclass(frozen=True, slots=True)
class Exposure:
    """A credential that the host's own log holds in the clear. The secret itself is never in here.

    ``account`` is "(unknown)" where no line tells it; ``where`` says what kind of line held it, ``kind``
    what it is (``password``, ``bearer token``, …), ``line`` the record's number.
    """

    account: str
    host: str
    time: datetime | None
    mechanism: str
    where: str
    kind: str
    line: int


@dataclass(slots=True)
class Process:
    """One (host, tag, pid): where it is in its dialogue."""

    #: smtp or lmtp: what it writes is the client's part.
    is_client: bool = False
    in_auth: bool = False
    mechanism: str = ""
    asked: str = ""
    #: A LOGIN user name that has not been followed by the password prompt yet. A lost line may mean that it
    #: is the password, so it is shown to nobody until then.
    candidate: str = ""
    account: str = UNKNOWN
    #: The account was read from a LOGIN dialogue, which nothing has confirmed so far.
    is_login_name: bool = False
    attribute: str = ""
    password_map: bool = False
    exchange: int = 0
    #: The secrets of this exchange; once the server has accepted them they are secrets for sure.
    offered: list[str] = field(default_factory=list)

    def begin(self, mechanism: str) -> None:
        """Enter an authentication exchange."""
        self.in_auth = True
        self.mechanism = mechanism.upper()
        self.asked = self.candidate = ""
        self.account = UNKNOWN
        self.is_login_name = False
        self.offered.clear()
        self.exchange += 1

    def end(self) -> None:
        """Leave it; the account is kept for the lines that still belong to it."""
        self.in_auth = False
        self.asked = self.candidate = ""


#: What is a whole response of another mechanism, whose AUTH line is missing, and no user name.
_NO_ACCOUNT = re.compile(r"[\0-\x1f]|auth=|bearer |,[a-z]=|response=", re.IGNORECASE)


def _is_same_user(first: str, second: str) -> bool:
    one, other = first.lower(), second.lower()
    return one == UNKNOWN or one in other or other in one


class Ledger:
    """Secrets learnt and exposures found so far."""

    def __init__(self) -> None:
        self.learnt = Learnt()
        self.record: Record | None = None
        self._exposures: dict[tuple[object, ...], dict[str, Exposure]] = {}

    @property
    def exposures(self) -> tuple[Exposure, ...]:
        """One per account, kind and authentication exchange, in the order of the log."""
        return tuple(
            replace(one, account=UNKNOWN) if one.account in self.learnt else one
            for kinds in self._exposures.values()
            for one in kinds.values()
        )

    def note(self, process: Process, kind: str, where: str, secrets: Iterable[str] = (), account: str = UNKNOWN) -> str:
        """Learn ``secrets``, enter the exposure, and return the mark to show instead."""
        if account == UNKNOWN:
            account = process.account
        elif process.account == UNKNOWN:
            self.name(process, account)
        # A guesser's domain or address is in half of the lines, and none of its own: a secret only if accepted.
        guesses = process.in_auth and not process.is_client
        for secret in secrets:
            if not (guesses and is_name(secret)):
                self.learnt.add(secret, account)
            process.offered.append(secret)
        if account in self.learnt or _NO_ACCOUNT.search(account) or is_opaque(account):
            account = UNKNOWN
        record = self.record
        if record is not None:
            kinds = self._exposures.setdefault((record.host, record.tag, record.pid, process.exchange), {})
            if kind not in kinds:
                kinds[kind] = Exposure(account, record.host, record.time, process.mechanism, where, kind, record.number)
        return mark(kind, account)

    def confirm(self, process: Process) -> None:
        """Say that the server has accepted what this exchange offered.

        A user name elsewhere that is the same text was a password typed into the wrong field: what was shown
        of it is withheld by the proof pass.
        """
        for secret in process.offered:
            if secret.casefold() != process.account.casefold():
                self.learnt.distrust(secret)
        process.offered.clear()

    def name(self, process: Process, account: str) -> None:
        """Say whose exchange this is, and complete what was entered before that was known."""
        if not account or account == UNKNOWN or _NO_ACCOUNT.search(account) or is_opaque(account):
            return
        doubted = ""
        if process.is_login_name and not _is_same_user(process.account, account):
            # The server knows another name: lines came in a wrong order, and what was taken for the user name
            # in LOGIN may be the password. It is on show already, so make the proof pass withhold it.
            doubted = process.account
            self.learnt.distrust(doubted)
        process.is_login_name = False
        process.account = UNKNOWN if account in self.learnt else account
        if process.account != UNKNOWN:
            self.learnt.protect(account)
        record = self.record
        if record is None:
            return
        kinds = self._exposures.get((record.host, record.tag, record.pid, process.exchange), {})
        for kind, known in kinds.items():
            if known.account in (UNKNOWN, doubted) and kind not in (TICKET_KEY, TLS_SESSION):
                kinds[kind] = replace(known, account=process.account)
