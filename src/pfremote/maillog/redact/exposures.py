"""The credentials that a log holds in the clear: where, of what kind, and what the server made of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pfremote.maillog.redact.accounts import Key


@dataclass(frozen=True, slots=True)
class Exposure:
    """A credential that the host's own log holds in the clear. The secret itself is never in here.

    ``account`` is "(unknown)" where no line tells it; ``where`` says what kind of line held it, ``kind``
    what it is (``password``, ``bearer token``, …), ``line`` the record's number. ``refused``: the server judged it and
    said no.
    """

    account: str
    host: str
    time: datetime | None
    mechanism: str
    where: str
    kind: str
    line: int
    refused: bool = False


class Exposures:
    """One of each kind and authentication exchange, in the order of the log."""

    def __init__(self) -> None:
        self._found: dict[Key, dict[str, Exposure]] = {}

    def __iter__(self) -> Iterator[tuple[Key, Exposure]]:
        return ((key, item) for key, kinds in self._found.items() for item in kinds.values())

    def enter(self, key: Key, item: Exposure) -> None:
        """Enter one of an exchange. What comes after an answer has none yet."""
        known = self._found.setdefault(key, {})
        known[item.kind] = replace(known.get(item.kind, item), refused=False)

    def refuse(self, key: Key) -> None:
        """Say that the server judged what the exchange has so far, and said no."""
        known = self._found.get(key, {})
        known.update({kind: replace(item, refused=True) for kind, item in known.items()})
