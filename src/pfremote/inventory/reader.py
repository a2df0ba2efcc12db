"""Everything that the inventory touches outside of itself: files, folders and inventory programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pfremote.errors import ConfigError

#: Seconds that an inventory program may take; one that asks a slow cloud takes a while.
PROGRAM_SECONDS = 120


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        ConfigError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as exc:
        raise ConfigError(
            f"cannot be read: {exc.strerror}", file=str(path), hint="Check the path and its permissions."
        ) from exc
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise ConfigError("this is not UTF-8 text", file=str(path), line=line, hint="Save the file as UTF-8.") from exc


def list_folder(path: Path) -> list[str]:
    """Return the names in a folder, sorted as Ansible sorts them.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return sorted(entry.name for entry in path.iterdir())
    except OSError as exc:
        raise ConfigError(f"cannot be read: {exc.strerror}", file=str(path), hint="Check its permissions.") from exc


def is_program(path: Path) -> bool:
    """Tell whether a file is to be run rather than read."""
    return path.is_file() and os.access(path, os.X_OK)


def run_program(path: Path, *arguments: str) -> str | None:
    """Run an inventory program and return what it printed; None where the kernel cannot run the file at all.

    Raises:
        ConfigError: it failed, or took too long.
    """
    try:
        done = subprocess.run(
            [str(path), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        message = f"the program did not end within {PROGRAM_SECONDS} seconds"
        raise ConfigError(message, file=str(path), hint=f"Run it by hand: {path} --list.") from exc
    except OSError:
        return None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = "".join(char if char.isprintable() else "?" for char in said[-1])[:200] if said else "it said nothing"
        message = f"the program ended with status {done.returncode}: {last}"
        raise ConfigError(message, file=str(path), hint=f"Run it by hand: {path} --list.")
    return done.stdout.decode("utf-8", "replace")
