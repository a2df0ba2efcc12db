"""A value that must never be printed, logged or put into an exception by accident."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

MASK = "****"
#: A shorter text would be found inside of ordinary words; such a value is kept out of messages where it is read.
SHORTEST = 5


class Secret:
    """Hold a password; ``str()`` and ``repr()`` show a mask, :meth:`reveal` is the only way out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the clear text. Call it only at the byte that writes it to sudo."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    def __str__(self) -> str:
        return MASK

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not pickled")


class KnownSecrets:
    """Texts that this process has decrypted or was given: what is printed or stored is searched for them."""

    def __init__(self) -> None:
        self._all: dict[str, None] = {}
        self._texts: tuple[str, ...] = ()
        self._spared = ""

    def add(self, text: str) -> None:
        """Remember one text; one of several lines counts by its lines as well, and as JSON would write it."""
        parts = {part.strip() for part in (text, *text.splitlines())}
        self._all.update(dict.fromkeys(parts | {json.dumps(part)[1:-1] for part in parts}))
        self._sort()

    def spare(self, names: Iterable[str]) -> None:
        """Never mask these names, nor a text that is a part of one: they are the operator's hosts."""
        self._spared += "\n".join(("", *names))
        self._sort()

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def mask(self, text: str) -> str:
        """Return ``text`` with a mask in place of each of them, the longest first."""
        for known in self._texts:
            text = text.replace(known, MASK)
        return text

    def forget(self) -> None:
        """Forget all, as a new run in the same process does."""
        self._all.clear()
        self._texts, self._spared = (), ""

    def _sort(self) -> None:
        every = (text for text in list(self._all) if len(text) >= SHORTEST and text not in self._spared)
        self._texts = tuple(sorted(every, key=len, reverse=True))


#: One for the process: what is secret in one place is so in all places where something is printed.
KNOWN_SECRETS = KnownSecrets()
