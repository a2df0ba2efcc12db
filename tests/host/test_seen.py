"""What is seen of several hosts: table, recap, files, levels of -v, and a monitoring system's line."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost

pytestmark = pytest.mark.host

PEER = "127.0.0.7"
GONE = ("gone1.invalid", "gone2.invalid")


def words(host: LoopbackHost, *more: str) -> list[str]:
    """Return a command line against the private host."""
    options = ["--ssh-config", str(host.ssh_config), "--instance", str(host.config_directory)]
    return [sys.executable, "-m", "pfremote", *more, *options]


def run(host: LoopbackHost, *more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(words(host, *more), capture_output=True, text=True, timeout=120, check=False)


def debug(*more: str) -> tuple[str, ...]:
    """Return the words of a short window on mx1."""
    return ("debug", "mx1", "--peer", PEER, "--allow-volatile-guard", "--minutes", "4s", *more)


def read_terminal(argv: list[str], folder: Path) -> tuple[str, int]:
    """Run a command with a terminal as its stderr; return all that was written to it, and the exit code."""
    ours, theirs = pty.openpty()
    with (folder / "stdout").open("w") as out:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color"},
        )
    os.close(theirs)
    pieces = []
    with suppress(OSError):  # EIO is how a terminal says that the other side is gone
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    os.close(ours)
    return b"".join(pieces).decode(), process.wait(timeout=120)


@pytest.fixture
def keeper(loopback_host: LoopbackHost, tmp_path: Path) -> Iterator[LoopbackHost]:
    """Return a host whose main.cf must be the same when the test is over."""
    before = loopback_host.main_cf.read_bytes()
    yield loopback_host
    assert loopback_host.main_cf.read_bytes() == before


def test_several_hosts_on_a_terminal_are_a_table(keeper: LoopbackHost, tmp_path: Path) -> None:
    argv = words(keeper, *debug(*GONE, "--out", str(tmp_path / "run")))
    seen, code = read_terminal(argv, tmp_path)
    assert code == 4
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    assert re.search(r"host +state +left +sessions +lines +warnings", plain)
    assert re.search(r"mx1 +armed +\ds +0", plain)
    assert re.search(r"gone1\.invalid +failed", plain)
    # In place: the cursor went up again and again, and at the end the table is gone from the screen.
    assert seen.count("\x1b[1A") > 10
    assert "\x1b" not in (tmp_path / "stdout").read_text()


def test_one_host_on_a_terminal_is_a_line(keeper: LoopbackHost, tmp_path: Path) -> None:
    seen, code = read_terminal(words(keeper, *debug("--out", str(tmp_path / "run"))), tmp_path)
    assert code == 0
    assert "1 host armed" in seen
    assert "sessions +lines" not in seen
    assert not re.search(r"host +state", seen)


def test_elsewhere_there_are_plain_lines_and_the_recap(keeper: LoopbackHost, tmp_path: Path) -> None:
    done = run(keeper, *debug(*GONE, "--out", str(tmp_path / "run"), "--tree", str(tmp_path / "tree")))
    assert done.returncode == 4, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    recap = done.stdout.partition("RECAP\n")[2].splitlines()
    assert recap[0].startswith("mx1            clean      captured=0 lines=")
    assert recap[1] == "gone1.invalid  untouched  unreachable"
    # What both unreachable hosts say is said once while it happens, and once for both of them in the end.
    assert done.stderr.count("does not resolve") == 1
    assert "gone1.invalid,gone2.invalid: error: cannot connect to HOST: the name does not resolve" in recap
    check_tree(tmp_path / "tree")


def check_tree(folder: Path) -> None:
    """Check the files that ``--tree`` left."""
    assert {path.name for path in folder.iterdir()} == {"mx1", *GONE}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    mine = json.loads((folder / "mx1").read_text())
    assert (mine["host"], mine["state"], mine["armed"], mine["error"]) == ("mx1", "clean", True, None)
    gone = json.loads((folder / GONE[0]).read_text())
    assert (gone["state"], gone["error"]["code"]) == ("untouched", "unreachable")


def test_a_tree_that_cannot_be_written_is_said_before_anything_is_touched(keeper: LoopbackHost, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        assert run(keeper, *debug("--tree", str(place))).returncode == 2
    listed = run(keeper, "status", "mx1", "--list-hosts", "--tree", str(tmp_path / "none"))
    assert listed.returncode == 0
    assert list((tmp_path / "none").iterdir()) == []


@pytest.mark.parametrize(
    ("option", "shown", "hidden"),
    [
        ("-v", ["mx1: connected as root@127.0.0.1"], ["status: ok", "> status", "kex algos"]),
        ("-vv", ["mx1: connected as", "mx1: status: ok, "], ["> status", "kex algos"]),
        ("-vvv", ["mx1: > status instance=", "mx1: < clean=yes"], ["kex algos"]),
        ("-vvvv", ["mx1: < clean=yes", "mx1: HostKey"], []),
    ],
)
def test_each_v_shows_one_layer_more(
    loopback_host: LoopbackHost, option: str, shown: list[str], hidden: list[str]
) -> None:
    done = run(loopback_host, "status", "mx1", option)
    assert done.returncode == 0, done.stderr
    assert [text for text in shown if text not in done.stderr] == []
    assert [text for text in hidden if text.lower() in done.stderr.lower()] == []
    assert done.stdout == "mx1  clean\n"


def nagios(host: LoopbackHost, *more: str) -> tuple[int, str]:
    """Run the check as a monitoring system does: stdout is the message, and stderr must stay empty."""
    done = run(host, "status", "--nagios", *more)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    return done.returncode, done.stdout


def test_the_line_for_a_monitoring_system(loopback_host: LoopbackHost) -> None:
    assert nagios(loopback_host, "mx1") == (
        0,
        "PFREMOTE OK - no debugging on 1 host | leases=0 hosts=1 unexplained=0 unclean=0 unreachable=0\n",
    )
    assert run(loopback_host, *debug("--detach", "--minutes", "5")).returncode == 0
    code, line = nagios(loopback_host, "mx1")
    assert (code, line[:35]) == (1, "PFREMOTE WARNING - mx1: lease " + line[30:35])
    assert "leases=1" in line
    code, line = nagios(loopback_host, "mx1", GONE[0])
    assert (code, "gone1.invalid: unreachable" in line) == (3, True)
    assert run(loopback_host, "revert", "mx1").returncode == 0
    assert nagios(loopback_host, "mx1")[0] == 0
    loopback_host.postconf("-e", "debug_peer_list=192.0.2.1")
    code, line = nagios(loopback_host, "mx1", GONE[0])
    assert code == 2
    assert line.startswith("PFREMOTE CRITICAL - mx1: debug_peer_list = 192.0.2.1 and no lease explains it; ")


@pytest.mark.parametrize(
    "more", [[], ["--bogus"], ["-i", "/no/such/inventory"], ["mx1", "--lease", "x"], ["mx1", "--json"]]
)
def test_a_check_that_is_called_wrong_is_unknown_and_not_critical(
    shared_loopback_host: LoopbackHost, more: list[str]
) -> None:
    code, line = nagios(shared_loopback_host, *more)
    assert code == 3
    assert line.startswith("PFREMOTE UNKNOWN - ")
