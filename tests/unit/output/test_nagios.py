"""The line for a monitoring system: what is said, how bad it is, and the numbers behind the bar."""

from __future__ import annotations

import pytest

from pfremote.errors import Reason
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult
from pfremote.output.nagios import Level, Look, render_line, render_monitoring

ARMED = Lease("aaaaaaaaaaaa", "armed", owner="tanaka", left=300)
CLEAN = Look(HostResult("mx1", "clean"))
BUSY = Look(HostResult("mx2", "armed"), (ARMED,), dirty=("lease aaaaaaaaaaaa is active",))
GONE = Look(HostResult("mx3", error=Reason("unreachable", "no answer")))
BY_HAND = Look(HostResult("mx4", "clean"), unexplained=("debug_peer_list = 192.0.2.1",))
DIRTY = Look(HostResult("mx5", "unknown", error=Reason("not-clean", "x")), dirty=("a timer is left",))
EXPIRED = Look(HostResult("mx6", "armed"), (Lease("bbbbbbbbbbbb", "armed", deadline=100),), time=106)
ENDING = Look(EXPIRED.result, EXPIRED.leases, time=104)
STUCK = Look(HostResult("mx7", "armed"), (ARMED,), dirty=("lease cccccccccccc could not be reverted yet",))
#: Nothing on the instance that was asked, a lease on another of the same host.
ELSEWHERE = Look(HostResult("mx8", "clean"), dirty=("instance /etc/postfix-out: lease dddddddddddd is active",))


@pytest.mark.parametrize(
    ("looks", "level", "said"),
    [
        ([CLEAN], Level.OK, "no debugging on 1 host"),
        ([CLEAN, BUSY], Level.WARNING, "mx2: lease aaaaaaaaaaaa of tanaka, 5m left"),
        ([BUSY, GONE], Level.UNKNOWN, "mx3: unreachable; mx2: lease"),
        ([GONE, BY_HAND], Level.CRITICAL, "mx4: debug_peer_list = 192.0.2.1 and no lease explains it; mx3"),
        ([DIRTY], Level.CRITICAL, "mx5: not clean: a timer is left"),
        ([EXPIRED], Level.CRITICAL, "mx6: lease bbbbbbbbbbbb of unknown has expired and is still in force"),
        ([ENDING], Level.WARNING, "mx6: lease bbbbbbbbbbbb of unknown, 0s left"),
        ([CLEAN, ELSEWHERE], Level.WARNING, "mx8: instance /etc/postfix-out: lease dddddddddddd is active |"),
        ([STUCK], Level.CRITICAL, "mx7: not clean: lease cccccccccccc could not be reverted yet; mx7: lease"),
    ],
)
def test_the_worst_news_comes_first_and_decides(looks: list[Look], level: Level, said: str) -> None:
    found, line = render_monitoring(looks)
    assert found is level
    assert line.startswith(f"PFREMOTE {level.name} - {said}")
    assert "\n" not in line


def test_the_numbers_are_behind_the_bar() -> None:
    _, line = render_monitoring([CLEAN, BUSY, GONE, BY_HAND, DIRTY, ELSEWHERE])
    assert line.partition(" | ")[2] == "leases=2 hosts=6 unexplained=1 unclean=1 unreachable=1"


def test_many_troubles_are_counted() -> None:
    looks = [Look(HostResult(f"mx{n}", error=Reason("unreachable", "x"))) for n in range(9)]
    assert "mx5: unreachable; and 3 more |" in render_monitoring(looks)[1]


def test_nothing_that_a_host_says_ends_the_line_or_its_text() -> None:
    assert render_line(Level.CRITICAL, "a|b\nc\x1b[2J") == "PFREMOTE CRITICAL - a/b c\\x1b[2J"
