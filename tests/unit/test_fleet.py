"""Many jobs at once: bounded, each with an outcome, whatever one of them does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from pfremote import fleet, lagging
from pfremote.errors import DeadlineExceeded
from pfremote.fleet import LeftError, run_fleet
from pfremote.interruption import Interrupts
from pfremote.lagging import Straggler
from pfremote.results import HostResult


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


def _explode() -> None:
    raise ValueError("a bug, on one host")


def test_results_come_in_the_order_of_the_inventory() -> None:
    jobs = {name: Script(name, lambda: 0.01, lambda: None) for name in ("c", "a", "b")}
    assert list(run_fleet(jobs, forks=2)) == ["c", "a", "b"]


def test_one_hosts_failure_does_not_end_the_run() -> None:
    jobs = {"bad": Script("bad", _explode), "good": Script("good", lambda: 0.01, lambda: None)}
    results = run_fleet(jobs, forks=1)
    assert (results["bad"].state, results["good"].state) == ("unknown", "clean")
    assert isinstance(jobs["bad"].error, ValueError)


def test_never_more_than_forks_work_at_once() -> None:
    lock, working, most = threading.Lock(), 0, 0

    def step() -> None:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        time.sleep(0.02)
        with lock:
            working -= 1

    run_fleet({str(n): Script(str(n), step) for n in range(12)}, forks=3)
    assert most == 3


def test_a_pausing_job_holds_no_worker() -> None:
    began = time.monotonic()
    run_fleet({str(n): Script(str(n), lambda: 0.2, lambda: None) for n in range(20)}, forks=1)
    assert time.monotonic() - began < 2  # one after the other would be four seconds


def test_a_host_that_hangs_is_given_up_and_its_place_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "GRACE", 0.0)
    stuck = threading.Event()
    hangs = Script("hangs", lambda: float(stuck.wait(30)), limit=0.1)
    results = run_fleet({"hangs": hangs, "next": Script("next")}, forks=1)
    stuck.set()
    assert isinstance(hangs.error, DeadlineExceeded)
    assert results["next"].state == "clean"


def test_the_first_interrupt_hurries_and_the_jobs_end_by_themselves() -> None:
    stop = Interrupts()

    def ask_to_stop() -> float:
        stop.request()
        return 60.0

    job = Script("mx1", ask_to_stop, lambda: None)
    results = run_fleet({"mx1": job}, forks=1, interrupts=stop)
    assert job.hurried
    assert results["mx1"].state == "clean"


def test_the_second_interrupt_leaves_at_once() -> None:
    stop, stuck = Interrupts(), threading.Event()

    def insist() -> None:
        stop.request()
        time.sleep(0.1)
        stop.request()
        stuck.wait(30)

    job, waiting = Script("mx1", insist), Script("mx2", lambda: None)
    results = run_fleet({"mx1": job, "mx2": waiting}, forks=1, interrupts=stop)
    stuck.set()
    assert isinstance(job.error, LeftError)
    assert [result.state for result in results.values()] == ["unknown", "unknown"]


def test_progress_is_asked_for_while_jobs_pause() -> None:
    ticks: list[float] = []
    run_fleet({"mx1": Script("mx1", lambda: 0.7)}, forks=1, tick=lambda _late: ticks.append(time.monotonic()))
    assert len(ticks) >= 2


def test_who_lags_is_told_while_it_lags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lagging, "BEYOND_MEDIAN", 0.3)
    late: set[str] = set()

    def tick(stragglers: Sequence[Straggler]) -> None:
        late.update(f"{item.host} {item.doing}" for item in stragglers)

    jobs = {name: Script(name, lambda: None) for name in ("mx1", "mx2")}
    jobs["slow"] = Script("slow", lambda: time.sleep(1.5))
    run_fleet(jobs, forks=3, tick=tick)
    assert late == {"slow working"}
