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
#: The host sees fewer here: one server after the other without a status between them, or no dialogue at all.
FEWER = {"outbound-second-host-postfix-3.7": 1, "lmtp-no-socket-postfix-3.7": 1}


def count(shell: str, log: Path, folder: Path) -> dict[str, int]:
    """Return the numbers that the agent's own function prints for a whole log."""
    functions = load_agent().rpartition(b"\nmain ")[0]
    (folder / "counts").touch()
    (folder / "peers").touch()
    call = f"\nwatch_count '{folder}/counts' '{folder}/peers' '{log}'\n".encode()
    done = subprocess.run([shell, "-s"], input=functions + call, capture_output=True, check=True)
    words = [line.split() for line in done.stdout.decode().splitlines()]
    return {key: int(value) for key, value in (pair for pair in words if len(pair) == 2) if value.isdigit()}


@pytest.mark.parametrize("log", RECORDED, ids=lambda path: path.stem)
def test_host_and_client_count_the_same_sessions(log: Path, tmp_path: Path) -> None:
    capture = read_capture(log.read_bytes(), now=NOW, utc_offset=timedelta(0), match=lambda _: True)
    counted = count("dash", log, tmp_path)
    assert counted["begun"] == count_begun(capture.sessions) - FEWER.get(log.stem, 0)
    assert counted["done"] <= counted["begun"]
