"""The commands against a real Postfix behind a real sshd: what they print, what they leave, how they exit."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost, traffic
from tests.support.agent import STATE_ROOT
from tests.support.running import Running

pytestmark = pytest.mark.host

PEER = "127.0.0.7"


def start(host: LoopbackHost, *words: str) -> Running:
    options = ["--ssh-config", str(host.ssh_config), "--instance", str(host.config_directory)]
    return Running.start([sys.executable, "-m", "pfremote", *words, *options])


def _run(host: LoopbackHost, *words: str) -> subprocess.CompletedProcess[str]:
    options = ["--ssh-config", str(host.ssh_config), "--instance", str(host.config_directory)]
    return subprocess.run(
        [sys.executable, "-m", "pfremote", *words, *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _debug(host: LoopbackHost, *words: str) -> Running:
    return start(host, "debug", host.name, "--peer", PEER, "--allow-volatile-guard", "--json", *words)


@pytest.fixture
def unchanged(loopback_host: LoopbackHost) -> Iterator[LoopbackHost]:
    """Return a host whose main.cf must be the same, byte for byte, when the test is over."""
    before = loopback_host.main_cf.read_bytes(), loopback_host.main_cf.stat().st_mode
    yield loopback_host
    assert (loopback_host.main_cf.read_bytes(), loopback_host.main_cf.stat().st_mode) == before


def test_a_window_from_the_plan_to_the_report(unchanged: LoopbackHost, tmp_path: Path) -> None:
    run = _debug(unchanged, "--minutes", "8s", "--out", str(tmp_path / "run"), "--reason", "a test")
    run.wait_for("armed")
    assert traffic.fail_auth_over_starttls(unchanged, source_ip=PEER) == 535
    code, hosts = run.finish()

    assert code == 0
    kinds = [event["event"] for event in run.events]
    steps = [kind for kind in dict.fromkeys(kinds) if kind not in ("warning", "session", "finding")]
    assert steps == ["plan", "armed", "reverted", "collected", "recap"]
    assert "session" in kinds
    (finding,) = [event for event in run.events if event["event"] == "finding"]
    assert (finding["code"], finding["session"], finding["account"]) == ("auth.bad-credentials", 1, "alice")
    assert finding["answer"].startswith("535 5.7.8 ")
    result = hosts["mx1"]
    flags = ("armed", "reverted", "drained", "complete")
    assert (result["state"], [result[flag] for flag in flags]) == ("clean", [True] * 4)
    assert result["sessions"] == 1
    folder = Path(result["out"])
    assert "C: " in (folder / "transcripts" / "001.txt").read_text()
    names = {path.name for path in folder.parent.iterdir()}
    assert {"run.json", "report.html", "report.md", "mx1"} <= names
    assert (folder / "main.cf.before").read_bytes() == (folder / "main.cf.after").read_bytes()


def test_the_way_of_a_message_is_told_after_the_last_host(unchanged: LoopbackHost, tmp_path: Path) -> None:
    run = _debug(unchanged, "--minutes", "1", "--stop-after", "1", "--out", str(tmp_path / "run"))
    run.wait_for("armed")
    queue_id = traffic.deliver(unchanged, source_ip=PEER)
    code, _hosts = run.finish()
    assert code == 0
    kinds = [event["event"] for event in run.events]
    assert kinds[-3:] == ["collected", "message", "recap"]
    (hop,) = run.events[-2]["hops"]
    assert (hop["host"], hop["queue_id"], run.events[-2]["fate"]) == ("mx1", queue_id, "delivered")
    assert queue_id in (tmp_path / "run" / "report.html").read_text().partition('id="messages"')[2]


def test_no_password_of_the_session_is_kept_or_printed(unchanged: LoopbackHost, tmp_path: Path) -> None:
    run = _debug(unchanged, "--minutes", "1", "--stop-after", "1", "--out", str(tmp_path / "run"))
    run.wait_for("armed")
    traffic.log_in(unchanged, source_ip=PEER)
    code, _hosts = run.finish()
    assert code == 0
    (password,) = unchanged.users.values()
    written = b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert password.encode() not in written + json.dumps(run.events).encode()


def test_follow_shows_a_session_before_the_window_is_over(unchanged: LoopbackHost, tmp_path: Path) -> None:
    run = _debug(unchanged, "--minutes", "2", "--follow", "--out", str(tmp_path / "run"))
    run.wait_for("armed")
    traffic.fail_auth_over_starttls(unchanged, source_ip=PEER)
    while "transcript" not in (event := run.wait_for("session")):
        pass
    assert any("AUTH PLAIN [redacted" in line for line in event["transcript"])
    run.process.send_signal(signal.SIGINT)
    code, _hosts = run.finish()
    assert code == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_asks_to_stop_gets_a_clean_host_at_once(
    number: signal.Signals, unchanged: LoopbackHost, tmp_path: Path
) -> None:
    run = _debug(unchanged, "--minutes", "10", "--out", str(tmp_path / "run"))
    run.wait_for("armed")
    run.process.send_signal(number)
    code, hosts = run.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["reverted"]) == (130, "clean", True)
    reverted = next(event for event in run.events if event["event"] == "reverted")
    assert reverted["why"] == "interrupt"


def test_a_session_of_the_window_is_waited_for_and_comes_home_whole(unchanged: LoopbackHost, tmp_path: Path) -> None:
    run = _debug(unchanged, "--minutes", "1", "--out", str(tmp_path / "run"))
    run.wait_for("armed")
    with traffic.hold_session(unchanged, source_ip=PEER) as session:
        run.process.send_signal(signal.SIGINT)
        while run.wait_for("warning")["code"] != "draining":
            pass
        assert b"debug_peer_list" not in unchanged.main_cf.read_bytes()
        session.docmd("NOOP", "after-the-revert")
    code, hosts = run.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["drained"]) == (130, "clean", True)
    assert "NOOP after-the-revert" in (tmp_path / "run" / "mx1" / "transcripts" / "001.txt").read_text()


def test_a_session_that_outlives_the_drain_is_not_called_clean(unchanged: LoopbackHost, tmp_path: Path) -> None:
    run = _debug(unchanged, "--minutes", "1", "--drain", "4s", "--out", str(tmp_path / "run"))
    run.wait_for("armed")
    with traffic.hold_session(unchanged, source_ip=PEER):
        run.process.send_signal(signal.SIGINT)
        code, hosts = run.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["drained"]) == (5, "unknown", False)
    assert hosts["mx1"]["error"]["code"] == "not-drained"


def test_the_second_interrupt_leaves_and_says_until_when(unchanged: LoopbackHost, tmp_path: Path) -> None:
    run = _debug(unchanged, "--minutes", "1", "--out", str(tmp_path / "run"))
    run.wait_for("armed")
    run.process.send_signal(signal.SIGINT)
    run.wait_for_words("interrupted: ")
    run.process.send_signal(signal.SIGINT)  # the revert takes longer than this
    code, hosts = run.finish()
    assert (code, hosts["mx1"]["state"]) == (5, "unknown")
    assert "guard" in hosts["mx1"]["error"]["hint"]
    assert _run(unchanged, "revert", "mx1").returncode == 0


def test_when_nobody_reads_any_more_the_host_is_reverted(unchanged: LoopbackHost, tmp_path: Path) -> None:
    run = _debug(unchanged, "--minutes", "10", "--out", str(tmp_path / "run"))
    run.wait_for("armed")
    assert run.process.stdout is not None
    run.process.stdout.close()
    run.process.send_signal(signal.SIGHUP)
    assert run.process.wait(timeout=60) == 130
    assert _run(unchanged, "status", "mx1").stdout == "mx1  clean\n"


def test_detach_then_status_extend_revert_collect(unchanged: LoopbackHost, tmp_path: Path) -> None:
    code, hosts = _debug(unchanged, "--minutes", "5", "--detach").finish()
    lease = hosts["mx1"]["lease"]
    assert (code, hosts["mx1"]["state"]) == (0, "armed")

    shown = _run(unchanged, "status", "mx1").stdout
    assert f"lease {lease}  armed" in shown
    assert PEER in shown
    extended = _run(unchanged, "extend", "mx1", "--minutes", "20")
    assert extended.returncode == 0, extended.stderr
    traffic.fail_auth_over_starttls(unchanged, source_ip=PEER)

    reverted = _run(unchanged, "revert", "mx1", "--lease", lease)
    assert reverted.returncode == 0, reverted.stderr
    assert "byte for byte" in reverted.stderr
    hinted = shlex.split(reverted.stderr.partition("Fetch its evidence with: ")[2].splitlines()[0])
    assert (hinted[:3], hinted[-1]) == (["pfremote", "collect", "mx1"], lease)

    # as on a host whose disk was too full for it: the lines are still in the log
    (evidence,) = STATE_ROOT.glob(f"*/leases/{lease}/evidence")
    evidence.unlink()
    pasted = [sys.executable, "-m", *hinted, "--out", str(tmp_path / "run")]
    collected = subprocess.run(pasted, capture_output=True, text=True, timeout=120, check=False)
    assert collected.returncode == 0, collected.stderr
    assert (tmp_path / "run" / "mx1" / "transcripts" / "001.txt").exists()
    assert lease not in _run(unchanged, "status", "mx1").stdout
    again = _run(unchanged, "collect", "mx1", "--out", str(tmp_path / "again"))
    assert (again.returncode, "nothing to do" in again.stdout) == (0, True), again.stderr


def test_a_refusal_touches_nothing_and_is_exit_3(unchanged: LoopbackHost) -> None:
    stamp = unchanged.main_cf.stat().st_mtime_ns
    done = _run(unchanged, "debug", "mx1", "--peer", "10.0.0.1/24", "--allow-volatile-guard")
    assert done.returncode == 3
    assert "10.0.0.0/24" in done.stderr
    assert unchanged.main_cf.stat().st_mtime_ns == stamp


def test_one_unreachable_host_does_not_stop_the_other(unchanged: LoopbackHost, tmp_path: Path) -> None:
    run = _debug(unchanged, "nosuch.invalid", "--minutes", "3s", "--out", str(tmp_path / "run"))
    code, hosts = run.finish()
    assert code == 4
    assert hosts["mx1"]["state"] == "clean"
    assert (hosts["nosuch.invalid"]["state"], hosts["nosuch.invalid"]["error"]["code"]) == (
        "untouched",
        "unreachable",
    )


def test_check_shows_the_change_and_makes_none(unchanged: LoopbackHost) -> None:
    stamp = unchanged.main_cf.stat().st_mtime_ns
    done = _run(unchanged, "check", "mx1", "--peer", PEER, "--allow-volatile-guard", "--diff")
    assert done.returncode == 0, done.stderr
    assert f"mx1: debug_peer_list = {PEER}" in done.stdout
    assert f"mx1: +debug_peer_list = {PEER}" in done.stdout
    assert done.stdout.endswith("mx1  ready\n") and "RECAP" not in done.stdout
    assert unchanged.main_cf.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("ending", ["interrupt", "deadline"])
def test_a_value_that_somebody_else_set_is_a_conflict_in_the_recap(
    loopback_host: LoopbackHost, tmp_path: Path, ending: str
) -> None:
    minutes = "5" if ending == "interrupt" else "6s"
    run = _debug(loopback_host, "--minutes", minutes, "--out", str(tmp_path / "run"))
    run.wait_for("armed")
    loopback_host.postconf("-e", "debug_peer_list=192.0.2.99")
    if ending == "interrupt":
        run.process.send_signal(signal.SIGINT)
    code, hosts = run.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["reverted"]) == (5, "conflict", True)
    assert hosts["mx1"]["conflicts"] == [f"debug_peer_list ours={PEER} theirs=192.0.2.99"]
    assert "debug_peer_list = 192.0.2.99" in loopback_host.main_cf.read_text()
    kept = json.loads((tmp_path / "run" / "run.json").read_text())["hosts"][0]
    assert (kept["state"], kept["conflicts"]) == ("conflict", hosts["mx1"]["conflicts"])


def test_a_lease_is_named_by_its_beginning(unchanged: LoopbackHost, tmp_path: Path) -> None:
    leases = [_debug(unchanged, "--minutes", "5", "--detach").finish()[1]["mx1"]["lease"] for _ in range(2)]
    first, second = leases
    prefix = next(second[:size] for size in range(1, 13) if not first.startswith(second[:size]))
    shared = next((first[:size] for size in range(11, 0, -1) if second.startswith(first[:size])), "")
    shown = _run(unchanged, "status", "mx1", "--lease", prefix)
    assert (shown.returncode, second in shown.stdout, first in shown.stdout) == (0, True, False)
    assert _run(unchanged, "extend", "mx1", "--lease", prefix, "--minutes", "6").returncode == 0
    if shared:
        assert "more than one lease" in _run(unchanged, "revert", "mx1", "--lease", shared).stderr
    missing = next(digit for digit in "0123456789abcdef" if not any(lease.startswith(digit) for lease in leases))
    for command in ("status", "extend", "revert", "collect"):
        assert _run(unchanged, command, "mx1", "--lease", missing).returncode == 3
    assert _run(unchanged, "revert", "mx1", "--lease", prefix).returncode == 0
    assert first in _run(unchanged, "status", "mx1").stdout
    assert _run(unchanged, "collect", "mx1", "--lease", prefix, "--out", str(tmp_path / "run")).returncode == 0
    assert _run(unchanged, "revert", "mx1").returncode == 0


def test_debugging_left_on_by_hand_is_shown(loopback_host: LoopbackHost) -> None:
    loopback_host.postconf("-e", "debug_peer_list=192.0.2.1")
    done = _run(loopback_host, "status", "mx1")
    assert "debug_peer_list = 192.0.2.1" in done.stdout


def test_fab_runs_the_same_tasks(unchanged: LoopbackHost, tmp_path: Path) -> None:
    (tmp_path / "fabfile.py").write_text("from pfremote.tasks import *\n")
    fab = [sys.executable, "-m", "fabric", "-r", str(tmp_path), "-S", str(unchanged.ssh_config), "-H", "mx1"]
    instance = ["--instance", str(unchanged.config_directory)]
    for words in (
        ["probe", "--peer", PEER, "--peer", "127.0.0.8"],
        ["arm", "--peer", f"{PEER},127.0.0.8", "--volatile", "--seconds", "60"],
        ["revert", "--lease", "all", "--drain", "5"],
    ):
        done = subprocess.run([*fab, *words, *instance], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    assert "clean=yes" in done.stdout
