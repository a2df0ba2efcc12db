"""A second look at redacted lines that does not trust the first: what cannot be shown to be clean is withheld.

Of the redactor it uses no rule: only who sent a line (owners) and which words are a client's (client_text). It looks at
the final text only, knows the places where Postfix writes a credential, and demands that each holds a mark of the
redactor, or one of the few texts known to be harmless; and it looks for every secret that the redactor learned, in
every spelling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, islice
from operator import attrgetter

from pfremote.maillog.client_text import is_debug
from pfremote.maillog.contain import Unreadable, attempt
from pfremote.maillog.owners import HOST, Owners
from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.clients import ClientProof, may_tell
from pfremote.maillog.proof.look import CHUNK, GIVEN_AWAY, look
from pfremote.maillog.proof.spelling import Spellings
from pfremote.maillog.redact import Exposure, Redactor


@dataclass(frozen=True, slots=True)
class Withheld:
    """A line that is not shown: its 1-based number and why, in a few words that quote nothing of it."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How many lines were looked at, and which of them may not be shown."""

    lines_checked: int
    withheld: tuple[Withheld, ...]


UNREAD = "it could not be read"
WITHHELD = "[line withheld: "
_TEXT_OF = attrgetter("text")
UNNAMED = "(unknown)"


def prove(lines: Iterable[str], secrets: Iterable[str] = ()) -> Proof:
    """Look at redacted ``lines``, in which no spelling of ``secrets`` may occur.

    >>> prove(["mx postfix/smtpd[7]: < c[192.0.2.5]: AUTH PLAIN AGFsaWNlAFMzY3JldFBX"]).withheld
    (Withheld(number=1, reason='data after AUTH'),)
    """
    spellings = Spellings(dict.fromkeys(secrets, frozenset((HOST,))))
    source = iter(lines)
    done = 0
    withheld: list[Withheld] = []
    while chunk := list(islice(source, CHUNK)):
        found = dict(look(chunk, spellings))
        withheld += [Withheld(done + index + 1, found[index]) for index in sorted(found)]
        done += len(chunk)
    return Proof(done, tuple(withheld))


def withhold(reason: str) -> str:
    """Return the text that stands for a line that may not be shown.

    >>> withhold("data after AUTH")
    '[line withheld: data after AUTH]'
    """
    return f"{WITHHELD}{reason}]"


