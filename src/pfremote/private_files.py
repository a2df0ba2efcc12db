"""Private files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import platformdirs

from pfremote.errors import PfremoteError, UsageError
from pfremote.paths import exists, is_folder

FOLDER_MODE = 0o700
FILE_MODE = 0o600

#: Errors of writing that are the disk's and not ours.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


#: Where the operator's settings say that runs are kept.
_root: list[Path] = []


def keep_runs_in(folder: Path) -> None:
    """Let this process keep its runs below ``folder``, and look for them there."""
    _root[:] = [folder]


def default_root() -> Path:
    """Return where runs are kept when nothing else is said: ``runs`` below the XDG state folder, or as set."""
    if _root:
        return _root[0]
    return Path(platformdirs.user_state_dir("pfremote")) / "runs"


def claim_folder(out: Path) -> Path:
    """Return ``out`` if it is free for us: not there, or an empty folder of ours.

    Raises:
        UsageError: it is a file, holds something, or belongs to another user.
        PfremoteError: it cannot be looked at.
    """
    try:
        status = out.stat()
        if not is_folder(out):
            raise UsageError(f"--out {str(out)!r} is not a folder.", hint="Give a folder that does not exist yet.")
        if status.st_uid != os.geteuid():
            raise UsageError(
                f"--out {str(out)!r} belongs to another user.",
                hint="Give a folder of your own: what is written there is private.",
            )
        if any(out.iterdir()):
            raise UsageError(
                f"--out {str(out)!r} is not empty.",
                hint="Give a folder that does not exist yet, or empty this one.",
            )
    except FileNotFoundError:
        return out
    except OSError as exc:
        raise storage_error(out, exc) from exc
    return out


def make_private_folder(path: Path) -> None:
    """Create ``path`` and its missing parents as 0700, whatever the umask; an existing ``path`` is made 0700.

    Raises:
        PfremoteError: it cannot be made.
    """
    try:
        missing = [path, *path.parents]
        for folder in reversed([folder for folder in missing if not exists(folder)]):
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            folder.chmod(FOLDER_MODE)  # mkdir(2) takes the umask off the mode, and a umask may take too much
        path.chmod(FOLDER_MODE)
    except OSError as exc:
        raise storage_error(path, exc) from exc


def write_new(path: Path, data: bytes | Iterable[bytes], *, sync: bool = True) -> None:
    """Write a file that must not exist yet, as 0600 whatever the umask, and ``sync`` it to the disk.

    Raises:
        PfremoteError: no space, no permission, an error of the disk; a part of the file may be there.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), FILE_MODE)
            stream.writelines((data,) if isinstance(data, bytes) else data)
            stream.flush()
            if sync:
                os.fsync(stream.fileno())
    except OSError as exc:
        raise storage_error(path, exc) from exc


def write_private(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write ``path`` as 0600, replacing it in one step: readers see the old file or the new one, no part.

    Of ``data`` in parts nothing is left either where making a part fails.

    Raises:
        PfremoteError: no space, no permission, an error of the disk; nothing of the new file is left.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        write_new(temporary, data)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as exc:
        raise storage_error(path, exc) from exc
    finally:
        with suppress(OSError):
            temporary.unlink()  # still there only when something above failed, also on Ctrl-C


def replace_folder(new: Path, place: Path) -> None:
    """Put the finished folder ``new`` at ``place``, and drop what stood there only when the new one stands.

    Raises:
        PfremoteError: a rename failed; what stood at ``place`` stands there again.
    """
    aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}.old")
    try:
        sync_folder(new)
        had_one = exists(place)
        if had_one:
            place.rename(aside)
        try:
            new.rename(place)
        except OSError:
            if had_one:
                aside.rename(place)
            raise
        sync_folder(place.parent)
    except OSError as exc:
        raise storage_error(place, exc) from exc
    shutil.rmtree(aside, ignore_errors=True)


def sync_folder(path: Path) -> None:
    """Make the names in ``path`` durable: rename(2) alone may be lost in a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_error(path: Path, exc: OSError) -> PfremoteError:
    """Say in one sentence why ``path`` could not be written or read, and what to type about it."""
    why = exc.strerror or str(exc)
    if exc.errno in FULL:
        hint = "Free some space there, or give another folder with --out DIR."
    elif exc.errno in _DENIED:
        hint = "Give a folder that you may write to with --out DIR, or correct its permissions."
    else:
        hint = "Give another folder with --out DIR."
    return PfremoteError(f"{str(path)!r} cannot be used: {why}.", hint=hint)
