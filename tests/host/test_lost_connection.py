"""The connection breaks at the worst moments; through a relay that can be cut, to a real sshd."""

from __future__ import annotations

import contextlib
import io
import json
import re
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pfremote.errors import ExitCode
from pfremote.loopback import LoopbackHost, traffic
from pfremote.model.request import DebugRequest
from pfremote.model.target import Target
from pfremote.options.request import RequestOptions
from pfremote.output.json_lines import EventStream
from pfremote.output.output import Output
from pfremote.postfix.peers import parse_peer
from pfremote.run.debug import DebugRun, run_debug
from pfremote.run.hosts import Hosts
from pfremote.transport import ConnectOptions
from pfremote.window import arm, revert, state

pytestmark = pytest.mark.host


class Relay:
    """A TCP relay to sshd whose cable can be pulled and plugged in again."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.plugged = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if not self.plugged:
                    client.close()
                    continue
                pair = (client, socket.create_connection(self._to))
                self._pairs.append(pair)
                threading.Thread(target=_pump, args=pair, daemon=True).start()

    def cut(self) -> None:
        """Break every connection that is open now."""
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        self._server.close()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as waiting, contextlib.suppress(OSError), one, other:
        waiting.register(one, selectors.EVENT_READ, other)
        waiting.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in waiting.select():
                assert isinstance(key.fileobj, socket.socket)
                data = key.fileobj.recv(65536)
                if not data:
                    return
                key.data.sendall(data)


@pytest.fixture
def relay(loopback_host: LoopbackHost) -> Iterator[Relay]:
    """Return a relay in front of the host's sshd; main.cf must be the same when the test is over."""
    before = loopback_host.main_cf.read_bytes()
    made = Relay(loopback_host.ssh_port)
    yield made
    made.close()
    assert loopback_host.main_cf.read_bytes() == before


class Run:
    """A debug_run on one host through the relay, in this process, with its events."""

    def __init__(self, host: LoopbackHost, relay: Relay, folder: Path) -> None:
        config = re.sub(r"(?mi)^(\s*Port)\s+\d+", rf"\1 {relay.port}", host.ssh_config.read_text())
        config = f"Host *\n  HostKeyAlias [127.0.0.1]:{host.ssh_port}\n{config}"
        (folder / "ssh_config").write_text(config)
        target = Target(host.name, host.name, instance=str(host.config_directory))
        self.hosts = Hosts((target,), ConnectOptions(ssh_config=str(folder / "ssh_config"), connect_timeout=5))
        self.folder = folder
        self.stream = io.StringIO()
        self.output = Output()
        self.output.stream = EventStream(self.stream)

    def debug(self, seconds: int, *, poll: float = 0.5, follow: bool = False) -> ExitCode:
        # followed: until the session is over, however slow this machine is
        peers = (parse_peer("127.0.0.7"),)
        request = DebugRequest(peers, seconds, volatile_guard=True, drain=5, stop_after=1 if follow else None)
        debug_run = DebugRun(self.hosts, RequestOptions(request), out=self.folder / "run", poll=poll, follow=follow)
        return run_debug(debug_run, self.output)

    def wait_until_unreachable(self) -> None:
        """Wait for the warning: a connection that breaks before the greeting is tried again for seconds."""
        end = time.monotonic() + 20
        while '"unreachable"' not in self.stream.getvalue() and time.monotonic() < end:
            time.sleep(0.1)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def kinds(self) -> list[str]:
        return list(dict.fromkeys(event["event"] for event in self.events))


def _when(condition: Callable[[], bool], act: Callable[[], None]) -> None:
    def wait() -> None:
        end = time.monotonic() + 30
        while not condition() and time.monotonic() < end:
            time.sleep(0.005)
        act()

    threading.Thread(target=wait, daemon=True).start()


def test_the_reply_to_arm_is_lost_and_the_host_is_asked(
    loopback_host: LoopbackHost, relay: Relay, tmp_path: Path
) -> None:
    _when(lambda: b"debug_peer_list" in loopback_host.main_cf.read_bytes(), relay.cut)
    run = Run(loopback_host, relay, tmp_path)
    assert run.debug(8) is ExitCode.OK
    # the warning: nobody connects in this test, which is said while the window is open
    assert run.kinds() == ["plan", "armed", "warning", "reverted", "collected", "recap"]
    assert run.events[-1]["hosts"]["mx1"]["state"] == "clean"


def test_a_cable_cut_in_the_window_ends_nothing(loopback_host: LoopbackHost, relay: Relay, tmp_path: Path) -> None:
    run = Run(loopback_host, relay, tmp_path)

    def pull() -> None:
        relay.plugged = False
        relay.cut()
        run.wait_until_unreachable()
        relay.plugged = True

    _when(lambda: '"armed"' in run.stream.getvalue(), pull)
    assert run.debug(15) is ExitCode.OK
    lost = [event for event in run.events if event["event"] == "warning" and event["code"] == "unreachable"]
    assert len(lost) == 1
    assert "guard ends the lease by" in lost[0]["hint"]
    assert run.events[-1]["hosts"]["mx1"]["state"] == "clean"


def test_following_goes_on_where_the_cable_was_cut(
    loopback_host: LoopbackHost, relay: Relay, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session is open while the cable is out: each of its lines is shown once."""
    run = Run(loopback_host, relay, tmp_path)

    def talk() -> None:
        with traffic.hold_session(loopback_host, source_ip="127.0.0.7") as session:
            session.docmd("NOOP", "before")
            time.sleep(3)
            relay.plugged = False
            relay.cut()
            session.docmd("NOOP", "cable-is-out")
            run.wait_until_unreachable()
            relay.plugged = True
            session.docmd("NOOP", "after")
            time.sleep(3)

    _when(lambda: '"armed"' in run.stream.getvalue(), talk)
    assert run.debug(120, follow=True) is ExitCode.OK
    codes = [event["code"] for event in run.events if event["event"] == "warning"]
    assert codes == ["unreachable", "in-sight"]
    shown = capsys.readouterr().out
    assert [shown.count(f"C: NOOP {word}") for word in ("before", "cable-is-out", "after")] == [1, 1, 1]
    followed, collected = [event for event in run.events if event["event"] == "session" and "outcome" in event]
    assert (followed["outcome"], sum("C: NOOP" in line for line in followed["transcript"])) == ("ended", 3)
    assert (collected["outcome"], collected["number"]) == ("ended", 1)


def test_a_host_that_cannot_be_seen_again_is_unknown_and_ends_by_itself(
    loopback_host: LoopbackHost, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (state, revert, arm):
        monkeypatch.setattr(module, "RETRY_FOR", -10.0, raising=False)
    run = Run(loopback_host, relay, tmp_path)

    def pull() -> None:
        relay.plugged = False
        relay.cut()

    _when(lambda: '"armed"' in run.stream.getvalue(), pull)
    assert run.debug(4) is ExitCode.UNKNOWN_STATE
    (failed,) = [event for event in run.events if event["event"] == "failed"]
    assert failed["state"] == "unknown"
    assert "Its own guard ends the lease by" in failed["hint"]
    end = time.monotonic() + 15
    while b"debug_peer_list" in loopback_host.main_cf.read_bytes() and time.monotonic() < end:
        time.sleep(0.1)
