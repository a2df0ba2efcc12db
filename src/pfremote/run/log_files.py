"""Open the logs that ``pfremote explain`` was given: plain or compressed files, and standard input."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shlex
import shutil
import stat
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, cast

from pfremote.errors import PfremoteError, UsageError
from pfremote.maillog.parse.layouts import LayoutReader
from pfremote.paths import exists, is_folder

BLOCK = 256 * 1024
LARGE_BLOCK = 4 * 1024 * 1024
#: From so many bytes on a log is read twice rather than held.
LARGE = 4 * 1024 * 1024
STDIN = "-"
#: Where a copy of standard input goes.
_DISK = "/var/tmp"  # noqa: S108 - the file there has no name
#: How a compressed file begins (gzip(1), bzip2(1), xz(1), zstd(1)).
_MAGIC = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zst"))


@dataclass(frozen=True, slots=True)
class Source:
    """One log: its host, and the file, ``-`` for standard input; ``named`` where the operator named the host.

    ``copy`` is what standard input was copied to.
    """

    host: str
    path: str
    named: bool = False
    copy: IO[bytes] | None = field(default=None, compare=False, repr=False)

    @property
    def is_large(self) -> bool:
        """Tell whether it is so large that it is better read twice than held, and can be read twice."""
        if self.path == STDIN:
            return self.copy is not None and self.copy.seek(0, os.SEEK_END) >= LARGE
        try:
            found = Path(self.path).stat()
            if not stat.S_ISREG(found.st_mode):
                return False
            with Path(self.path).open("rb") as file:
                least = LARGE // 10 if _find_packing(file) else LARGE
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
        with path.open("rb") as file, _decompress(file, _find_packing(file), path) as stream:
            yield stream
    except (lzma.LZMAError, zlib.error, EOFError, gzip.BadGzipFile) as exc:
        raise PfremoteError(f"{path} is damaged: {exc}", hint=f"Check it with: file {shlex.quote(str(path))}") from exc
    except OSError as exc:
        raise PfremoteError(
            f"{path} cannot be read: {exc.strerror or exc}", hint=f"Type: ls -l {shlex.quote(str(path))}"
        ) from exc


def _find_packing(file: BufferedReader) -> str:
    """Return how a file is packed, as in ``_MAGIC``; nothing where it is not."""
    return next((kind for magic, kind in _MAGIC if file.peek(6).startswith(magic)), "")


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
    # /tmp may be memory, and a log that is too large for that comes here.
    folder = os.environ.get("TMPDIR") or (_DISK if is_folder(_DISK) else None)
    with SpooledTemporaryFile(max_size=LARGE, dir=folder) as copy:
        try:
            shutil.copyfileobj(sys.stdin.buffer, copy, BLOCK)
        except OSError as exc:
            why = exc.strerror or exc
            raise PfremoteError(f"standard input cannot be copied: {why}", hint="Set TMPDIR to a folder.") from exc
        copied = replace(source, copy=cast(IO[bytes], copy))
        if copied.is_large:
            say(f"standard input was copied to a private file without a name in {folder or gettempdir()}")
        yield copied


def _open_compressed(file: IO[bytes], kind: str) -> IO[bytes]:
    """Return the reader for a compressed file; the three take an open file as well."""
    module = {"gz": gzip, "bz2": bz2, "xz": lzma}[kind]
    return cast(IO[bytes], module.open(file))


@contextmanager
def _decompress(file: IO[bytes], kind: str, path: Path) -> Iterator[IO[bytes]]:
    if kind == "zst":
        with _run_zstd(path) as stream:
            yield stream
    elif kind:
        with _open_compressed(file, kind) as stream:
            yield stream
    else:
        yield file


@contextmanager
def _run_zstd(path: Path) -> Iterator[IO[bytes]]:
    """Let zstd(1) decompress: Python has no reader for it before 3.14."""
    try:
        child = subprocess.Popen(["zstd", "-dcq", "--", str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    except FileNotFoundError:
        raise PfremoteError(f"{path} is compressed with zstd, which is not installed", hint="Install zstd.") from None
    with child:
        assert child.stdout is not None  # noqa: S101 - Popen made it
        yield child.stdout
    if child.returncode:
        raise PfremoteError(
            f"{path} is damaged: zstd ended with {child.returncode}", hint=f"Type: zstd -t {shlex.quote(str(path))}"
        )


def time_of(source: Source) -> datetime:
    """Return when the log was written last, in the operator's time zone: it dates stamps without a year."""
    if source.path == STDIN:
        return datetime.now(UTC).astimezone()
    try:
        return datetime.fromtimestamp(Path(source.path).stat().st_mtime, UTC).astimezone()
    except OSError:
        return datetime.now(UTC).astimezone()


def read_blocks(stream: IO[bytes], layouts: LayoutReader, tell: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the log in the form that syslog writes, some thousand lines at a time.

    ``tell`` is called with the bytes that were read so far.
    """
    done = 0
    while block := stream.read(BLOCK):
        block += stream.readline()
        done += len(block)
        tell(done)
        if block.endswith(b"\n") and layouts.passes(block):
            yield block
        elif shown := "\n".join(layouts.read(_split(block))):
            yield f"{shown}\n".encode("utf-8", "surrogateescape")
    yield from (f"{line}\n".encode("utf-8", "surrogateescape") for line in layouts.finish())


def read_whole_lines(source: Source, tell: Callable[[int], None]) -> Iterator[bytes]:
    """Yield a log as it is, in large blocks of whole lines.

    Raises:
        PfremoteError: it cannot be read.
    """
    done = 0
    with open_log(source) as stream:
        while block := stream.read(LARGE_BLOCK):
            block += stream.readline()
            done += len(block)
            tell(done)
            yield block if block.endswith(b"\n") else block + b"\n"


def _split(block: bytes) -> list[str]:
    return block.removesuffix(b"\n").decode("utf-8", "surrogateescape").split("\n")
