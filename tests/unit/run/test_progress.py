"""The moving line and table while windows are open, on a terminal."""

from __future__ import annotations

import array
import fcntl
import io
import os
import pty
import re
import termios
import time
from typing import TextIO

import pytest

from pfremote.output.live_table import Row, choose_rows
from tests.support.fake_fleet import FakeFleet
from tests.support.fake_transport import Fault


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Give the operator a terminal, and return what is written to it."""
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "150", "LINES": "40"}.items():
        monkeypatch.setenv(name, value)
    fleet.terminal = Terminal()
    return fleet.terminal


def plain(screen: Terminal) -> str:
    """Return what was written, without colours and movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())


def test_one_host_is_a_line(fleet: FakeFleet, screen: Terminal) -> None:
    host = fleet.add()
    host.takes = 1.0
    fleet.at(10, host.visit)
    assert fleet.debug().code == 0
    seen = plain(screen)
    assert "arming 1 host" in seen
    assert re.search(r"1 host armed, \d+s left, 1 session seen; Ctrl-C ends it now", seen)
    assert "reverting 1 host" in seen


def test_several_hosts_are_a_table_in_the_order_of_the_inventory(fleet: FakeFleet, screen: Terminal) -> None:
    fleet.forks = 2
    for name in ("a", "b", "c", "d"):
        fleet.add(name).takes = 2.0
    fleet.net.faults["b"].append(Fault("connect", "lost"))
    fleet.net.faults["c"].append(Fault("arm", "refused"))
    fleet.at(20, fleet.net.hosts["a"].visit)
    assert fleet.debug().code == 4
    seen = plain(screen)
    for row in (r"a +arming", r"d +queued", r"b +failed", r"c +refused", r"a +armed +\d+s +1 ", r"a +clean +1 +6"):
        assert re.search(row, seen), row
    *_, last = re.findall(r"host +state.*?(?=host +state|\Z)", seen, re.DOTALL)
    assert [line[0] for line in last.splitlines()[1:5]] == ["a", "b", "c", "d"]


def test_where_not_all_hosts_fit_those_that_need_attention_are_shown() -> None:
    rows = [Row((name,), rank=rank) for name, rank in (("a", 8), ("b", 0), ("c", 7), ("d", 2))]
    assert [row.cells[0] for row in choose_rows(rows, 4)] == ["a", "b", "c", "d"]
    assert [row.cells[0] for row in choose_rows(rows, 3)] == ["b", "d"]


def test_the_last_line_counts_the_sessions_of_the_table(fleet: FakeFleet, screen: Terminal) -> None:
    first, second = fleet.add("a"), fleet.add("b")
    fleet.at(2, first.visit)  # over before the first look: known when the evidence is here
    fleet.at(20, second.visit)
    assert fleet.debug("--stop-after", "1", minutes="60s").code == 0
    frames = re.findall(r"host +state.*?sessions? seen", plain(screen), re.DOTALL)
    for frame in frames:
        rows = re.findall(r"^[ab] +(?:armed +\S+|clean|reverting) +(\d+)", frame, re.MULTILINE)
        assert sum(map(int, rows)) == int(re.findall(r"(\d+) sessions? seen", frame)[0]), frame
    assert any("1 session seen" in frame for frame in frames)


def test_the_keys_of_the_terminal_end_what_is_followed(
    fleet: FakeFleet, screen: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = fleet.add()
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as keyboard:
        monkeypatch.setattr("sys.stdin", keyboard)
        fleet.at(20, host.visit)
        fleet.at(30, lambda: type_keys(ours, keyboard, "qq"))
        outcome = fleet.debug(follow=True)
    os.close(ours)
    assert outcome.code == 0
    assert next(event["why"] for event in outcome.events if event["event"] == "reverted") == "request"
    assert fleet.time.monotonic() < 60  # when the window would have ended by itself
    assert "space pauses" in plain(screen)


def type_keys(terminal: int, keyboard: TextIO, keys: str) -> None:
    """Type ``keys``, and return when they have done what they do.

    One more key, which means nothing, is read only when those before it are done with.
    """
    for batch in (keys, "x"):
        os.write(terminal, batch.encode())
        waiting = array.array("i", [1])
        while waiting[0]:
            time.sleep(0.001)
            fcntl.ioctl(keyboard, termios.FIONREAD, waiting)


def test_a_skipped_host_is_called_so(fleet: FakeFleet, screen: Terminal) -> None:
    fleet.add("a")
    fleet.add("b")
    play = "- {hosts: all, when: [\"inventory_hostname == 'a'\"], debug: {peers: 192.0.2.7, minutes: 60s}}"
    assert fleet.play(play).code == 0
    assert re.search(r"b +skipped", plain(screen))


def test_a_check_arms_nothing_and_does_not_say_so(fleet: FakeFleet, screen: Terminal) -> None:
    fleet.add().takes = 10.0
    fleet.interrupt_at(5)
    fleet.debug(check=True, out=None)
    seen = plain(screen)
    assert "checking 1 host" in seen
    assert "interrupted: waiting for the hosts that are looked at; none was armed" in seen
    assert "arming" not in seen and "reverting" not in seen
