"""What was understood of one host's log, as ``sessions.json`` and ``transcripts/`` hold it.

Log lines are named by their place in ``evidence.log``, which leaves out other peers' lines: they are
numbered anew. Pure.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from pfremote.maillog.capture import Capture
from pfremote.maillog.causes import number_lines
from pfremote.maillog.findings import Finding
from pfremote.maillog.messages.message import Hop
from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.pack import Packed
from pfremote.maillog.record_table import list_numbers
from pfremote.maillog.transcripts import transcript as transcripts
from pfremote.maillog.transcripts.turns import Transcript
from pfremote.model.lazy import Lazy
from pfremote.store.encode import to_json
from pfremote.store.run import JsonObject
from pfremote.text.terminal import show_block

_T = TypeVar("_T")

#: Of more sessions on a host only those with a finding have a file: a large log has millions of them.
MOST_TRANSCRIPTS = 10_000


class EncodedSessions(Lazy[JsonObject]):
    """Sessions as ``sessions.json`` holds them, each made when it is asked for.

    ``wanted`` are the ids of those that are needed, where not all are; then each tells its number among all.
    """

    def __init__(
        self, items: Sequence[Transcript], place_of: Callable[[int], int], wanted: Container[int] | None = None
    ) -> None:
        self._items, self._place_of, self._is_part = items, place_of, wanted is not None
        numbers = _list_ids(items)
        #: Where in ``items`` those stand that are needed, and their numbers, in order.
        self._at: Sequence[int] = range(len(items))
        self.numbers: Sequence[int] = numbers
        if wanted is not None:
            self._at = array("I", (at for at, number in enumerate(numbers) if number in wanted))
            self.numbers = array("I", (numbers[at] for at in self._at))

    def __len__(self) -> int:
        return len(self._at)

    def make(self, place: int) -> JsonObject:
        """Return one."""
        item = self._items[self._at[place]]
        encoded: JsonObject = _renumber(to_json(transcripts.to_json(item)), self._place_of)
        encoded["lines"] = list(filter(None, map(self._place_of, list_numbers(item.session.records))))
        return {**encoded, "number": self.numbers[place]} if self._is_part else encoded


class Encoded(Lazy[JsonObject], Generic[_T]):
    """Findings or messages as ``sessions.json`` holds them, each made when it is asked for."""

    def __init__(
        self, items: Sequence[_T], place_of: Callable[[int], int], encode: Callable[[_T], Any] = to_json
    ) -> None:
        self._items, self._place_of, self._encode = items, place_of, encode

    def __len__(self) -> int:
        return len(self._items)

    def make(self, place: int) -> JsonObject:
        """Return one."""
        encoded: JsonObject = _renumber(self._encode(self._items[place]), self._place_of)
        return encoded


class EncodedLines(Lazy[int]):
    """The places of lines in ``evidence.log``, each told when it is asked for; all of them are in it."""

    def __init__(self, records: Sequence[Record], place_of: Callable[[int], int]) -> None:
        self._records, self._place_of = records, place_of

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[int]:
        return map(self._place_of, list_numbers(self._records))

    def make(self, place: int) -> int:
        """Return one."""
        return self._place_of(self._records[place].number)


def encode_lazily(capture: Capture, hops: Sequence[Hop] = (), *, wanted: Container[int] | None = None) -> JsonObject:
    """Return the object that ``sessions.json`` holds beside the host's result; ``hops`` are its messages.

    What there may be very many of is encoded when it is asked for: of a large log there is no room for it twice.
    ``wanted`` are the ids of the sessions that are needed, where not all are: each keeps its number among all.
    """
    places = number_lines(capture)
    place_of = _tell_places(places)
    withheld = [{"line": item.number, "reason": item.reason} for item in capture.withheld if item.number in places]
    return {
        "sessions": EncodedSessions(capture.transcripts, place_of, wanted),
        "followed": {"lines": EncodedLines(capture.followed, place_of)},
        "unplaced": {"lines": EncodedLines(capture.unplaced, place_of)},
        "findings": Encoded(capture.findings, place_of, _finding),
        "exposures": _renumber(to_json(capture.exposures), place_of),
        "withheld": _renumber(to_json(withheld), place_of),
        "counts": to_json(capture.counts),
        "hops": Encoded(hops, place_of),
    }


def _tell_places(places: Mapping[int, int]) -> Callable[[int], int]:
    """Return what tells the place of a line in ``evidence.log`` by its number, 0 where it is not in it."""
    last = len(places)
    if places.get(last) == last:  # every line of the log is in it
        return lambda number: number if 0 < number <= last else 0
    return lambda number: places.get(number, 0)


def _list_ids(items: Sequence[Transcript]) -> Sequence[int]:
    """Return the sessions' ids in their order."""
    return items.numbers if isinstance(items, Packed) else array("I", (item.session.id for item in items))


def leaves_out_transcripts(capture: Capture) -> bool:
    """Say whether there are so many sessions that only those with a finding have a file."""
    return len(capture.transcripts) > MOST_TRANSCRIPTS


def render_transcripts(capture: Capture) -> Iterator[tuple[int, str]]:
    """Yield place (from 1) and text of each transcript, harmless on a terminal; of very many, those with a finding."""
    items = capture.transcripts
    places: Iterable[int] = range(len(items))
    if leaves_out_transcripts(capture):
        troubled = frozenset(item.session for item in capture.findings)
        places = (place for place, number in enumerate(_list_ids(items)) if number in troubled)
    return ((place + 1, show_block(transcripts.render_text(items[place]))) for place in places)


def _finding(item: Finding) -> Any:
    told = {
        "code": item.code,
        "title": item.title,
        "certainty": item.certainty,
        "session": item.session,
        "line": item.proof.number,
        "count": item.count,
        "meaning": item.meaning,
        "next_step": item.next_step,
    }
    return to_json(told)


def _renumber(value: Any, place_of: Callable[[int], int]) -> Any:
    """Return ``value``, in which ``line`` and ``lines`` are now places in ``evidence.log``, 0 for what is not in it."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if key == "line" and isinstance(item, int):
            value[key] = place_of(item)
        elif key == "lines" and isinstance(item, list):
            value[key] = list(filter(None, map(place_of, item)))
        elif isinstance(item, dict | list):
            _renumber(item, place_of)
    return value
