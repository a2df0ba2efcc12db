"""Open the logs that ``pfremote explain`` was given: plain or compressed files, and standard input."""

from __future__ import annotations

import gzip
import lzma
import os
import shlex
import shutil
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from pfremote.errors import PfremoteError, UsageError
from pfremote.maillog.parse.layouts import LayoutReader
from pfremote.paths import exists
from pfremote.run.unnamed import spool_folder
from pfremote.run.unpack import decompress, find_packing

#: Bytes that are read at a time; the fewer where each block is searched several times: the processor's cache holds it.
BLOCK = 256 * 1024
SMALL_BLOCK = 64 * 1024
#: A log of so many bytes, or more, is read twice rather than held.
LARGE = 4 * 1024 * 1024
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One log: its host, and the file, ``-`` for standard input; ``named`` where the operator named the host.

    ``copy`` is what standard input was copied to. ``parts`` are the files of a log that was rotated, the oldest first;
    ``path`` is the newest of them then.
    """

    host: str
    path: str
    named: bool = False
    copy: IO[bytes] | None = field(default=None, compare=False, repr=False)
    parts: tuple[Source, ...] = ()

    @property
    def files(self) -> tuple[Source, ...]:
        """The files, each as a log of its own."""
        return self.parts or (self,)

    @property
    def name(self) -> str:
        """The files as they are called in a sentence."""
        return ", ".join(file.path for file in self.files)

    @property
    def size(self) -> int:
        """How many bytes its files have, as they are on disk; 0 for what is none."""
        paths = [Path(file.path) for file in self.files if file.path != STDIN and exists(file.path)]
        return sum(path.stat().st_size for path in paths)

    @property
    def is_large(self) -> bool:
        """Tell whether it is so large that it is better read twice than held, and can be read twice."""
        if self.parts:
            return any(part.is_large for part in self.parts)
        if self.path == STDIN:
            return self.copy is not None and self.copy.seek(0, os.SEEK_END) >= LARGE
        try:
            found = Path(self.path).stat()
            if not stat.S_ISREG(found.st_mode):
                return False
            with Path(self.path).open("rb") as file:
                least = LARGE // 10 if find_packing(file) else LARGE
        except OSError:  # open_log says why it cannot be read
            return False
        return found.st_size >= least


def read_sources(words: Iterable[str]) -> tuple[Source, ...]:
    """Return what ``FILE``, ``HOST=FILE`` and ``-`` on the command line mean; no word at all is standard input.

    Raises:
        UsageError: the same log twice, or a word that is empty.
    """
    sources = tuple(_read_word(word) for word in words) or (Source("log", STDIN),)
    if len({source.path for source in sources}) < len(sources):
        raise UsageError("the same log is named twice", hint="Name each log once.")
    return sources


def _read_word(word: str) -> Source:
    host, equals, path = word.partition("=")
    if equals and host and path and not exists(word):
        return Source(host, path, named=True)
    if not word:
        raise UsageError("a log's name is empty", hint="Name a file, or - for standard input.")
    return Source("log" if word == STDIN else Path(word).name, word)


@contextmanager
def open_log(source: Source) -> Iterator[IO[bytes]]:
    """Open one log, decompressed.

    Raises:
        PfremoteError: it cannot be opened.
    """
    if source.copy is not None:
        source.copy.seek(0)
        yield source.copy
        return
    if source.path == STDIN:
        yield sys.stdin.buffer
        return
    path = Path(source.path)
    try:
        with path.open("rb") as file, decompress(file, find_packing(file), path) as stream:
            yield stream
    except (lzma.LZMAError, zlib.error, EOFError, gzip.BadGzipFile) as exc:
        raise PfremoteError(f"{path} is damaged: {exc}", hint=f"Check it with: file {shlex.quote(str(path))}") from exc
    except OSError as exc:
        raise PfremoteError(
            f"{path} cannot be read: {exc.strerror or exc}", hint=f"Type: ls -l {shlex.quote(str(path))}"
        ) from exc


@contextmanager
def copy_stdin(source: Source, say: Callable[[str], None]) -> Iterator[Source]:
    """Copy a large standard input to a file that no one else can open, so that it can be read twice.

    The file has no name, so nothing is left of it however this process ends. Standard input that is small, and any
    other log, stay as they are; ``say`` is told about the copy.

    Raises:
        PfremoteError: there is no room for it.
    """
    if source.path != STDIN:
        yield source
        return
    folder = spool_folder()
    with SpooledTemporaryFile(max_size=LARGE, dir=folder) as copy:
        try:
            shutil.copyfileobj(sys.stdin.buffer, copy, BLOCK)
        except OSError as exc:
            why = exc.strerror or exc
            raise PfremoteError(f"standard input cannot be copied: {why}", hint="Set TMPDIR to a folder.") from exc
        copied = replace(source, copy=cast(IO[bytes], copy))
        if copied.is_large:
            say(f"standard input was copied to a private file without a name in {folder}")
        yield copied


def time_of(source: Source) -> datetime:
    """Return when the log was written last, in the operator's time zone: it dates stamps without a year."""
    if source.path == STDIN:
        return datetime.now(UTC).astimezone()
    try:
        return datetime.fromtimestamp(Path(source.path).stat().st_mtime, UTC).astimezone()
    except OSError:
        return datetime.now(UTC).astimezone()


