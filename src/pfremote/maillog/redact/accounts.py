"""Whose credentials were sent: what a response claims, and what a line of the server confirms. Pure.

A client may type its password where the user name belongs, and lines of a log may be lost or come in another order.
So what a response says of its user is a claim. It is shown only where another line names the same user in the server's
or the host's own words: ``user=`` of Dovecot, ``sasl_username=`` of smtpd, the user that smtp looked up for a relay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from pfremote.maillog.owners import Owners
from pfremote.maillog.redact.learned_secrets import LearnedSecrets, is_name
from pfremote.maillog.redact.masks import UNKNOWN, is_opaque, mark

#: No user name has these: it is a whole response of another mechanism, whose AUTH line is missing, or a user name
#: with the password behind it (``user:password``, as for HTTP).
_NO_ACCOUNT = re.compile(r"[\0-\x1f:;|=,]")
#: Host, tag, process and exchange.
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """The mark of one line: what it stands for, whose exchange it is in, and who the client says to be."""

    key: Key
    kind: str
    account: str
    owner: str


class Given(NamedTuple):
    """A user whom a line of the server names: in which exchange, of whom, and whether the client would not say it."""

    key: Key
    account: str
    owner: str
    is_by_ticket: bool


def is_same_user(first: str, second: str) -> bool:
    """Say whether these are one user, with or without a domain.

    >>> is_same_user("Alice", "alice@example.jp"), is_same_user("alice", "bob")
    (True, False)
    """
    one, other = first.lower(), second.lower()
    return one in other or other in one


class Accounts:
    """The claims of a capture and the names that confirm them, each for the client that they are about."""

    def __init__(self, owners: Owners, learned: LearnedSecrets) -> None:
        self._owners = owners
        self._learned = learned
        #: Line → the claim of its mark.
        self._claims: dict[int, Claim] = {}
        #: Names in small letters → the clients that a line of the server gave this name.
        self._named: dict[str, set[str]] = {}
        #: Those of them that the server let in, or that the host logs in as.
        self._proven: dict[str, set[str]] = {}
        #: Exchange → the name that the server gave in it.
        self._of_exchange: dict[Key, str] = {}
        #: Parts of responses of which nothing tells which is the user, in small letters → whose.
        self._doubted: dict[str, set[str]] = {}
        #: What was sent in the dialogue of LOGIN where the user name belongs; a lost line makes the password of it.
        self._logins: dict[tuple[str, str], Key] = {}

    def claim(self, number: int, claim: Claim) -> None:
        """Note what the mark in line ``number`` stands for."""
        self._claims[number] = claim

    def claim_login(self, key: Key, account: str, owner: str) -> None:
        """Note what stood in the user's place of LOGIN."""
        if account:
            self._logins[account, owner] = key

    def is_login(self, account: str, owner: str) -> bool:
        """Say whether this came from the dialogue of LOGIN, where order is all that tells the user."""
        return (account, owner) in self._logins

    def doubt(self, owner: str, parts: tuple[str, ...]) -> None:
        """Note parts of which none is shown; each of them may be the password. One who was let in stays a user."""
        for part in parts:
            if self._has(self._proven, part, owner):
                continue
            self._doubted.setdefault(part.casefold(), set()).add(owner)
            if not is_name(part):
                self._learned.distrust(part, owner)

    def confirm(self, owner: str, account: str) -> None:
        """Note that a line of the server names this user."""
        self._named.setdefault(account.casefold(), set()).add(owner)
        self._learned.protect(owner, account)

    def confirm_exchange(self, key: Key, account: str) -> None:
        """Note that it does so in this exchange."""
        self._of_exchange[key] = account

    def accept(self, key: Key, owner: str) -> None:
        """Note that the user of this exchange was let in: this is a user for sure, whatever is sent later."""
        account = self._of_exchange.get(key)
        if account:
            self._proven.setdefault(account.casefold(), set()).add(owner)

    def may_show(self, account: str, owner: str) -> bool:
        """Say whether a user name may be shown: it holds no secret, and does not look like one."""
        if _NO_ACCOUNT.search(account) or is_opaque(account) or self._has(self._doubted, account, owner):
            return False
        return not self._learned.is_in(account, owner)

    def is_confirmed(self, account: str, owner: str) -> bool:
        """Say whether a line of the server named this user so far, and it may be shown."""
        return self._has(self._named, account, owner) and self.may_show(account, owner)

    def name_exchange(self, key: Key, claimed: str, owner: str) -> str:
        """Return the confirmed user of an exchange in which ``claimed`` was said to be the user."""
        account = self._of_exchange.get(key, UNKNOWN)
        if account == UNKNOWN and self._has(self._named, claimed, owner):
            account = claimed
        return account if account != UNKNOWN and self.may_show(account, owner) else UNKNOWN

    def fill(self, number: int, text: str) -> str:
        """Return line ``number`` with the user in its mark, if one is confirmed. Each line is asked for once."""
        claim = self._claims.pop(number, None)
        if claim is None:
            return text
        account = self.name_exchange(claim.key, claim.account, claim.owner)
        return text.replace(mark(claim.kind), mark(claim.kind, account), 1)

    def numbers(self) -> frozenset[int]:
        """Return the lines that wait for their user."""
        return frozenset(self._claims)

    def settle(self) -> None:
        """At the end of a log: what came in LOGIN as the user and was never confirmed may be the password."""
        for (account, owner), key in self._logins.items():
            named = self._of_exchange.get(key)
            confirmed = self._has(self._named, account, owner) or (named and is_same_user(named, account))
            if not confirmed and not is_name(account):
                self._learned.distrust(account, owner)

    def _has(self, names: dict[str, set[str]], name: str, owner: str) -> bool:
        return any(self._owners.is_same(one, owner) for one in names.get(name.casefold(), ()))
