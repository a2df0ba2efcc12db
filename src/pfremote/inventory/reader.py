"""Everything that the inventory touches outside of itself: files, folders and inventory programs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pfremote.errors import ConfigError
from pfremote.paths import is_file

#: A comment may be in any encoding, as in Ansible's INI files (its issue 17593).
_COMMENT = re.compile(rb"^[#;].*", re.MULTILINE)
#: Seconds that an inventory program may take; one that asks a slow cloud takes a while.
PROGRAM_SECONDS = 120


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        ConfigError: it cannot be read, or is not UTF-8 outside of comments.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise ConfigError(
            f"cannot be read: {exc.strerror}", file=str(path), hint="Check the path and its permissions."
        ) from exc
    try:
        return _COMMENT.sub(_replace_others, data).decode("utf-8")
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise ConfigError("this is not UTF-8 text", file=str(path), line=line, hint="Save the file as UTF-8.") from exc


def _replace_others(comment: re.Match[bytes]) -> bytes:
    return comment[0].decode("utf-8", "replace").encode()


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
    return is_file(path) and os.access(path, os.X_OK)


def ask_ansible(sources: Sequence[str]) -> str | None:
    """Return what ``ansible-inventory --list`` prints of these sources; None where Ansible is not installed.

    Raises:
        ConfigError: it failed, or took too long.
    """
    program = shutil.which("ansible-inventory")
    if program is None:
        return None
    words = [word for source in sources for word in ("-i", source)]
    # It ends with 0 and no hosts where no plugin could read a source, unless this is set; and refuses other encodings.
    settings = {
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
        "LC_ALL": "C.UTF-8",
    }
    return run_program(Path(program), *words, "--list", environment=settings)


def run_program(path: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Run an inventory program and return what it printed; None where the kernel cannot run the file at all.

    Raises:
        ConfigError: it failed, or took too long.
    """
    hint = f"Run it by hand with: {shlex.join((str(path), *arguments))}"
    try:
        done = subprocess.run(
            [str(path), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROGRAM_SECONDS,
            check=False,
            env={**os.environ, **(environment or {})},
        )
    except subprocess.TimeoutExpired as exc:
        message = f"the program did not end within {PROGRAM_SECONDS} seconds"
        raise ConfigError(message, file=str(path), hint=hint) from exc
    except OSError:
        return None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = "".join(char if char.isprintable() else "?" for char in said[-1])[:200] if said else "it said nothing"
        message = f"the program ended with status {done.returncode}: {last}"
        raise ConfigError(message, file=str(path), hint=hint)
    return done.stdout.decode("utf-8", "replace")