def read_log(
    source: Source,
    layouts: LayoutReader,
    tell: Callable[[int], None],
    starts: list[int],
    lengths: list[int] | None = None,
) -> Iterator[bytes]:
    """Yield a log in the form that syslog writes, one file after the other.

    ``tell`` is called with the bytes that were read so far; ``starts`` gets the line at which each file begins.
    ``lengths`` gets how long each file is; where it has that already, a file that has grown is read no further.

    Raises:
        PfremoteError: it cannot be read.
    """
    starts.clear()
    line, done = 1, 0
    ends = tuple(lengths or ())

    def tell_all(of_file: int) -> None:
        nonlocal done
        done = before + of_file
        tell(done)

    for place, file in enumerate(source.files):
        starts.append(line)
        before = done
        with open_log(file) as stream:
            for block in read_blocks(stream, layouts, tell_all, ends[place] if ends else None):
                line += block.count(b"\n")
                yield block
        if lengths is not None and not ends:
            lengths.append(done - before)


def read_blocks(
    stream: IO[bytes], layouts: LayoutReader, tell: Callable[[int], None], end: int | None = None
) -> Iterator[bytes]:
    """Yield what a file holds in the form that syslog writes, some thousand lines at a time.

    ``tell`` is called with the bytes that were read so far; no more than ``end`` are.
    """
    done = 0
    while block := stream.read(BLOCK if end is None else min(BLOCK, end - done)):
        block += stream.readline(-1 if end is None else end - done - len(block))
        done += len(block)
        tell(done)
        if block.endswith(b"\n") and layouts.passes(block):
            yield block
        elif shown := "\n".join(layouts.read(_split(block))):
            yield f"{shown}\n".encode("utf-8", "surrogateescape")
    yield from (f"{line}\n".encode("utf-8", "surrogateescape") for line in layouts.finish())


def open_plain(source: Source) -> IO[bytes] | None:
    """Open a log that can be read from any place on; None for one that cannot, or not at all."""
    if source.path == STDIN:
        return None
    with suppress(OSError), ExitStack() as stack:  # open_log says why it cannot be read
        file = stack.enter_context(Path(source.path).open("rb"))
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and not find_packing(file):
            stack.pop_all()
            return file
    return None


def measure_plain(source: Source) -> int:
    """Return how long such a log is; 0 of another."""
    with open_plain(source) or nullcontext() as file:
        return os.fstat(file.fileno()).st_size if file else 0


def read_whole_lines(source: Source, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield one file as it is, in blocks of whole lines; of a plain one those that begin from one place to another.

    Raises:
        PfremoteError: it cannot be read.
    """
    with open_log(source) as stream:
        if start:
            stream.seek(start - 1)
            stream.readline()
        at = stream.tell() if start else 0
        while end is None or at < end:
            block = stream.read(SMALL_BLOCK if end is None else min(SMALL_BLOCK, end - at))
            if not block:
                return
            if not block.endswith(b"\n"):
                block += stream.readline()
            at += len(block)
            yield block if block.endswith(b"\n") else block + b"\n"


def _split(block: bytes) -> list[str]:
    return block.removesuffix(b"\n").decode("utf-8", "surrogateescape").split("\n")
