"""The second look at what clients sent, which may be in no line of theirs. Uses no rule of the redactor.

Whose line it is, and where in it a client's words may stand, is told from the line as it was logged.
"""

from __future__ import annotations

from pfremote.maillog.client_text import client_spans, is_debug, shares_span, spans_without
from pfremote.maillog.owners import OTHER, Owners
from pfremote.maillog.proof.look import lines_with_secrets
from pfremote.maillog.proof.places import MARK
from pfremote.maillog.proof.spelling import Spellings


class ClientProof:
    """Judges lines by the secrets of clients; those of the host are looked for elsewhere, in every line."""

    def __init__(self, secrets: Spellings, owners: Owners) -> None:
        self._secrets = secrets
        self._owners = owners

    @property
    def has_secrets(self) -> bool:
        """Say whether there is anything to look for."""
        return len(self._secrets) > 0

    def may_hold(self, text: str) -> bool:
        """Say whether a text holds any client's secret, of any client and at any place."""
        return len(self._secrets) > 0 and self._secrets.hit(MARK.sub(r" \1 ", text))

    def find(self, texts: list[str]) -> set[int]:
        """Return which of many texts do, by index."""
        return set(lines_with_secrets(texts, self._secrets)) if len(self._secrets) else set()

    def holds(self, text: str, owner: str | None, host: str) -> bool:
        """Say whether a redacted line about ``owner`` still holds a secret of this client."""
        if owner == OTHER or (owner is None and not is_debug(text)):
            return False
        accounts = (found[1] for found in MARK.finditer(text) if found[1])
        if any(self._is_theirs(owners, owner) for account in accounts for _, _, owners in self._secrets.find(account)):
            return True
        # A mark is as long as what stands for it here, so that the places stay where they are.
        bare = MARK.sub(lambda found: " " * len(found[0]), text)
        hits = [(start, end) for start, end, owners in self._secrets.find(bare) if self._is_theirs(owners, owner)]
        if not hits:
            return False
        spans = list(spans_without(bare, client_spans(bare), (*self._owners.names(owner), *filter(None, (host,)))))
        return any(shares_span(start, end, spans) for start, end in hits)

    def _is_theirs(self, owners: set[str], owner: str | None) -> bool:
        return owner is None or any(self._owners.is_same(one, owner) for one in owners)


#: How the lines of smtpd begin that may say who its client is, also as they are shown.
_TELLING = ("< ", "> ", "connect from ", "warning: ", "[line withheld: ")


def may_tell(text: str) -> bool:
    """Say whether a line of this text may say whose the next ones are; false is for sure."""
    return text.startswith(_TELLING) or " client=" in text or "message repeated " in text[:18]
