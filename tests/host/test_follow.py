"""Following a window on a real Postfix behind a real sshd: without a terminal, with one, and as events."""

from __future__ import annotations

import json
import signal
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost, traffic
from tests.host.test_commands import start
from tests.support.terminal import Following

pytestmark = pytest.mark.host

PEER = "127.0.0.7"


def words(host: LoopbackHost, out: Path, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "pfremote", "debug", host.name, "--peer", PEER, "--allow-volatile-guard"),
        *("--follow", "--out", str(out), "--ssh-config", str(host.ssh_config)),
        *("--instance", str(host.config_directory), *more),
    ]


@pytest.fixture
def follow(loopback_host: LoopbackHost, tmp_path: Path) -> Iterator[list[Following]]:
    """Return a list for whatever a test starts; it is ended, and main.cf must be as it was."""
    before = loopback_host.main_cf.read_bytes()
    started: list[Following] = []
    yield started
    for one in started:
        one.close()
    assert loopback_host.main_cf.read_bytes() == before


def test_plain_lines_come_while_the_session_is_open(
    loopback_host: LoopbackHost, tmp_path: Path, follow: list[Following]
) -> None:
    run = Following(words(loopback_host, tmp_path / "run", "--minutes", "3"))
    follow.append(run)
    run.wait_for("armed until")
    with traffic.hold_session(loopback_host, source_ip=PEER) as session:
        run.wait_for(r"(?m)^mx1  \d\d:\d\d:\d\d  S: 220 mx1\.example\.jp")
        session.docmd("NOOP", "one")
        run.wait_for(r"(?m)^mx1  \d\d:\d\d:\d\d  C: NOOP one\b")
    run.wait_for(r"(?m)^mx1  \S+  \*  session 1 over: ended; took")
    traffic.log_in(loopback_host, source_ip=PEER)
    text = run.wait_for("session 2 over: ended; PLAIN alice accepted")
    assert "AUTH PLAIN [redacted: password of alice]" in text
    assert "\x1b" not in run.seen
    run.process.send_signal(signal.SIGINT)
    assert run.finish() == 130, run.plain
    (password,) = loopback_host.users.values()
    assert password not in run.seen
    assert run.plain.count("C: NOOP one") == 1


def test_a_planted_password_is_never_shown_however_the_visits_cut_the_session(
    loopback_host: LoopbackHost, tmp_path: Path, follow: list[Following]
) -> None:
    run = Following(words(loopback_host, tmp_path / "run", "--minutes", "3", "-v"))
    follow.append(run)
    run.wait_for("armed until")
    secret = "Pl4nted-S3cret"
    with traffic.hold_session(loopback_host, source_ip=PEER, starttls=True) as session:
        for line in ("AUTH LOGIN", b64encode(b"alice").decode(), b64encode(secret.encode()).decode()):
            session.docmd(line)
            time.sleep(2)  # longer than the pause between two visits
        session.docmd(secret)
    run.wait_for("session 1 over: auth-failed")
    run.process.send_signal(signal.SIGINT)
    run.finish()
    assert secret not in run.seen
    assert b64encode(secret.encode()).decode()[:12] not in run.seen
    written = b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert secret.encode() not in written


def test_keys_pause_filter_show_raw_lines_and_end(
    loopback_host: LoopbackHost, tmp_path: Path, follow: list[Following]
) -> None:
    run = Following(words(loopback_host, tmp_path / "run", "--minutes", "3"), terminal=True)
    follow.append(run)
    run.wait_for("space pauses, f filters, r raw lines, q ends")
    with traffic.hold_session(loopback_host, source_ip=PEER) as session:
        run.wait_for(r"S: 220 mx1")
        assert "\x1b[1;36mmx1\x1b[0m" in run.seen
        run.press(" ")
        run.wait_for("PAUSED")
        session.docmd("NOOP", "while-paused")
        run.wait_for(r"PAUSED, [1-9]\d* more")
        assert "C: NOOP while-paused" not in run.plain
        run.press(" ")
        run.wait_for("C: NOOP while-paused")
        run.press("fNEEDLE\n")
        run.wait_for("filter: NEEDLE;")
        session.docmd("NOOP", "hay")
        session.docmd("NOOP", "a-needle-in-it")
        run.wait_for("C: NOOP a-needle-in-it")
        assert "C: NOOP hay" not in run.plain
        run.press("f\x7f\x7f\x7f\x7f\x7f\x7f\nr")
        run.wait_for("raw lines")
        session.docmd("NOOP", "as-it-was-logged")
        run.wait_for(r"postfix/smtpd\[\d+\]: < \S+\[127.0.0.7\]: NOOP as-it-was-logged")
        run.press("q")
        run.wait_for("end the window now on every host")
    run.press("q")
    assert run.finish() == 0, run.plain
    assert "reverted (request)" in run.plain


def test_programs_get_each_session_as_it_is_over(loopback_host: LoopbackHost, tmp_path: Path) -> None:
    run = start(
        *(loopback_host, "debug", loopback_host.name, "--peer", PEER, "--allow-volatile-guard", "--json"),
        *("--minutes", "2", "--follow", "--out", str(tmp_path / "run")),
    )
    run.wait_for("armed")
    queue_id = traffic.deliver(loopback_host, source_ip=PEER)
    while "transcript" not in (event := run.wait_for("session")):
        pass
    assert (event["kind"], event["outcome"], event["queue_ids"]) == ("smtpd", "queued", [queue_id])
    assert event["peer"].endswith(f"[{PEER}]")
    assert f"queued as {queue_id}" in event["summary"]
    run.process.send_signal(signal.SIGINT)
    code, hosts = run.finish()
    assert code == 130
    assert abs(hosts["mx1"]["clock_ahead"]) < 2
    record = json.loads((tmp_path / "run" / "run.json").read_text())["hosts"][0]
    assert {"clock_ahead", "clock_error", "predating", "cut"} <= record.keys()


def test_silence_is_explained_while_the_window_is_open(loopback_host: LoopbackHost, tmp_path: Path) -> None:
    run = start(
        *(
            loopback_host,
            "debug",
            loopback_host.name,
            "--peer",
            "127.0.0.9",
            "--allow-volatile-guard",
            "--json",
        ),
        *("--minutes", "12s", "--out", str(tmp_path / "run")),
    )
    run.wait_for("armed")
    traffic.fail_auth_over_starttls(loopback_host, source_ip=PEER)
    traffic.fail_auth_over_starttls(loopback_host, source_ip=PEER)
    event = run.wait_for("warning")
    assert event["code"] == "no-match-yet"
    assert event["message"] == "no session matched yet: 2 connections from others, none from or to 127.0.0.9"
    code, hosts = run.finish()
    assert code == 0
    assert hosts["mx1"]["sessions"] == 0
    (end,) = [event for event in run.events if event.get("code") == "no-session"]
    assert "2 connections from others" in end["message"]


def test_a_session_from_before_the_window_is_counted(loopback_host: LoopbackHost, tmp_path: Path) -> None:
    with traffic.hold_session(loopback_host, source_ip=PEER):
        run = start(
            *(loopback_host, "debug", loopback_host.name, "--peer", PEER, "--allow-volatile-guard", "--json"),
            *("--minutes", "4s", "--out", str(tmp_path / "run")),
        )
        assert run.wait_for("armed")["predating"] == 1
        code, hosts = run.finish()
    assert (code, hosts["mx1"]["predating"]) == (0, 1)
    assert "1 mail process was in a session when the window opened" in (tmp_path / "run" / "report.md").read_text()
