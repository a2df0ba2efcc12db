"""What the watcher counts in a log, beside what the client makes of the same log."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.agent import load_agent
from pfremote.maillog.capture import read_capture
from pfremote.maillog.completeness import count_begun
from tests.support.maillines import FIXTURES

RECORDED = sorted(FIXTURES.glob("*-postfix-*.log"))
NOW = datetime(2026, 12, 1, tzinfo=UTC)
SHELLS = {"busybox": ["busybox", "sh"]}
#: The host sees fewer here: one server after the other without a status between them, or no dialogue at all.
FEWER = {"outbound-second-host-postfix-3.7": 1, "lmtp-no-socket-postfix-3.7": 1}


def count(shell: str, log: Path, folder: Path) -> dict[str, int]:
    """Return the numbers that the agent's own function prints for a whole log."""
    functions = load_agent().rpartition(b"\nmain ")[0]
    (folder / "counts").touch()
    (folder / "peers").touch()
    call = f"\nwatch_count '{folder}/counts' '{folder}/peers' '{log}'\n".encode()
    done = subprocess.run([*SHELLS.get(shell, [shell]), "-s"], input=functions + call, capture_output=True, check=True)
    words = [line.split() for line in done.stdout.decode().splitlines()]
    return {key: int(value) for key, value in (pair for pair in words if len(pair) == 2) if value.isdigit()}


@pytest.mark.parametrize("log", RECORDED, ids=lambda path: path.stem)
def test_host_and_client_count_the_same_sessions(log: Path, tmp_path: Path) -> None:
    capture = read_capture(log.read_bytes(), now=NOW, utc_offset=timedelta(0), match=lambda _: True)
    counted = count("dash", log, tmp_path)
    assert counted["begun"] == count_begun(capture.sessions) - FEWER.get(log.stem, 0)
    assert counted["done"] <= counted["begun"]


#: What smtp says at the end of a pipelined delivery whose recipient was refused, until the server has answered.
REFUSED = (
    "< {a}: 220 relay.example.jp ESMTP",
    "> {a}: MAIL FROM:<carol@example.jp>",
    "> {a}: RCPT TO:<bob@x.example.jp>",
    "< {a}: 250 2.0.0 ok",
    "< {a}: 550 5.1.1 no such user",
    "0D89C20C31E: to=<bob@x.example.jp>, relay={a}, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (no)",
    "smtp_stream_setup: maxtime=120 enable_deadline=0 min_data_rate=0",
)
LEAVING = ("> {a}: RSET", "> {a}: QUIT")


@pytest.mark.parametrize(
    ("after", "sessions"),
    [
        ((*LEAVING, "< {a}: 421 4.7.0 too many errors"), 1),
        ((*LEAVING, "< {a}: 554-go", "< {a}: 554 away"), 1),
        ((*LEAVING, "< {a}: 250 ok", "< {a}: 221 bye"), 1),
        (("> {a}: RSET", "< {a}: 250 ok", "> {a}: QUIT"), 1),
        (("> {a}: RSET", "< {a}: 421 too many errors"), 1),
        ((*LEAVING, "< {a}: 421 too many errors", *REFUSED), 2),
        ((*LEAVING, "< {a}: 250 ok", "< {a}: 421 not today", REFUSED[5]), 2),
        ((*LEAVING, *REFUSED), 2),
        (("> {a}: RSET", "< {a}: 250 ok", "> {a}: QUIT", "< {a}: 554 not today", REFUSED[5]), 2),
        (("> {a}: RSET", "< {a}: 250 ok", *REFUSED[1:]), 2),
    ],
)
@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_an_answer_to_rset_behind_quit_is_no_greeting(
    after: tuple[str, ...], sessions: int, shell: str, tmp_path: Path
) -> None:
    log = tmp_path / "mail.log"
    texts = [text.format(a="relay.example.jp[192.0.2.20]:25") for text in (*REFUSED, *after)]
    log.write_text("".join(f"Nov 29 19:47:00 mx1 postfix/smtp[8229]: {text}\n" for text in texts))
    capture = read_capture(log.read_bytes(), now=NOW, utc_offset=timedelta(0), match=lambda _: True)
    assert len(capture.sessions) == sessions
    assert count(shell, log, tmp_path)["begun"] == sessions
