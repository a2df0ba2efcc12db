"""The terminal that a run was started in is closed: every host is reverted, and the run's report is written.

A real terminal sends SIGHUP from the kernel and again from the shell that goes down with it.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost
from tests.support.terminal import Following

pytestmark = pytest.mark.host

WINDOW = "10"
#: Seconds after which the host has to be reverted; the window itself would take ten minutes.
SOON = 60.0


def type_debug(host: LoopbackHost, run: Path) -> str:
    """Return the line that the operator types into the shell."""
    words = [sys.executable, "-m", "pfremote", "debug", host.name, "--peer", "127.0.0.7", "--allow-volatile-guard"]
    words += ["--ssh-config", str(host.ssh_config), "--instance", str(host.config_directory)]
    return shlex.join([*words, "--minutes", WINDOW, "--out", str(run)])


def close_plain(shell: list[str], line: str, _folder: Path) -> None:
    """Type the line into a shell on a terminal of its own, and close that terminal once the host is armed."""
    terminal = Following(shell, terminal=True)
    terminal.press(f"{line}\r")
    terminal.wait_for("armed until")
    os.close(terminal.descriptor)
    terminal.process.wait(SOON)


def close_tmux(shell: list[str], line: str, folder: Path) -> None:
    """Type the line into a pane of a tmux server of the test's own, and kill the pane."""
    tmux = ["tmux", "-S", str(folder / "tmux.sock"), "-f", "/dev/null"]
    environment = {**os.environ, "TERM": "xterm-256color"}
    command = [*tmux, "new-session", "-d", "-x", "120", "-y", "40", shlex.join(shell)]
    subprocess.run(command, check=True, env=environment)
    subprocess.run([*tmux, "send-keys", f"{line}", "Enter"], check=True)
    end = time.monotonic() + SOON
    while "armed until" not in _read_pane(tmux):
        assert time.monotonic() < end, _read_pane(tmux)
        time.sleep(0.2)
    subprocess.run([*tmux, "kill-pane"], check=True)


def _read_pane(tmux: list[str]) -> str:
    shown = subprocess.run([*tmux, "capture-pane", "-p", "-J"], check=True, capture_output=True, text=True)
    return shown.stdout.replace("\n", " ")


def close_ssh(host: LoopbackHost) -> Callable[[list[str], str, Path], None]:
    """Return what types the line into a login on another machine and cuts that connection."""

    def close(_shell: list[str], line: str, _folder: Path) -> None:
        ssh = ["ssh", "-tt", "-F", str(host.ssh_config), host.name]
        session = Following([*ssh, f"cd {shlex.quote(str(Path.cwd()))} && {line}"], terminal=True)
        session.wait_for("armed until")
        session.process.kill()
        session.process.wait(SOON)
        os.close(session.descriptor)

    return close


def wait_until_reverted(host: LoopbackHost, before: bytes, run: Path) -> None:
    """Wait for main.cf as it was, and for the run's own end."""
    end = time.monotonic() + SOON
    while host.main_cf.read_bytes() != before or _read_end(run) is None:
        assert time.monotonic() < end, sorted(path.name for path in run.glob("*"))
        time.sleep(0.2)
    assert (run / "report.html").exists()


def _read_end(run: Path) -> int | None:
    """Return the run's exit code, which is the last thing that is written; None before that."""
    try:
        code: int | None = json.loads((run / "run.json").read_text())["exit_code"]
    except FileNotFoundError:
        return None
    return code


@pytest.mark.parametrize("way", ["bash", "zsh", "bash in tmux", "zsh in tmux", "ssh"])
def test_closing_the_terminal_reverts_the_host(way: str, loopback_host: LoopbackHost, tmp_path: Path) -> None:
    before = loopback_host.main_cf.read_bytes()
    run = tmp_path / "run"
    shell = ["zsh", "-f", "-i"] if way.startswith("zsh") else ["bash", "--norc", "-i"]
    close = close_ssh(loopback_host) if way == "ssh" else close_tmux if way.endswith("tmux") else close_plain
    close(shell, type_debug(loopback_host, run), tmp_path)
    wait_until_reverted(loopback_host, before, run)
    told = json.loads((run / "run.json").read_text())
    assert told["exit_code"] == 130
    assert [record["state"] for record in told["hosts"]] == ["clean"]
