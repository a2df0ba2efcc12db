"""Compressed logs, as logrotate(8) leaves them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from pfremote.errors import PfremoteError

#: How a compressed file begins (gzip(1), bzip2(1), xz(1), zstd(1)).
_MAGIC = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zst"))


def find_packing(file: BufferedReader) -> str:
    """Return how a file is packed, as in ``_MAGIC``; nothing where it is not."""
    return next((kind for magic, kind in _MAGIC if file.peek(6).startswith(magic)), "")


def _open_compressed(file: IO[bytes], kind: str) -> IO[bytes]:
    """Return the reader for a compressed file; the three take an open file as well."""
    module = {"gz": gzip, "bz2": bz2, "xz": lzma}[kind]
    return cast(IO[bytes], module.open(file))


@contextmanager
def decompress(file: IO[bytes], kind: str, path: Path) -> Iterator[IO[bytes]]:
    """Yield what an open file holds, by how it is packed.

    Raises:
        PfremoteError: it is packed with zstd, which is not there or cannot read it.
    """
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
