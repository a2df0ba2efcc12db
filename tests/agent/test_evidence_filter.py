"""The agent's evidence filter, made for speed, yields what a plain description of it yields: line by line, byte by byte."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import pytest

from tests.support.agent import SHELLS

FIXTURES = Path(__file__).parent.parent / "fixtures"
_VERBOSE = re.compile(
    r"/(smtpd|smtp|lmtp|qmqpd)\[[0-9]+\]: ([<>] |smtp_stream_setup: |smtp_parse_destination: |connecting to )"
)
_PROCESS = re.compile(r".*/(smtpd|smtp|lmtp|qmqpd)\[[0-9]+\]:\Z")
_QUEUE_ID = re.compile(r"([0-9A-F]+|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]+)\Z")
_CALL = """
set -u
LC_ALL=C
export LC_ALL
TMP=$1
evidence_filter "file $(inode_of "$2") $3 $(log_sum "$2" "$3") $2"
"""


def filter_plainly(lines: list[str]) -> list[str]:
    """Say in plain words what the agent does: processes that were verbose, their lines, and queue ids four times on.

    Beside them what the daemons say of the host itself, 200 lines of it.
    """
    wanted = {key for line in lines if _VERBOSE.search(line) and (key := _find_process(line))}
    of_host = [at for at, line in enumerate(lines) if _is_of_host(line) and _find_process(line) not in wanted][:200]
    ids: set[str] = set()
    for _ in range(4 if wanted else 0):
        ids |= set(_find_ids(line for line in lines if _has_any(line, wanted) or _names_any(line, ids)))
    return [line for at, line in enumerate(lines) if at in of_host or _has_any(line, wanted) or _names_any(line, ids)]


def _is_of_host(line: str) -> bool:
    head, _, text = line.partition("]: ")
    severity, _, said = text.partition(": ")
    daemon = next((word for word in f"{head}]:".split()[:7] if re.search(r"/[a-z-]+\[[0-9]+\]:\Z", word)), "")
    if severity not in ("warning", "error", "fatal", "panic") or not daemon.startswith("postfix/"):
        return False
    about_mail = r"[0-9A-Za-z]+: |.*(@|[^ ]\[[0-9A-Fa-f.:]+\]|does not resolve to address|hostname [^ ]+ verification)"
    return not re.match(about_mail, said)


def _has_any(line: str, wanted: Iterable[str]) -> bool:
    return any(text in line for text in wanted)


def _names_any(line: str, ids: set[str]) -> bool:
    _, _, text = line.partition(": ")
    return not ids.isdisjoint(re.split(r"[^0-9A-Za-z]+", text))


def _find_process(line: str) -> str | None:
    return next((word for word in re.split(r"[ \t]+", line) if _PROCESS.match(word)), None)


def _find_ids(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        _, colon, text = line.partition("]: ")
        if not colon:
            continue
        words = [text[: text.find(": ")] if 6 <= text.find(": ") <= 23 else ""]
        words += re.findall(r"\A.*?queued as ([0-9A-Za-z]+)", text)[:1]
        words += re.findall(r"\A.*?notification: ([0-9A-Za-z]+)", text)[:1]
        yield from (word for word in words if len(word) >= 6 and _QUEUE_ID.match(word))


def filter_on_host(log: Path, shell: str, folder: Path, *, offset: int = 0, path: str | None = None) -> bytes:
    """Run the agent's own filter, without the rest of the agent, from byte ``offset`` of the log on."""
    package = resources.files("pfremote.agent") / "script"
    parts = sorted(part.name for part in package.iterdir() if part.name.endswith(".sh") and part.name < "60")
    script = "".join((package / name).read_text() for name in parts)
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [*shell.split(), "-c", f"{script}\n{_CALL}", "sh", str(folder), str(log), str(offset)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        env={"PATH": path or "/usr/bin:/bin"},
    )
    assert done.stderr == b""
    assert not list(folder.glob("part.*"))
    return done.stdout


def check(data: bytes, shell: str, folder: Path, *, offset: int = 0, path: str | None = None) -> list[str]:
    """Compare both ways of filtering and return the lines."""
    log = folder / "mail.log"
    log.write_bytes(data)
    plain = filter_plainly(data[offset:].decode("latin-1").removesuffix("\n").split("\n"))
    found = filter_on_host(log, shell, folder / "tmp", offset=offset, path=path)
    assert found.decode("latin-1").split("\n")[:-1] == plain
    return plain


@pytest.fixture(scope="module")
def everything() -> bytes:
    """Return all recorded logs in one."""
    return b"".join(path.read_bytes() for path in sorted(FIXTURES.glob("*.log")))


@pytest.mark.parametrize("shell", SHELLS)
def test_all_recorded_logs_in_one(everything: bytes, shell: str, tmp_path: Path) -> None:
    assert len(check(everything, shell, tmp_path)) > 10_000


def test_each_recorded_log_from_its_middle_on(tmp_path: Path) -> None:
    for path in sorted(FIXTURES.glob("*.log"))[::4]:
        data = path.read_bytes()
        check(data, "dash", tmp_path, offset=data.index(b"\n", len(data) // 2) + 1)


def test_the_programs_of_busybox(everything: bytes, tmp_path: Path) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not installed")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ["sh", "grep", "awk", "sed", "paste", "dd", "wc", "ls", "cat", "rm", "gzip", "tail", "head", "cksum"]:
        (programs / name).symlink_to(busybox)
    check(everything[:300_000], "busybox sh", tmp_path, path=f"{programs}:/usr/bin")


def _message(number: int, text: str, daemon: str = "qmgr", pid: int = 9) -> str:
    return f"Nov 24 05:00:{number % 60:02d} mx postfix/{daemon}[{pid}]: {text}"


@pytest.mark.parametrize("shell", SHELLS)
def test_queue_ids_are_followed_for_four_generations(shell: str, tmp_path: Path) -> None:
    ids = [f"AB0000{number}" for number in range(1, 8)]
    lines = [
        _message(n, f"{a}: sender non-delivery notification: {b}", "bounce")
        for n, (a, b) in enumerate(itertools.pairwise(ids))
    ]
    lines.reverse()  # what is known later stands earlier
    lines.insert(3, _message(30, "> client[192.0.2.1]: 250 2.0.0 Ok: queued as AB00001", "smtpd", 77))
    lines.append(_message(31, "disconnect from client[192.0.2.1]", "smtpd", 77))
    lines.append(_message(32, "CD00001: removed"))
    kept = check("\n".join(lines).encode() + b"\n", shell, tmp_path)
    assert not any("CD00001" in line for line in kept)
    assert any("AB00005: sender" not in line and "AB00005" in line for line in kept)
    assert not any("AB00006: sender" in line for line in kept)


def test_a_log_without_debugging_has_no_evidence(tmp_path: Path) -> None:
    assert check(_message(1, "AB00001: removed").encode() + b"\n", "dash", tmp_path) == []


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    lines = [
        _message(1, "> client[192.0.2.1]: 250 queued as AB00001 \xff\xfe", "smtpd", 77),
        _message(2, "AB00001: subject=\x00\x01 \xe9\x80 end"),
        _message(3, "a last line without its end", "smtpd", 77),
    ]
    check("\n".join(lines).encode("latin-1") + b"\n", "dash", tmp_path)
