"""Files without a name: no one else can open them, and nothing is left of them however this process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, TYPE_CHECKING, cast

from pfremote.errors import PfremoteError
from pfremote.paths import is_folder

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: On disk: /tmp may be memory, and what is too large for that comes here.
_DISK = "/var/tmp"  # noqa: S108 - the files have no name there
#: Bytes; a smaller file stays in memory.
_SMALL = 4 * 1024 * 1024


def spool_folder() -> str:
    """Return the folder in which the files are made: TMPDIR, or else one that is on disk."""
    return os.environ.get("TMPDIR") or (_DISK if is_folder(_DISK) else gettempdir())


class _Spool(SpooledTemporaryFile[bytes]):
    """A file that says what to do where there is no room for it; what was written may be missed only later."""

    def write(self, data: ReadableBuffer) -> int:
        """Write at the end.

        Raises:
            PfremoteError: the folder is not there, may not be written to, or is full.
        """
        with _complain():
            return super().write(data)

    def seek(self, *args: int) -> int:
        """Go to a place.

        Raises:
            PfremoteError: as :meth:`write`.
        """
        with _complain():
            return super().seek(*args)


@contextmanager
def _complain() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        why = f"what is to be told at the end cannot be kept in {spool_folder()}: {exc.strerror or exc}"
        raise PfremoteError(why, hint="Set TMPDIR to a folder that has room.") from exc


@contextmanager
def open_spool() -> Iterator[IO[bytes]]:
    """Open a file for what is written once and read back; a small one stays in memory."""
    file = _Spool(max_size=_SMALL, dir=spool_folder())
    try:
        yield cast(IO[bytes], file)
    finally:
        with suppress(OSError):  # what is in it is needed no more
            file.close()
