"""Two clients at once, a hundred sessions each: the matched one's are whole, and nothing of the other's is kept."""

from __future__ import annotations

import json
import re
import signal
import smtplib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Client, Lab, Machine
from tests.support.journald import wait_for_notices
from tests.support.operator import Operator
from tests.support.outside import PEER
from tests.support.running import Running

pytestmark = pytest.mark.machine

LIMITS = "/etc/systemd/journald.conf.d/lab.conf"


@pytest.fixture
def busy(lab: Lab) -> Iterator[Machine]:
    """Return mx1 with room for hundreds of sessions at once, its journal without a limit."""
    machine = lab.machines["mx1"]
    lab.renew(machine)
    machine.run(["postconf", "-e", "default_process_limit=260", "smtpd_client_connection_count_limit=0"])
    machine.run(["postfix", "reload"])
    limit_journal(machine, "RateLimitIntervalSec=0")
    yield machine
    lab.renew(machine)


def limit_journal(machine: Machine, *settings: str) -> None:
    """Set how much one service may log."""
    machine.run(["mkdir", "-p", "/etc/systemd/journald.conf.d"])
    machine.write(LIMITS, "\n".join(("[Journal]", *settings, "")))
    machine.run(["systemctl", "restart", "systemd-journald"])


def hold_many(machine: Machine, source: str, names: list[str], together: threading.Barrier, domain: str) -> None:
    """Open a session for each name, wait until everybody's are open, then talk in all of them at once.

    Threads that are started here are in the namespace of the caller.
    """

    def talk(name: str) -> None:
        session = smtplib.SMTP(machine.address, machine.smtp_port, timeout=60, source_address=(source, 0))
        with session:
            session.ehlo(f"{name}.{domain}")
            together.wait(60)
            session.mail(f"{name}@{domain}")
            session.rcpt("bob@mx1.example.jp")
            session.rset()

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(talk, names))


def hold_all(lab: Lab, machine: Machine, number: int) -> None:
    """Hold ``number`` sessions of each client, all open at the same time."""
    together = threading.Barrier(2 * number)

    def run(client: Client, mark: str) -> None:
        names = [f"{mark}{index:03d}" for index in range(number)]
        client.call(hold_many, machine, client.address, names, together, client.name)

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(run, lab.client, "mine"), pool.submit(run, lab.other, "theirs")]
        for done in waiting:
            done.result()


def open_window(operator: Operator, out: Path) -> Running:
    window = operator.start("mx1", "--peer", PEER, "--minutes", "5", "--out", str(out))
    window.wait_for("armed")
    return window


def close_window(window: Running) -> dict[str, Any]:
    """End the window early and return what was told of the evidence."""
    window.process.send_signal(signal.SIGINT)
    code, hosts = window.finish()
    assert (code, hosts["mx1"]["state"]) == (130, "clean"), window.printed
    (collected,) = [event for event in window.events if event["event"] == "collected"]
    return collected


def read_sessions(out: Path) -> list[dict[str, Any]]:
    sessions: list[dict[str, Any]] = json.loads((out / "mx1" / "sessions.json").read_text())["sessions"]
    return sessions


def nothing_of_the_other(out: Path) -> None:
    for path in out.rglob("*"):
        if path.is_file():
            text = path.read_text(errors="surrogateescape")
            assert re.findall(r"other\.example\.com|10\.0\.1\.21(?!\d)|theirs\d+", text) == [], path


def test_two_hundred_sessions_at_once(operator: Operator, lab: Lab, busy: Machine, tmp_path: Path) -> None:
    out = tmp_path / "run"
    window = open_window(operator, out)
    hold_all(lab, busy, 100)
    collected = close_window(window)
    assert (collected["sessions"], collected["complete"], collected["missing"]) == (100, True, [])
    nothing_of_the_other(out)
    seen = set()
    for session in read_sessions(out):
        assert session["whole"] and session["cut"] == ""
        said = [turn["text"] for turn in session["turns"] if turn["who"] == "C"]
        first, last = session["turns"][0]["text"], session["turns"][-1]["text"]
        (name,) = re.findall(r"(mine\d{3})", said[0])
        assert first == f"connect from client.example.jp[{PEER}]"
        assert last.startswith(f"disconnect from client.example.jp[{PEER}] ehlo=1 mail=1 rcpt=1 rset=1 quit=1")
        assert [text.split(":")[0].split(" ")[0].lower() for text in said] == ["ehlo", "mail", "rcpt", "rset", "quit"]
        assert f"{name}@client.example.jp" in said[1]
        assert set(re.findall(r"mine\d{3}", json.dumps(session))) == {name}
        seen.add(name)
    assert len(seen) == 100


def test_with_a_small_burst_limit_the_verdict_says_what_is_missing(
    operator: Operator, lab: Lab, busy: Machine, tmp_path: Path
) -> None:
    limit_journal(busy, "RateLimitIntervalSec=4s", "RateLimitBurst=150")
    out = tmp_path / "run"
    window = open_window(operator, out)
    hold_all(lab, busy, 100)
    # How long the service still writes after the last session depends on the machine's load. So journald is asked.
    wait_for_notices(lab, busy, r"Suppressed \d{3,} messages from postfix")
    collected = close_window(window)
    assert collected["complete"] is False
    missing = {reason["code"]: reason["message"] for reason in collected["missing"]}
    assert re.fullmatch(r"journald dropped at least \d{3,} lines", missing["suppressed"]), missing
    assert "cut-end" in missing
    whole = [session for session in read_sessions(out) if session["whole"]]
    assert len(whole) < 100
    nothing_of_the_other(out)
    report = (out / "report.md").read_text()
    assert "What is missing" in report
    assert "journald dropped" in report
