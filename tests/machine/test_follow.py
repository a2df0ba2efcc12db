"""Following whole machines: the source is the journal, the hosts are several."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab, Machine
from tests.support.machine_agent import LEASE, MachineAgent
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


def test_a_session_that_turns_verbose_later_comes_with_its_beginning(host: MachineAgent) -> None:
    """What is read of a journal from the mark on begins with the first line, whatever journalctl leaves out."""

    def follow(position: str = "") -> tuple[str, list[str]]:
        reply = host.ask("tail", f"lease={LEASE}", *([f"position={position}"] if position else []))
        lines = reply.payloads["lines"].decode().splitlines()
        return reply.one("position"), [line.partition("]: ")[2] for line in lines]

    host.arm()
    position, lines = follow()
    assert lines == []
    with one_process_that_logs(host.machine) as log:
        log("connect from new[192.0.2.7]")
        position, lines = follow(position)
        assert lines == []
        log("> new[192.0.2.7]: 220 hello", "< new[192.0.2.7]: QUIT")
        position, lines = follow(position)
        assert lines == ["connect from new[192.0.2.7]", "> new[192.0.2.7]: 220 hello", "< new[192.0.2.7]: QUIT"]
        log("disconnect from new[192.0.2.7]")
        assert follow(position)[1] == ["disconnect from new[192.0.2.7]"]
    host.ask("revert", f"lease={LEASE}")


@contextmanager
def one_process_that_logs(machine: Machine) -> Iterator[Callable[..., None]]:
    """Yield a function that logs lines as smtpd(8), each time as the same process."""
    argv = [
        "nsenter",
        "--target",
        str(machine.pid1),
        "--all",
        "--",
        "logger",
        "-t",
        "postfix/smtpd",
        "-i",
        "-p",
        "mail.info",
    ]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, text=True) as process:
        stdin = process.stdin
        assert stdin is not None

        def log(*lines: str) -> None:
            stdin.write("".join(f"{line}\n" for line in lines))
            stdin.flush()
            deadline = time.monotonic() + 20
            while lines[-1] not in machine.run(["journalctl", "-q", "-b", "-n", "5", "-o", "cat"]).stdout:
                assert time.monotonic() < deadline, "the line never came into the journal"
                time.sleep(0.1)

        yield log
