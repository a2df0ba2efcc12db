"""What programs rely on: the events, their last one, and the exit code that it names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pfremote.loopback import LoopbackHost

pytestmark = pytest.mark.host

KINDS = {"plan", "armed", "session", "warning", "reverted", "finding", "collected", "failed", "recap"}
FIELDS = {"state", "armed", "reverted", "drained", "complete", "sessions", "lines", "out", "error"}
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
DEBUG = ("debug", "mx1", "--peer", "127.0.0.7", "--allow-volatile-guard")

Events = list[dict[str, Any]]


def run(host: LoopbackHost, *words: str, before: tuple[str, ...] = ()) -> tuple[int, Events]:
    """Run a command with ``--json``, check what holds for every event, and return exit code and events."""
    options = ["--json", "--ssh-config", str(host.ssh_config), "--instance", str(host.config_directory)]
    argv = [*before, sys.executable, "-m", "pfremote", *words, *options]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["event"] for event in events} <= KINDS
    assert all(MOMENT.fullmatch(event["time"]) for event in events)
    assert [event["event"] for event in events].index("recap") == len(events) - 1
    assert events[-1]["exit_code"] == done.returncode
    assert all(set(result) >= FIELDS for result in events[-1]["hosts"].values())
    return done.returncode, events


@pytest.fixture
def host(loopback_host: LoopbackHost) -> Iterator[LoopbackHost]:
    """Return a host whose main.cf must be the same, byte for byte, when the test is over."""
    before = loopback_host.main_cf.read_bytes()
    yield loopback_host
    assert loopback_host.main_cf.read_bytes() == before


def test_the_life_of_a_lease_as_programs_see_it(host: LoopbackHost, tmp_path: Path) -> None:
    code, events = run(host, *DEBUG, "--detach", "--minutes", "5", "--reason", "a #1 'reason'")
    (armed,) = [event for event in events if event["event"] == "armed"]
    lease = armed["lease"]
    assert (code, events[-1]["hosts"]["mx1"]["state"]) == (0, "armed")

    code, events = run(host, "status", "mx1")
    result = events[-1]["hosts"]["mx1"]
    assert (code, result["state"], result["armed"], result["lease"]) == (0, "armed", True, lease)
    assert (events[0]["event"], events[0]["lease"], events[0]["reason"]) == ("armed", lease, "a #1 'reason'")

    code, events = run(host, "extend", "mx1", "--minutes", "20")
    assert code == 0
    assert (events[0]["event"], events[0]["lease"]) == ("armed", lease)
    assert 1190 <= events[0]["seconds"] <= 1200
    assert events[0]["deadline"] > armed["deadline"]

    code, events = run(host, "revert", "mx1")
    assert [event["event"] for event in events] == ["reverted", "recap"]
    assert (code, events[-1]["hosts"]["mx1"]["state"]) == (0, "clean")

    code, events = run(host, "collect", "mx1", "--out", str(tmp_path / "run"))
    assert (code, events[-1]["hosts"]["mx1"]["complete"]) == (0, True)
    assert [event["event"] for event in events][-2:] == ["collected", "recap"]


@pytest.mark.parametrize(
    "words", [["revert", "--lease", "0123456789ab"], ["collect", "--lease", "0123456789ab"], ["extend"]]
)
def test_no_such_lease_is_a_refusal_that_touched_nothing(host: LoopbackHost, words: list[str]) -> None:
    code, events = run(host, words[0], "mx1", *words[1:])
    result = events[-1]["hosts"]["mx1"]
    assert (code, result["state"]) == (3, "untouched")
    assert result["error"]["hint"].startswith("See the leases with: pfremote status mx1 ")


def test_nothing_to_collect_is_no_failure(host: LoopbackHost) -> None:
    code, events = run(host, "collect", "mx1")
    result = events[-1]["hosts"]["mx1"]
    assert (code, result["state"], result["error"]) == (0, "untouched", None)
    assert result["skipped"].startswith("nothing to do")
    assert [event["event"] for event in events] == ["recap"]


def test_a_disk_that_is_full_in_the_end_does_not_hide_what_became_of_the_host(
    host: LoopbackHost, tmp_path: Path
) -> None:
    limit = ("prlimit", "--fsize=9000")  # enough for the evidence of no session, not for the report
    code, events = run(host, *DEBUG, "--minutes", "2s", "--out", str(tmp_path / "run"), before=limit)
    result = events[-1]["hosts"]["mx1"]
    assert (code, result["state"], result["reverted"], result["error"]) == (1, "clean", True, None)
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert "report" in failed["message"]
    assert json.loads((tmp_path / "run" / "run.json").read_text())["exit_code"] == 1
    assert "--out" in failed["hint"]


def test_a_disk_that_is_full_before_leaves_the_evidence_on_the_host(host: LoopbackHost, tmp_path: Path) -> None:
    code, events = run(
        host, *DEBUG, "--minutes", "2s", "--out", str(tmp_path / "run"), before=("prlimit", "--fsize=1500")
    )
    result = events[-1]["hosts"]["mx1"]
    assert (code, result["state"], result["error"]["code"]) == (4, "clean", "not-collected")
    assert run(host, "collect", "mx1", "--out", str(tmp_path / "again"))[0] == 0
