"""Values that are not looked at before the end of a log: packed, in a file that is handed in."""

from __future__ import annotations

import copyreg
import io
import pickle
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import IO, Any, Generic, TypeVar

from pfremote.model.lazy import Lazy

_T = TypeVar("_T")

#: Bytes that are packed as one block: values that stand beside each other are alike, and pack well together.
_BLOCK = 1 << 16
#: How many of the blocks, and of the chunks, that were read last are held.
_HELD = 8
#: Values that are packed as one, where they are mostly read in their order.
_CHUNK = 256


class _Reducer:
    """Takes a data class apart by its fields, and has it made again from them."""

    def __init__(self, kind: type) -> None:
        self._kind, self._values_of = kind, attrgetter(*(field.name for field in fields(kind)))

    def __call__(self, value: object) -> tuple[type, tuple[Any, ...]]:
        return self._kind, self._values_of(value)


class Spool(Lazy[_T], Generic[_T]):
    """Values in the order in which they were put in, each made anew when it is asked for.

    ``file`` is for reading and writing, and may have other spools in it; without one they are held packed, in a tenth
    of the room. What stands in it is what may be shown, and no one else's: it is read back without a look.
    ``kinds`` are data classes of which the values have many: these are packed in a third of the time.
    """

    def __init__(self, file: IO[bytes] | None = None, kinds: Iterable[type] = ()) -> None:
        self._file = io.BytesIO() if file is None else file
        self._buffer = io.BytesIO()
        self._pickler = pickle.Pickler(self._buffer, pickle.HIGHEST_PROTOCOL)
        self._pickler.dispatch_table = copyreg.dispatch_table | {kind: _Reducer(kind) for kind in kinds}
        #: Of each block in the file: its first value, its first byte, and its length.
        self._firsts, self._begins, self._lengths = array("Q"), array("Q"), array("Q")
        #: The values that are in no block yet.
        self._fresh: list[bytes] = []
        self._size = 0
        self._count = 0
        self._block_at = lru_cache(_HELD)(self._read)

    def add(self, value: _T) -> None:
        """Take one more."""
        self._pickler.dump(value)
        self._pickler.clear_memo()
        self._fresh.append(self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()
        self._count += 1
        self._size += len(self._fresh[-1])
        if self._size >= _BLOCK:
            self._write()

    def _write(self) -> None:
        # A thousand sessions of a debug log are some MB: the least effort packs them nearly as well as the most.
        packed = zlib.compress(pickle.dumps(self._fresh, pickle.HIGHEST_PROTOCOL), 1)
        self._firsts.append(self._count - len(self._fresh))
        self._begins.append(self._file.seek(0, io.SEEK_END))
        self._lengths.append(len(packed))
        self._file.write(packed)
        self._fresh, self._size = [], 0

    def __len__(self) -> int:
        return self._count

    def make(self, place: int) -> _T:
        """Return one."""
        written = self._count - len(self._fresh)
        if place >= written:
            return self._load(self._fresh[place - written])
        block = bisect_right(self._firsts, place) - 1
        return self._load(self._block_at(block)[place - self._firsts[block]])

    def _load(self, packed: bytes) -> _T:
        value: _T = pickle.loads(packed)  # noqa: S301 - packed above, and in no one else's hands
        return value

    def _read(self, block: int) -> list[bytes]:
        self._file.seek(self._begins[block])
        found: list[bytes] = pickle.loads(zlib.decompress(self._file.read(self._lengths[block])))  # noqa: S301 - see above
        return found


class Chunks(Lazy[_T], Generic[_T]):
    """The same of small values that are mostly read in their order: many of them are packed as one."""

    def __init__(self, file: IO[bytes] | None = None) -> None:
        self._spool: Spool[list[_T]] = Spool(file)
        self._fresh: list[_T] = []
        self._chunk_at = lru_cache(_HELD)(self._spool.make)

    def add(self, value: _T) -> None:
        """Take one more."""
        self._fresh.append(value)
        if len(self._fresh) == _CHUNK:
            self._spool.add(self._fresh)
            self._fresh = []

    def __len__(self) -> int:
        return len(self._spool) * _CHUNK + len(self._fresh)

    def __iter__(self) -> Iterator[_T]:
        for at in range(len(self._spool)):
            yield from self._spool[at]
        yield from self._fresh

    def make(self, place: int) -> _T:
        """Return one."""
        at, within = divmod(place, _CHUNK)
        if at == len(self._spool):
            return self._fresh[within]
        return self._chunk_at(at)[within]
