"""Which files ``pfremote explain`` opens, how they are packed, and what is said of one that cannot be read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.errors import PfremoteError, UsageError
from pfremote.run.log_files import LARGE, STDIN, Source, open_log, read_sources, read_whole_lines, time_of

LINES = b"Nov 24 10:00:00 mx postfix/smtpd[7]: connect from a[192.0.2.1]\n" * 3


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-cq"], input=data, stdout=subprocess.PIPE, check=True).stdout


def read(path: Path) -> bytes:
    with open_log(Source("mx", str(path))) as stream:
        return stream.read()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
def test_a_packed_file_is_known_by_its_first_bytes(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    if pack is zstd and not shutil.which("zstd"):
        pytest.fail("zstd is not installed: scripts/prepare installs it")
    (tmp_path / "log").write_bytes(pack(LINES))
    assert read(tmp_path / "log") == LINES
    assert b"".join(read_whole_lines(Source("mx", str(tmp_path / "log")))) == LINES


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd])
def test_a_file_that_ends_too_early_is_damaged(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(pack(LINES)[:-9])
    with pytest.raises(PfremoteError, match="log is damaged") as raised:
        read(tmp_path / "log")
    assert raised.value.hint


def test_a_machine_without_zstd_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_bytes(b"\x28\xb5\x2f\xfd and more")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PfremoteError, match="compressed with zstd, which is not installed") as raised:
        read(tmp_path / "log")
    assert raised.value.hint == "Install zstd."


def test_what_the_words_mean(tmp_path: Path) -> None:
    file = tmp_path / "mx=1.log"
    file.touch()
    assert read_sources(()) == (Source("log", STDIN),)
    assert read_sources((str(file), "mx2=gone.log")) == (
        Source("mx=1.log", str(file)),
        Source("mx2", "gone.log", named=True),
    )
    with pytest.raises(UsageError, match="a log's name is empty"):
        read_sources(("",))
    with pytest.raises(UsageError, match="the same log is named twice"):
        read_sources(("a=gone.log", "b=gone.log"))


def test_a_log_is_dated_by_its_last_line_written(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(LINES)
    now = datetime.now(UTC)
    for path in (str(tmp_path / "log"), STDIN, str(tmp_path / "gone")):
        assert abs(time_of(Source("mx", path)) - now) < timedelta(minutes=1)


def test_a_last_line_without_its_end_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINES.rstrip())))
    assert b"".join(read_whole_lines(Source("log", STDIN))) == LINES


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Without root's rights for the test, where it has them."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


@pytest.fixture
def closed_log() -> Iterator[Path]:
    """Return a large log in a folder that all may enter, and that no one but root may read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        log = Path(name) / "mail.log"
        log.write_bytes(b"\n" * (LARGE + 1))
        log.chmod(0)
        yield log


def test_a_large_log_that_may_not_be_read_is_told_like_a_small_one(closed_log: Path, as_nobody: None) -> None:
    source = Source("mx", str(closed_log))
    assert not source.is_large
    with pytest.raises(PfremoteError, match=r"mail\.log cannot be read: Permission denied"), open_log(source):
        raise AssertionError("it was opened")
