"""Files that continue one another, as those of a rotated log, are one: sessions, messages and secrets go on in them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO

from pfremote.errors import PfremoteError
from pfremote.maillog.parse.layouts import LayoutReader
from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.parse.record import Record
from pfremote.paths import is_file
from pfremote.run.log_files import BLOCK, STDIN, Source, open_log, read_blocks, time_of

#: What logrotate(8) puts behind a name: a number or a date, and how the file is packed.
_ROTATED = re.compile(
    r"(?:[.-](?:(?P<number>\d{1,3})|\d{8}(?:-?\d{2,10})?|\d{4}-\d\d-\d\d))?(?:\.(?:gz|bz2|xz|zst))?\Z"
)
#: Of the end of a file so much is looked at.
_TAIL = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Ends:
    """The first and the last lines of a file."""

    first: bytes
    last: bytes


@dataclass(frozen=True, slots=True)
class _Span:
    """When a file begins and ends, and the hosts that its first lines name."""

    hosts: frozenset[str]
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class _File:
    source: Source
    ends: _Ends
    span: _Span

    @property
    def order(self) -> tuple[datetime, datetime, int]:
        """What comes first; of a busy second the higher number is older, as in ``mail.log.2``."""
        found = _ROTATED.search(self.source.path)
        return self.span.begins, self.span.ends, -int((found and found["number"]) or 0)

    @property
    def name(self) -> tuple[Path, str]:
        """The folder, and the name before the log was rotated."""
        path = Path(self.source.path)
        return path.parent, _ROTATED.sub("", path.name)


def join_parts(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Return the logs in their order, files that continue one another as one log where the first of them stood.

    That they do is told from their lines: the same host, and one ends before the next begins.
    """
    files = [file for source in sources if (file := _look_at(source))] if len(sources) > 1 else []
    chains = [[file] for file in files]
    for belongs in (_has_name_of, _has_host_of):
        chains = _link(chains, belongs)
    joined = {file.source.path: _join(chain) for chain in chains if chain[1:] for file in chain}
    return tuple(dict.fromkeys(joined.get(source.path, source) for source in sources))


def _link(chains: Iterable[list[_File]], belongs: Callable[[_File, _File], bool]) -> list[list[_File]]:
    """Put those behind one another of which one goes on where the other ends."""
    linked: list[list[_File]] = []
    for chain in sorted(chains, key=lambda chain: chain[0].order):
        before = next((one for one in linked if _goes_on(one, chain) and belongs(chain[0], one[-1])), None)
        if before is None:
            linked.append(chain)
        else:
            before += chain
    return linked


def _goes_on(chain: Sequence[_File], later: Sequence[_File]) -> bool:
    """Tell whether one ends before the other begins.

    The last file dates the stamps of all then, where they have no year: those of the first must be what they are alone.
    """
    if later[0].span.begins < chain[-1].span.ends:
        return False
    return _date(chain[0].ends, later[-1].source) == chain[0].span


def _has_name_of(file: _File, other: _File) -> bool:
    """Tell whether only rotation made the names differ; the lines must not name other hosts."""
    if file.source.named or other.source.named:
        return False
    hosts, others = file.span.hosts, other.span.hosts
    return file.name == other.name and (hosts == others or bool(hosts & others))


def _has_host_of(file: _File, other: _File) -> bool:
    """Tell whether both have the host that the operator named, or else the one that all lines name."""
    if file.source.named or other.source.named:
        return file.source.named and other.source.named and file.source.host == other.source.host
    return len(file.span.hosts) == 1 and file.span.hosts == other.span.hosts


def _join(chain: Sequence[_File]) -> Source:
    parts = tuple(file.source for file in chain)
    return replace(parts[-1], parts=parts)


def _look_at(source: Source) -> _File | None:
    """Look at both ends of a file; None where it cannot be read twice or tells no time. Its reading says why."""
    if source.path == STDIN or not is_file(source.path):
        return None
    try:
        with open_log(source) as stream:
            ends = _read_ends(stream)
    except (OSError, PfremoteError):
        return None
    span = _date(ends, source)
    return None if span is None else _File(source, ends, span)


def _read_ends(stream: IO[bytes]) -> _Ends:
    first = stream.read(_TAIL) + stream.readline()
    if isinstance(stream, BufferedReader) and stream.seekable():  # a compressed file has no short way to its end
        start = stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
        if start:
            stream.readline()
        return _Ends(first, stream.read())
    last = first
    while block := stream.read(BLOCK):
        last = (last + block)[-_TAIL:]
    return _Ends(first, last)


def _date(ends: _Ends, source: Source) -> _Span | None:
    """Return when the lines were logged, dated as those of ``source`` are."""
    first, last = (list(_read_lines(data, source)) for data in (ends.first, ends.last))
    begins = [record.time for record in first if record.time is not None]
    ended = [record.time for record in last if record.time is not None]
    hosts = frozenset(record.host for record in first if record.tag) - {"", "-"}
    return _Span(hosts, begins[0], max(ended)) if begins and ended else None


def _read_lines(data: bytes, source: Source) -> Iterable[Record]:
    moment = time_of(source)
    blocks = read_blocks(BytesIO(data), LayoutReader(), lambda _done: None)
    return parse_evidence(blocks, now=moment, utc_offset=moment.utcoffset() or timedelta())
