"""The lines of a log of which only some are held. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pfremote.maillog.parse.record import Record
from pfremote.maillog.tally import Places
from pfremote.model.lazy import Lazy


class KeptRecords(Lazy[Record]):
    """As many lines as there are ``places``, of which those in ``held`` can be asked for."""

    def __init__(self, places: Places, held: Iterable[Record]) -> None:
        self.places = places
        self._held = {places[record.number]: record for record in held}

    def __len__(self) -> int:
        return len(self.places)

    def make(self, place: int) -> Record:
        """Return the record at a place from 0.

        Raises:
            KeyError: it is not held.
        """
        return self._held[place + 1]
