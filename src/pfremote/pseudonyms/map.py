"""The map from names to tokens: one private file for all runs, apart from every run folder."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from pfremote.errors import PfremoteError
from pfremote.private_files import FILE_MODE, make_private_folder, storage_error, write_private
from pfremote.pseudonyms.names import Numbers, Pseudonyms

SCHEMA = 1
_KEY_BYTES = 32
_HINT = "Move the file away to start a new map; tokens of earlier runs can then not be told any more."


def default_map() -> Path:
    """Return where the map is kept: ``pseudonyms.json`` below the XDG data folder."""
    return Path(platformdirs.user_data_dir("pfremote")) / "pseudonyms.json"


class PseudonymStore:
    """The map as a file. Threads and other runs wait for each other; a number once given stays."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_map()
        self._lock = threading.RLock()
        self._depth = 0
        self._seen: tuple[int, int, int] | None = None
        self._names: Pseudonyms | None = None

    @contextmanager
    def open(self) -> Iterator[Pseudonyms]:
        """Give the tokens to work with; what was added is on the disk before the context is left.

        Raises:
            PfremoteError: the map cannot be read, written or understood; then nothing may be stored under it.
        """
        with self._lock:
            if self._depth and self._names is not None:
                yield self._names
                return
            with self._hold():
                names = self._load()
                self._depth += 1
                try:
                    yield names
                finally:
                    self._depth -= 1
                    self._save(names)

    @contextmanager
    def _hold(self) -> Iterator[None]:
        make_private_folder(self.path.parent)
        # A file of its own: the map is replaced by rename, and a lock stays with the old inode.
        place = self.path.with_suffix(".lock")
        try:
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        except OSError as exc:
            raise storage_error(place, exc) from exc
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _load(self) -> Pseudonyms:
        try:
            status = self.path.stat()
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._names is None or stamp != self._seen:
                key, numbers = _decode(self.path, self.path.read_bytes())
                if self._names is None:
                    self._names = Pseudonyms(key, numbers)
                else:
                    self._names.numbers = numbers
                self._seen = stamp
        except FileNotFoundError:
            if self._names is None:
                self._names = Pseudonyms(secrets.token_bytes(_KEY_BYTES))
            self._names.grown = True
        except OSError as exc:
            raise storage_error(self.path, exc) from exc
        return self._names

    def _save(self, names: Pseudonyms) -> None:
        if not names.grown:
            return
        content = {
            "schema": SCHEMA,
            "kind": "pfremote-pseudonyms",
            "key": names.key.hex(),
            "numbers": names.numbers,
        }
        write_private(self.path, (json.dumps(content, ensure_ascii=True, indent=1) + "\n").encode())
        names.grown = False
        status = self.path.stat()
        self._seen = (status.st_ino, status.st_mtime_ns, status.st_size)


def _decode(path: Path, data: bytes) -> tuple[bytes, Numbers]:
    try:
        content = json.loads(data)
        if content["kind"] != "pfremote-pseudonyms" or content["schema"] != SCHEMA:
            raise ValueError("another kind of file, or another schema")
        numbers = {
            str(kind): {str(value): int(number) for value, number in known.items()}
            for kind, known in content["numbers"].items()
        }
        key = bytes.fromhex(content["key"])
        if len(key) != _KEY_BYTES or any(sorted(k.values()) != list(range(1, len(k) + 1)) for k in numbers.values()):
            raise ValueError("a key or number is missing")
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise PfremoteError(f"{str(path)!r} is no map of pseudonyms ({exc}).", hint=_HINT) from exc
    return key, numbers
