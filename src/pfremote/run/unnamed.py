"""Files without a name: no one else can open them, and nothing is left of them however this process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, cast

from pfremote.paths import is_folder

#: Where they are made.
_DISK = "/var/tmp"  # noqa: S108 - they have no name there
#: A smaller one stays in memory.
_SMALL = 4 * 1024 * 1024


def choose_folder() -> str:
    """Return where they are made: /tmp may be memory, and what is too large for that comes there."""
    return os.environ.get("TMPDIR") or (_DISK if is_folder(_DISK) else gettempdir())


@contextmanager
def open_spool() -> Iterator[IO[bytes]]:
    """Open a file for what is written once and read back; a small one stays in memory."""
    with SpooledTemporaryFile(max_size=_SMALL, dir=choose_folder()) as file:
        yield cast(IO[bytes], file)
