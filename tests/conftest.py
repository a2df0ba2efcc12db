"""Guard rails for every test, and the fixtures that the whole suite shares."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pfremote import private_files
from pfremote.model.secret import KNOWN_SECRETS
from pfremote.model.typed import TYPED
from tests.support.running import Running

pytest_plugins = ["tests.support.hosts", "tests.lab.fixtures"]

#: Variables that would let the developer's own set-up change what a test sees.
_FOREIGN = ("SSH_AUTH_SOCK", "MAIL_CONFIG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
#: Our variables that choose what the suite does, not what pfremote does.
_SUITE = ("PFREMOTE_REQUIRE_", "PFREMOTE_LAB_", "PFREMOTE_COLLECTION_BIN", "PFREMOTE_ANSIBLE_BIN")

_numbers = itertools.count()


def pytest_configure() -> None:
    """What nohup, or a shell's ``&``, has set to be ignored must not decide what signals do to the programs under test."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)  # not inherited by what we start, as SIG_IGN is


@pytest.fixture(autouse=True)
def isolated_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give each test a home of its own (no ~/.ssh, no ~/.config), UTC and the C locale; return the home."""
    # Not mktemp(): that reads the whole folder each time, and there are thousands of tests.
    home = tmp_path_factory.getbasetemp() / f"home-{next(_numbers)}"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name, place in {
        "XDG_CONFIG_HOME": ".config",
        "XDG_STATE_HOME": ".local/state",
        "XDG_DATA_HOME": ".local/share",
        "XDG_CACHE_HOME": ".cache",
        "XDG_RUNTIME_DIR": ".run",
    }.items():
        monkeypatch.setenv(name, str(home / place))
    for name in list(os.environ):
        ours = name.startswith(("PFREMOTE_", "ANSIBLE_")) and not name.startswith(_SUITE)
        if ours or name in _FOREIGN:
            monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C")
    time.tzset()
    yield home
    logging.getLogger("pfremote").handlers.clear()  # -v in one test must not speak in the next
    KNOWN_SECRETS.forget()
    TYPED.forget()
    private_files._root.clear()
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """End the commands that a test started and did not wait for."""
    yield
    Running.end_all()


@pytest.fixture(autouse=True)
def loopback_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test of ours connect anywhere but to this machine's loopback or a Unix socket.

    Tests of whole machines connect from inside namespaces that lead nowhere else.
    """
    if request.node.get_closest_marker("machine") is not None:
        return
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            if not (host.startswith("127.") or host in ("::1", "localhost")):
                pytest.fail(f"a test tried to connect to {address!r}")
        real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)