class Lesson:
    """What a log teaches, which is read for it before a line of it may be shown.

    Twice the records are given in the order of the log, in pieces of any size: first all to :meth:`learn`, and after
    :meth:`settle` the same again to :meth:`show`. In between no line is held, only what became of those that changed.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.unreadable: list[Unreadable] = []
        self._redactor = Redactor(known)
        #: What the redactor left of a line, where that is not all, by number.
        self._changed: dict[int, str] = {}
        self._waiting: frozenset[int] = frozenset()
        #: Those and the changed ones.
        self._touched: frozenset[int] = frozenset()
        #: Follows the lines that are shown, as the redactor followed those that it learned from.
        self._owners = Owners(self._redactor.owners)
        self._of_host: dict[str, frozenset[str]] = {}
        self._proof = ClientProof(Spellings({}), self._owners)

    def learn(self, records: Sequence[Record]) -> None:
        """Take the next lines, as they were logged."""
        waiting = enumerate(records)
        at = 0
        # Debug logs say the same thing over and over: each text is held once.
        held: dict[str, str] = {}

        def go_on() -> str:
            nonlocal at
            redact = self._redactor.redact
            for index, record in waiting:
                at = index
                shown = redact(record)
                if shown is not record:
                    self._changed[record.number] = held.setdefault(shown.text, shown.text)
            return ""

        while why := attempt(go_on, str):
            number = records[at].number
            self._changed[number] = withhold(UNREAD)
            self.unreadable.append(Unreadable("line", number, why))

    def settle(self) -> None:
        """End of the log: from now on lines are shown."""
        self._redactor.settle()
        self._redactor.end()
        self._waiting = self._redactor.unnamed()
        self._touched = self._waiting.union(self._changed)
        secrets = self._redactor.secrets
        self._of_host = {secret: owners for secret, owners in secrets.items() if HOST in owners}
        self._proof = ClientProof(Spellings(of_clients(secrets)), self._redactor.owners)

    def show(self, logged: Sequence[Record]) -> tuple[list[Record], list[Withheld]]:
        """Return the next lines as they may be shown, and which of them are withheld."""
        redacted = list(logged)
        # Each text is looked at once; both before and after it has got its user.
        before = [self._put(redacted, index) for index, record in enumerate(logged) if record.number in self._touched]
        after = list(map(_TEXT_OF, redacted))
        texts = list(dict.fromkeys(chain(after, before)))
        reasons = judge(texts, self._of_host)
        late = self._mask_late(logged, redacted, after, texts)
        withheld = []
        for index, record in enumerate(redacted if reasons or late else ()):
            reason = late.get(index) or reasons.get(record.text)
            if reason is not None:
                redacted[index] = record.with_text(withhold(reason))
                withheld.append(Withheld(record.number, reason))
        return redacted, withheld

    def exposures(self) -> tuple[Exposure, ...]:
        """Return the credentials that stand in the log."""
        return _prove_accounts(self._redactor)

    def unread(self) -> tuple[Withheld, ...]:
        """Return the lines that the redactor could not read."""
        return tuple(Withheld(item.line, UNREAD) for item in self.unreadable)

    def _put(self, redacted: list[Record], index: int) -> str:
        """Put what became of a line in its place, and return what it was before it got its user."""
        record = redacted[index]
        text = self._changed.get(record.number, record.text)
        shown = record.with_text(text)
        redacted[index] = self._redactor.name_user(shown) if record.number in self._waiting else shown
        return text

    def _mask_late(
        self, logged: Sequence[Record], redacted: list[Record], after: list[str], texts: list[str]
    ) -> dict[int, str]:
        """Look for what clients offered later than the line; return which lines are to be withheld, by index.

        A debug line goes as a whole. Of the others, which tell what became of a client, only what it said goes.
        """
        if not self._proof.has_secrets:
            return {}
        doubted = {texts[index] for index in self._proof.find(texts)}
        wanted = doubted.union(filter(may_tell, texts))
        found: dict[int, str] = {}
        for index, text in enumerate(after):
            if text not in wanted:
                continue
            record = logged[index]
            if record.daemon == "smtpd":
                self._owners.see(record)
            if text not in doubted:
                continue
            shown = redacted[index]
            owner = self._redactor.owners.settle(self._owners.of(record))
            if not is_debug(shown.text):
                shown = redacted[index] = self._redactor.redact_late(shown, owner)
            if self._proof.holds(shown.text, owner, shown.host):
                found[index] = GIVEN_AWAY
        return found


def of_clients(secrets: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    return {secret: owners - {HOST} for secret, owners in secrets.items() if owners - {HOST}}


def judge(texts: list[str], secrets: Iterable[str]) -> dict[str, str]:
    """Return why which of these texts may not be shown; ``secrets`` are those of the host."""
    return attempt(lambda: _prove_texts(texts, secrets), lambda _kind: _prove_each(texts, secrets))


def _withhold_text(text: str, _kind: str) -> dict[str, str]:
    return {text: UNREAD}


def _prove_texts(texts: list[str], secrets: Iterable[str]) -> dict[str, str]:
    return {texts[item.number - 1]: item.reason for item in prove(texts, secrets).withheld}


def _prove_each(texts: list[str], secrets: Iterable[str]) -> dict[str, str]:
    """Do the same text by text: one that the proof cannot read is withheld."""
    reasons: dict[str, str] = {}
    for text in texts:
        reasons |= attempt(partial(_prove_texts, [text], secrets), partial(_withhold_text, text))
    return reasons


def _prove_accounts(redactor: Redactor) -> tuple[Exposure, ...]:
    """Return the exposures, without an account that holds a secret of the same client: it is text like any other."""
    spellings = Spellings(redactor.secrets)

    @cache
    def is_clean(account: str, owner: str) -> bool:
        of_whom = (owners for _, _, owners in spellings.find(account))
        is_theirs = any(one == HOST or redactor.owners.is_same(one, owner) for owners in of_whom for one in owners)
        return not is_theirs and not prove([account]).withheld

    found = zip(redactor.exposures, redactor.exposed_owners, strict=True)
    return tuple(one if is_clean(one.account, owner) else replace(one, account=UNNAMED) for one, owner in found)
