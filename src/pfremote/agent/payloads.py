"""The payloads of a reply. Pure.

Packed ones stay packed until they are read, and then come in blocks: they are a host's log lines, and there
may be hundreds of megabytes of them, of many hosts at once.

>>> held = Payloads({"main.cf.before": b"a\\n"})
>>> held.add_packed("evidence", gzip.compress(b"line\\n"), limit=100)
>>> held["evidence"], held.size("evidence")
(b'line\\n', 5)
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping

#: Bytes that are unpacked at a time.
_BLOCK = 1024 * 1024


class Payloads(Mapping[str, bytes]):
    """Bytes by name, in the order in which they came."""

    def __init__(self, plain: Mapping[str, bytes] | None = None) -> None:
        self._held = dict(plain or {})
        self._sizes = {name: len(data) for name, data in self._held.items()}
        self._packed: set[str] = set()

    def add(self, name: str, data: bytes) -> None:
        """Take one that came as it is."""
        self._held[name], self._sizes[name] = data, len(data)

    def add_packed(self, name: str, data: bytes, *, limit: int) -> None:
        """Take one that came in gzip members, one after the other (RFC 1952 section 2.2).

        Raises:
            ValueError: it is damaged, or more than ``limit`` bytes when unpacked.
        """
        size = 0
        for block in _unpack(data):
            size += len(block)
            if size > limit:
                raise ValueError(f"unpacks to more than the {limit} bytes accepted")
        self._held[name], self._sizes[name] = data, size
        self._packed.add(name)

    def size(self, name: str) -> int:
        """Return how many bytes it has, unpacked."""
        return self._sizes[name]

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield its bytes in blocks; nothing where there is none of this name."""
        if name in self._packed:
            yield from _unpack(self._held[name])
        elif name in self._held:
            yield self._held[name]

    def __getitem__(self, name: str) -> bytes:
        return b"".join(self.blocks(name)) if name in self._packed else self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def _unpack(data: bytes) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            while block := stream.read(_BLOCK):
                yield block
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise ValueError(f"is damaged: {exc}") from exc
