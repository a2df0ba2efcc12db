"""The three standard streams and the signals, also where they are in a bad way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

PFREMOTE = f"{sys.executable} -m pfremote"

#: Send ourselves a signal when the command line's module is about to be loaded.
EARLY = """
import os, signal, sys
class Hook:
    def find_spec(self, name, path=None, target=None):
        if name == "pfremote.cli":
            os.kill(os.getpid(), signal.{signal})
sys.meta_path.insert(0, Hook())
sys.argv = ["pfremote", "status", "mx1.invalid", "--json"]
from pfremote.__main__ import main
sys.exit(main())
"""


def shell(line: str) -> subprocess.CompletedProcess[str]:
    argv = ["bash", "-o", "pipefail", "-c", line]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "words", ["--help", "schema playbook", "inventory -i 'h[1:9000],'", "inventory -i 'h[1:9000],' --list"]
)
def test_whoever_reads_one_line_only_is_no_error(words: str) -> None:
    done = shell(f"{PFREMOTE} {words} | head -n 1")
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)


@pytest.mark.parametrize("words", ["--help", "debug --help", "schema playbook", "inventory -i mx1,", "sudoers"])
def test_a_full_disk_is_told_and_is_exit_1(words: str) -> None:
    done = shell(f"{PFREMOTE} {words} >/dev/full")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "fault of pfremote" not in done.stderr


def test_events_that_a_full_disk_lost_are_exit_1_too() -> None:
    done = shell(f"{PFREMOTE} status mx1 --list-hosts --json >/dev/full")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize("words", ["--help", "inventory -i mx1,", "debug mx1 --peer ! --detach -K --json"])
def test_a_closed_stream_is_as_good_as_an_open_one(words: str, closed: str) -> None:
    done = shell(f"{PFREMOTE} {words} {closed}")
    assert done.returncode == (2 if "-K" in words else 0)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_before_anything_is_loaded_is_no_traceback(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY.format(signal=name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130, done
    assert "Traceback" not in done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events] == ["failed", "recap"]
    assert (events[0]["code"], events[1]["exit_code"]) == ("interrupted", 130)


@pytest.fixture
def silent() -> Iterator[tuple[str, threading.Event]]:
    """Return a host that accepts a connection and says nothing, and the event of somebody having called."""
    called = threading.Event()
    with socket.create_server(("127.0.0.3", 0)) as server:

        def accept() -> None:
            peer, _ = server.accept()
            called.set()
            with peer:
                peer.settimeout(60)
                while peer.recv(4096):
                    pass

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.3:{server.getsockname()[1]}", called


@pytest.mark.parametrize(
    ("words", "number", "times", "code", "state"),
    [
        (["status"], signal.SIGINT, 1, 130, "untouched"),
        (["status"], signal.SIGTERM, 1, 130, "untouched"),
        (["check"], signal.SIGHUP, 1, 130, "untouched"),
        (["extend"], signal.SIGINT, 2, 130, "untouched"),
        (["revert"], signal.SIGINT, 2, 5, "unknown"),
    ],
)
def test_an_interrupted_visit_still_says_what_is_known_of_every_host(
    silent: tuple[str, threading.Event], words: list[str], number: signal.Signals, times: int, code: int, state: str
) -> None:
    host, called = silent
    argv = [sys.executable, "-m", "pfremote", *words, host, "second.invalid", "-f", "1", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True) as process:
        assert called.wait(30)
        for _ in range(times):
            process.send_signal(number)
            time.sleep(0.7)  # two signals at once are one
        out, err = process.communicate(timeout=30)
    recap = json.loads(out.splitlines()[-1])
    assert (process.returncode, recap["event"], recap["exit_code"]) == (code, "recap", code), err
    assert {name: item["state"] for name, item in recap["hosts"].items()} == {host: state, "second.invalid": state}
    assert {item["error"]["code"] for item in recap["hosts"].values()} == {"interrupted"}
    assert "Traceback" not in err


@pytest.mark.parametrize("charset", ["iso-8859-1", "euc-jp", "shift_jis", "ascii", "utf-8"])
def test_what_the_terminal_cannot_show_is_an_escape_and_no_end_of_the_run(charset: str) -> None:
    """PYTHONIOENCODING is what a locale would make of the streams; the log has a character of each part of the world."""
    line = "Nov 29 12:56:00 mx postfix/smtpd[7]: warning: \u914d\u9001 \u00e9 \u0416 \u20ac is not what pfremote has a rule for"
    argv = [sys.executable, "-m", "pfremote", "explain", "-"]
    done = subprocess.run(
        argv,
        input=line.encode() + b"\n",
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": charset},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode(charset)
    for char in "\u914d\u00e9\u0416\u20ac":
        escape = char.encode("ascii", "backslashreplace").decode()
        assert (char if char.encode(charset, "ignore") else escape) in shown
