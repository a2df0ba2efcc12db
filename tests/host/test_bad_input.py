"""A table of bad input: one clear error each, the exit code as designed, main.cf untouched, nothing injected."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost

pytestmark = pytest.mark.host

GOOD = ["--peer", "127.0.0.1"]

#: Words after `debug mx1 --detach`, exit code, and a word that the error must have.
TABLE = [
    (["--peer", "!"], 3, "!"),
    (["--peer", ""], 3, "empty"),
    (["--peer", "10.0.0.1/24"], 3, "10.0.0.0/24"),
    (["--peer", "2001:db8::1/32"], 3, "[2001:db8::]/32"),
    (["--peer", "*"], 3, "static:all"),
    (["--peer", "all"], 3, "static:all"),
    (["--peer", "192.168.1.300"], 3, "not an IP address"),
    (["--peer", "[::1"], 3, "[::1]"),
    (["--peer", "10.0.0.0/255.0.0.0"], 3, "10.0.0.0/8"),
    (["--peer", "192.0.2"], 3, "192.0.2.0/24"),
    (["--peer", "$mynetworks"], 3, "$"),
    (["--peer", "x;touch /sprung"], 3, ";"),
    (["--peer", "a\nsmtpd_tls_loglevel = 4"], 3, "peer"),
    (["--peer", "`touch /sprung`"], 3, "`"),
    (["--peer", "x # y"], 3, "#"),
    (["--peer", "/no/such/file"], 3, "/no/such/file"),
    (["--peer", "hash:/no/such/table"], 3, "hash:/no/such/table"),
    (["--peer", "nosuchtype:/x"], 3, "nosuchtype"),
    (["--peer", "0.0.0.0/0"], 3, "--all-peers"),
    (["--peer", "static:all"], 3, "--all-peers"),
    ([], 2, "--peer"),
    ([*GOOD, "--level", "0"], 3, "does not mean off"),
    ([*GOOD, "--level", "3"], 3, "--allow-content"),
    ([*GOOD, "--level", "4"], 3, "--level 2"),
    ([*GOOD, "--level", "two"], 2, "two"),
    ([*GOOD, "--smtpd-tls", "3"], 3, "--allow-content"),
    ([*GOOD, "--lmtp-tls", "5"], 3, "--lmtp-tls 2"),
    ([*GOOD, "--minutes", "0"], 2, "at least 1s"),
    ([*GOOD, "--minutes", "121"], 2, "2h"),
    ([*GOOD, "--minutes", "soon"], 2, "90s"),
    ([*GOOD, "--minutes", "-5"], 2, "-5"),
    ([*GOOD, "--max-log", "much"], 2, "much"),
    ([*GOOD, "--min-free", "100"], 2, "99%"),
    ([*GOOD, "--min-free", "99"], 3, "free"),
    ([*GOOD, "--stop-after", "0"], 2, "stop-after"),
    ([*GOOD, "--frobnicate"], 2, "--frobnicate"),
    ([*GOOD, "-i", "/no/such/inventory"], 2, "/no/such/inventory"),
    ([*GOOD, "--private-key", "/no/such/key"], 2, "/no/such/key"),
    ([*GOOD, "-K"], 2, "--become-password-file"),
    ([*GOOD, "--become-password-file", "/no/such/file"], 2, "/no/such/file"),
    ([*GOOD, "-e", "pfremote_frobnicate=1"], 2, "pfremote_frobnicate"),
]


def run(host: LoopbackHost, *words: str, instance: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command with the private host's ssh configuration and no terminal."""
    options = ["--ssh-config", str(host.ssh_config), "--instance", instance or str(host.config_directory)]
    return subprocess.run(
        [sys.executable, "-m", "pfremote", *words, *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def untouched(host: LoopbackHost, before: tuple[bytes, float]) -> bool:
    """Tell whether main.cf is the same file and nothing of ours is beside it."""
    names = {path.name for path in host.config_directory.iterdir()}
    now = host.main_cf.read_bytes(), host.main_cf.stat().st_mtime
    return now == before and names == {"main.cf", "master.cf"} and not Path("/sprung").exists()


@pytest.mark.parametrize(("words", "code", "said"), TABLE, ids=[" ".join(row[0])[:40] or "no peer" for row in TABLE])
def test_bad_input(shared_loopback_host: LoopbackHost, words: list[str], code: int, said: str) -> None:
    host = shared_loopback_host
    before = host.main_cf.read_bytes(), host.main_cf.stat().st_mtime
    done = run(host, "debug", "mx1", "--detach", "--allow-volatile-guard", *words)
    assert done.returncode == code, done
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert untouched(host, before)


def test_every_error_is_also_an_event(shared_loopback_host: LoopbackHost) -> None:
    done = run(shared_loopback_host, "debug", "mx1", "--peer", "!", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events][-2:] == ["failed", "recap"]
    assert events[-1]["exit_code"] == done.returncode == 3
    usage = run(shared_loopback_host, "debug", "mx1", "--json")
    assert [json.loads(line)["event"] for line in usage.stdout.splitlines()] == ["failed", "recap"]
    assert usage.returncode == 2


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("nosuchhost.invalid", 4, "does not resolve"),
        ("mx1:1", 4, "refused"),
    ],
)
def test_hosts_that_cannot_be_reached(shared_loopback_host: LoopbackHost, name: str, code: int, said: str) -> None:
    done = run(shared_loopback_host, "debug", name, *GOOD, "--detach", "-T", "5")
    assert done.returncode == code, done
    assert said in done.stderr


def test_a_host_without_this_postfix(shared_loopback_host: LoopbackHost) -> None:
    done = run(shared_loopback_host, "debug", "mx1", *GOOD, "--detach", instance="/no/such/instance")
    assert done.returncode == 3
    assert "/no/such/instance" in done.stderr


def test_an_unknown_host_key_is_refused_with_its_fingerprint(loopback_host: LoopbackHost) -> None:
    before = loopback_host.main_cf.read_bytes(), loopback_host.main_cf.stat().st_mtime
    loopback_host.known_hosts.write_text("")
    done = run(loopback_host, "debug", "mx1", *GOOD, "--detach")
    assert done.returncode == 4
    assert "SHA256:" in done.stderr
    assert untouched(loopback_host, before)


def test_a_stopped_postfix(loopback_host: LoopbackHost) -> None:
    before = loopback_host.main_cf.read_bytes(), loopback_host.main_cf.stat().st_mtime
    loopback_host.stop_postfix()
    done = run(loopback_host, "debug", "mx1", *GOOD, "--detach", "--allow-volatile-guard")
    assert done.returncode == 3
    assert "not running" in done.stderr
    assert untouched(loopback_host, before)
