"""The mark that a lease takes of the log: written by log_position, and read again by log_of_lease and position_read."""

from __future__ import annotations

import subprocess
from importlib import resources
from pathlib import Path

import pytest

from tests.support.agent import LEASE, SHELLS

_READ = """
set -u
STATE=$1 LOG=as-it-was AT_INODE='' AT_SIZE='' AT_SUM='' AT_PATH=''
log_of_lease "$2"
printf '%s|%s|%s|%s|%s' "$LOG" "$AT_INODE" "$AT_SIZE" "$AT_SUM" "$AT_PATH"
"""
_WRITE = """
set -u
LOG=$1
log_position
"""


def run(shell: str, script: str, *words: str) -> str:
    """Run a piece of script that knows the agent's functions up to the log's."""
    folder = resources.files("pfremote.agent") / "script"
    names = sorted(part.name for part in folder.iterdir() if part.name.endswith(".sh") and part.name < "60")
    functions = "".join((folder / name).read_text() for name in names)
    done = subprocess.run(
        [*shell.split(), "-c", functions + script, "sh", *words], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def read_mark(shell: str, folder: Path, mark: str) -> str:
    (folder / "leases" / LEASE).mkdir(parents=True, exist_ok=True)
    (folder / "leases" / LEASE / "mark").write_text(f"{mark}\n")
    return run(shell, _READ, str(folder), LEASE)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("mark", "found"),
    [
        ("file 131 4096 7654321 /var/log/mail.log", "file:/var/log/mail.log|131|4096|7654321|/var/log/mail.log"),
        ("file 131 4096 7654321 /var/log/a b  c", "file:/var/log/a b  c|131|4096|7654321|/var/log/a b  c"),
        ("file  0 0 /var/log/not-there-yet", "file:/var/log/not-there-yet||0|0|/var/log/not-there-yet"),
        ("journal s=1a;i=2b;b=3c;m=4d;t=5e;x=6f", "journal||||"),
        ("journal ", "journal||||"),
        ("journal:mail s=1a;i=2b", "journal:mail||||"),
        ("none", "elsewhere||||"),
    ],
)
def test_the_log_is_the_one_of_the_mark(shell: str, tmp_path: Path, mark: str, found: str) -> None:
    assert read_mark(shell, tmp_path, mark) == found


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("data", [b"", b"one line\n", b"\xff\x00 no text\n" * 100])
def test_what_is_written_is_what_is_read(shell: str, tmp_path: Path, data: bytes) -> None:
    log = tmp_path / "mail log"
    log.write_bytes(data)
    mark = run(shell, _WRITE, f"file:{log}").removesuffix("\n")
    size, inode = len(data), log.stat().st_ino
    total = 0
    for byte in data[-256:]:
        total = (total * 31 + byte) % 16777213
    assert read_mark(shell, tmp_path, mark) == f"file:{log}|{inode}|{size}|{total}|{log}"


def test_a_lease_without_a_mark_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "leases" / LEASE).mkdir(parents=True)
    assert run("dash", _READ, str(tmp_path), LEASE) == "as-it-was||||"
