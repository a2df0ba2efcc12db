"""Many jobs at once: bounded, each with an outcome, whatever one of them does. The clock is a test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pytest

from pfremote.errors import DeadlineExceeded
from pfremote.fleet.interrupts import Interrupts
from pfremote.fleet.scheduler import GRACE, LeftError, run_fleet
from pfremote.fleet.stragglers import Straggler
from pfremote.fleet.time_source import SYSTEM_TIME
from pfremote.model.result import HostResult
from tests.support.fake_time import FakeTime


class Script:
    """A job that does ``steps`` one after the other; each returns its pause, or None."""

    def __init__(self, name: str, *steps: Callable[[], float | None], limit: float = 30) -> None:
        self.name = name
        self.limit = limit
        self.kind = "step"
        self.doing = "working"
        self.hurried = False
        self.error: BaseException | None = None
        self._steps = list(steps)

    def advance(self) -> float | None:
        return self._steps.pop(0)() if self._steps else None

    def hurry(self) -> None:
        self.hurried = True

    def outcome(self) -> HostResult:
        return HostResult(self.name, "clean")

    def abandon(self, error: BaseException) -> HostResult:
        self.error = error
        return HostResult(self.name, "unknown")


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


def states(results: Mapping[str, HostResult]) -> list[str]:
    return [result.state for result in results.values()]


def test_results_come_in_the_order_of_the_inventory(time: FakeTime) -> None:
    jobs = {name: Script(name, lambda: 0.01, lambda: None) for name in ("c", "a", "b")}
    assert list(run_fleet(jobs, forks=2, time=time)) == ["c", "a", "b"]


def test_one_hosts_failure_does_not_end_the_run(time: FakeTime) -> None:
    def explode() -> None:
        raise ValueError("a bug, on one host")

    jobs = {"bad": Script("bad", explode), "good": Script("good", lambda: 0.01, lambda: None)}
    assert states(run_fleet(jobs, forks=1, time=time)) == ["unknown", "clean"]
    assert isinstance(jobs["bad"].error, ValueError)


def test_one_that_cannot_even_say_how_it_failed_does_not_end_the_run_either(time: FakeTime) -> None:
    """A host that was taken over answered with a deadline in the year 33715, which no date has."""

    class Mute(Script):
        def abandon(self, error: BaseException) -> HostResult:
            raise OverflowError("date value out of range") from error

    def explode() -> None:
        raise ValueError("bang")

    results = run_fleet({"bad": Mute("bad", explode), "good": Script("good")}, forks=5, time=time)
    assert states(results) == ["unknown", "clean"]
    error = results["bad"].error
    assert error is not None
    assert (error.code, "OverflowError" in error.message) == ("unexpected", True)


def test_never_more_than_forks_work_at_once(time: FakeTime) -> None:
    run_fleet({str(n): Script(str(n), partial(time.sleep, 5)) for n in range(12)}, forks=3, time=time)
    assert time.monotonic() == 20


def test_a_pausing_job_holds_no_worker(time: FakeTime) -> None:
    run_fleet({str(n): Script(str(n), lambda: 60.0, lambda: None) for n in range(20)}, forks=1, time=time)
    assert time.monotonic() == 60


def test_a_host_that_hangs_is_given_up_and_its_place_taken(time: FakeTime) -> None:
    hangs = Script("hangs", partial(time.sleep, 200), limit=40)
    later = Script("later", lambda: 300.0, lambda: None)  # still there when the other comes back after all
    results = run_fleet({"hangs": hangs, "later": later}, forks=1, time=time)
    assert isinstance(hangs.error, DeadlineExceeded)
    assert states(results) == ["unknown", "clean"]
    assert 40 + GRACE + 300 <= time.monotonic() < 40 + GRACE + 302


def test_the_first_interrupt_hurries_and_the_jobs_end_by_themselves(time: FakeTime) -> None:
    stop = Interrupts()
    time.at(10, stop.request)
    jobs = {name: Script(name, lambda: 600.0, lambda: None) for name in ("mx1", "mx2")}
    assert states(run_fleet(jobs, forks=1, interrupts=stop, time=time)) == ["clean", "clean"]
    assert [job.hurried for job in jobs.values()] == [True, True]
    assert time.monotonic() == 10


def test_a_step_that_began_before_the_interrupt_does_not_pause_after_it(time: FakeTime) -> None:
    stop = Interrupts()
    time.at(3, stop.request)

    def step() -> float:
        time.sleep(5)
        return 600.0

    run_fleet({"mx1": Script("mx1", step, lambda: None)}, forks=1, interrupts=stop, time=time)
    assert time.monotonic() == 5


@pytest.mark.parametrize(("requests", "looks_only"), [((1, 2), False), ((1,), True)])
def test_one_interrupt_too_many_leaves_at_once(requests: tuple[float, ...], looks_only: bool, time: FakeTime) -> None:
    stop = Interrupts()
    for moment in requests:
        time.at(moment, stop.press)
    jobs = {"mx1": Script("mx1", partial(time.sleep, 20)), "mx2": Script("mx2", lambda: None)}
    results = run_fleet(jobs, forks=1, interrupts=stop, hurries=0 if looks_only else 1, time=time)
    assert [type(job.error) for job in jobs.values()] == [LeftError, LeftError]
    assert states(results) == ["unknown", "unknown"]
    assert time.monotonic() < requests[-1] + 0.1


def test_progress_is_asked_for_twice_a_second(time: FakeTime) -> None:
    ticks: list[float] = []
    run_fleet(
        {"mx1": Script("mx1", lambda: 10.0)}, forks=1, time=time, tick=lambda _late: ticks.append(time.monotonic())
    )
    assert len(ticks) >= 20


def test_who_lags_is_told_while_it_lags(time: FakeTime) -> None:
    late: list[str] = []

    def tick(stragglers: Sequence[Straggler]) -> None:
        late.extend(map(str, stragglers))

    jobs = {name: Script(name, partial(time.sleep, 1)) for name in ("mx1", "mx2")}
    jobs["slow"] = Script("slow", partial(time.sleep, 8))
    run_fleet(jobs, forks=3, tick=tick, time=time)
    assert (late[0], late[-1]) == ("slow (working, 6s)", "slow (working, 7s)")


def test_without_a_clock_of_a_test_the_systems_counts() -> None:
    before = (SYSTEM_TIME.epoch(), SYSTEM_TIME.monotonic())
    run_fleet({"mx1": Script("mx1", lambda: 0.002, lambda: None)}, forks=1)
    assert SYSTEM_TIME.monotonic() >= before[1] + 0.002
    assert SYSTEM_TIME.epoch() >= before[0]
