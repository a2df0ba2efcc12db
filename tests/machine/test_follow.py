"""Following whole machines: the source is the journal, the hosts are several."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab, Machine
from tests.support.machine_agent import MachineAgent
from tests.support.operator import Operator
from tests.support.running import Running

pytestmark = pytest.mark.machine

CLIENT = "10.0.1.20"


def wait_for_transcript(window: Running) -> dict[str, Any]:
    while "transcript" not in (event := window.wait_for("session")):
        pass
    return event


def test_a_journal_is_followed(
    operator: Operator, lab: Lab, host: MachineAgent, spotless: Machine, tmp_path: Path
) -> None:
    words = ("--peer", CLIENT, "--minutes", "3", "--follow", "--out", str(tmp_path / "run"))
    window = operator.start("mx1", *words)
    window.wait_for("armed")
    lab.other.fail_auth(spotless)
    assert lab.client.log_in(spotless) == 235
    first = wait_for_transcript(window)
    queue_id = lab.client.deliver(spotless)
    second = wait_for_transcript(window)
    window.process.send_signal(signal.SIGINT)
    code, hosts = window.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["complete"]) == (130, "clean", True)
    assert first["peer"] == second["peer"] == "client.example.jp[10.0.1.20]"
    assert (first["outcome"], second["outcome"], second["queue_ids"]) == ("ended", "queued", [queue_id])
    assert sum("connect from" in line for line in first["transcript"]) == 2
    collected = next(event for event in window.events if event["event"] == "collected")
    assert collected["source"] == "journal"


def test_a_journal_that_was_vacuumed_in_the_window_is_said_to_be_missing(
    operator: Operator, lab: Lab, host: MachineAgent, spotless: Machine, tmp_path: Path
) -> None:
    window = operator.start("mx1", "--peer", CLIENT, "--minutes", "8s", "--out", str(tmp_path / "run"))
    window.wait_for("armed")
    lab.client.fail_auth(spotless)
    spotless.run(["journalctl", "--rotate"])
    spotless.run(["journalctl", "--vacuum-files=1"])
    lab.client.fail_auth(spotless)
    code, hosts = window.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["complete"]) == (0, "clean", False)
    collected = next(event for event in window.events if event["event"] == "collected")
    assert "rotated" in [reason["code"] for reason in collected["missing"]]
