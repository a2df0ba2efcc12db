"""Transcripts that are not looked at before the end of a log: packed, in a tenth of the room."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pfremote.maillog.sessions.build import Session
from pfremote.maillog.transcripts.turns import Transcript
from pfremote.model.lazy import Lazy


class Packed(Lazy[Transcript]):
    """Transcripts of sessions without the sessions' lines, each made anew when it is asked for."""

    def __init__(self) -> None:
        self._items: list[tuple[int, bytes]] = []

    @property
    def numbers(self) -> list[int]:
        """The sessions' ids, in their order."""
        return [number for number, _ in self._items]

    @property
    def sessions(self) -> Sequence[Session]:
        """The sessions, without their lines."""
        return _Sessions(self)

    def add(self, transcript: Transcript) -> None:
        """Take one more, in any order."""
        bare = replace(transcript, session=replace(transcript.session, records=()))
        # A thousand sessions of a debug log are some MB: the least effort packs them nearly as well as the most.
        self._items.append((bare.session.id, zlib.compress(pickle.dumps(bare, pickle.HIGHEST_PROTOCOL), 1)))

    def number(self, numbers: Mapping[int, int]) -> None:
        """Give the sessions other ids, by the old ones, and put them in that order."""
        self._items = sorted((numbers[old], packed) for old, packed in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def make(self, place: int) -> Transcript:
        """Return one."""
        number, packed = self._items[place]
        transcript: Transcript = pickle.loads(zlib.decompress(packed))  # noqa: S301 - packed above, and kept in memory
        return replace(transcript, session=replace(transcript.session, id=number))


class _Sessions(Lazy[Session]):
    def __init__(self, transcripts: Packed) -> None:
        self._transcripts = transcripts

    def __len__(self) -> int:
        return len(self._transcripts)

    def make(self, place: int) -> Session:
        return self._transcripts[place].session
