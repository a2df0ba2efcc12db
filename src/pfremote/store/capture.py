"""What was understood of one host's log, as ``sessions.json`` and ``transcripts/`` hold it.

Log lines are named by their place in ``evidence.log``, which leaves out other peers' lines: they are
numbered anew. Pure.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

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


class EncodedSessions(Lazy[JsonObject]):
    """Sessions as ``sessions.json`` holds them, each made when it is asked for.

    ``wanted`` are the ids of those that are needed, where not all are; then each tells its number among all.
    """

    def __init__(
        self, items: Sequence[Transcript], places: Mapping[int, int], wanted: Container[int] | None = None
    ) -> None:
        self._items, self._places, self._is_part = items, places, wanted is not None
        numbers = items.numbers if isinstance(items, Packed) else [item.session.id for item in items]
        #: Where in ``items`` those stand that are needed, and their numbers, in order.
        self._at: Sequence[int] = range(len(items))
        self.numbers: Sequence[int] = numbers
        if wanted is not None:
            self._at = [at for at, number in enumerate(numbers) if number in wanted]
            self.numbers = [numbers[at] for at in self._at]

    def __len__(self) -> int:
        return len(self._at)

    def make(self, place: int) -> JsonObject:
        """Return one."""
        session, number = _session(self._items[self._at[place]]), self.numbers[place]
        encoded: JsonObject = _renumber(
            to_json({**session, "number": number} if self._is_part else session), self._places
        )
        return encoded


class EncodedFindings(Lazy[JsonObject]):
    """Findings as ``sessions.json`` holds them, each made when it is asked for."""

    def __init__(self, items: Sequence[Finding], places: Mapping[int, int]) -> None:
        self._items, self._places = items, places

    def __len__(self) -> int:
        return len(self._items)

    def make(self, place: int) -> JsonObject:
        """Return one."""
        encoded: JsonObject = _renumber(to_json(_finding(self._items[place])), self._places)
        return encoded


def encode_capture(capture: Capture, hops: Iterable[Hop] = (), *, wanted: Container[int] | None = None) -> JsonObject:
    """Return the object that ``sessions.json`` holds beside the host's result; ``hops`` are its messages.

    ``wanted`` are the ids of the sessions that are needed, where not all are: each keeps its number among all, and is
    encoded when it is asked for (:class:`EncodedSessions`).
    """
    encoded = encode_lazily(capture, hops, wanted=wanted)
    if wanted is not None:
        return encoded
    return {**encoded, "sessions": list(encoded["sessions"]), "findings": list(encoded["findings"])}


def encode_lazily(capture: Capture, hops: Iterable[Hop] = (), *, wanted: Container[int] | None = None) -> JsonObject:
    """Return the same with all sessions and findings lazily: of a large log there is no room for them twice."""
    places = number_lines(capture)
    content = {
        "followed": {"lines": _numbers(capture.followed)},
        "unplaced": {"lines": _numbers(capture.unplaced)},
        "findings": (),
        "exposures": capture.exposures,
        "withheld": [
            {"line": item.number, "reason": item.reason} for item in capture.withheld if item.number in places
        ],
        "counts": capture.counts,
        "hops": tuple(hops),
    }
    others = {key: _renumber(value, places) for key, value in to_json(content).items()}
    others["findings"] = EncodedFindings(capture.findings, places)
    return {"sessions": EncodedSessions(capture.transcripts, places, wanted), **others}


def render_transcripts(capture: Capture) -> Iterator[str]:
    """Return the text of each transcript in session order, harmless on a terminal."""
    return (show_block(transcripts.render_text(item)) for item in capture.transcripts)


def _session(item: Transcript) -> JsonObject:
    return {**transcripts.to_json(item), "lines": _numbers(item.session.records)}


def _finding(item: Finding) -> JsonObject:
    return {
        "code": item.code,
        "title": item.title,
        "certainty": item.certainty,
        "session": item.session,
        "line": item.proof.number,
        "count": item.count,
        "meaning": item.meaning,
        "next_step": item.next_step,
    }


def _numbers(records: Iterable[Record]) -> list[int]:
    return list(list_numbers(records))


def _renumber(value: Any, places: Mapping[int, int]) -> Any:
    """Return ``value`` with ``line`` and ``lines`` as places in ``evidence.log``, 0 for what is not in it."""
    if isinstance(value, list):
        return [_renumber(item, places) for item in value]
    if not isinstance(value, dict):
        return value
    fresh = {key: _renumber(item, places) for key, item in value.items()}
    if isinstance(value.get("line"), int):
        fresh["line"] = places.get(value["line"], 0)
    if isinstance(value.get("lines"), list):
        fresh["lines"] = [place for number in value["lines"] if (place := places.get(number))]
    return fresh
