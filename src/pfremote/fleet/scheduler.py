"""Many hosts at once: a bounded number of workers, a deadline for each step, one outcome per host.

A host's work is a :class:`Job` made of short steps with pauses between them. While a job pauses (a debug
window is minutes of waiting) it holds no worker, so that ``--forks 5`` serves a hundred open windows. One
host's failure, or one that hangs, never ends or delays the others.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol

from pfremote.errors import DeadlineExceeded, Reason
from pfremote.fleet.interrupts import Interrupts
from pfremote.fleet.stragglers import Straggler, Stragglers
from pfremote.fleet.time_source import SYSTEM_TIME, TimeSource
from pfremote.model.result import HostResult

#: How long a step may overrun its limit before its worker is given up: its own timeouts come first.
GRACE = 15.0

_LOOK = "Its own guard ends what was armed; look with: pfremote status HOST"


class Job(Protocol):
    """The work on one host. One worker at a time calls its methods; the main thread :meth:`hurry`."""

    @property
    def limit(self) -> float:
        """Seconds that the next step may take."""

    @property
    def kind(self) -> str:
        """The kind of the next step: what it takes is compared with others of its kind."""

    @property
    def doing(self) -> str:
        """What the host is at, in one word, for people; may change within a step."""

    def advance(self) -> float | None:
        """Do one step; return the seconds to pause before the next, or None when all is done."""

    def hurry(self) -> None:
        """Take note that the operator wants out: the next step is the last work, not the planned one."""

    def outcome(self) -> HostResult:
        """Return the result of a finished job."""

    def abandon(self, error: BaseException) -> HostResult:
        """Return the result of a job that will not be advanced any more, because of ``error``."""


class LeftError(Exception):
    """The operator asked twice to leave; the host is left to its own guard."""


@dataclass(frozen=True, slots=True)
class _Message:
    """What a worker reports of a step of ``host``; a signal handler sends one with an empty host, to wake the loop."""

    host: str
    ticket: int = 0
    pause: float | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class _Board:
    """Who waits, who works, who is done."""

    jobs: Mapping[str, Job]
    time: TimeSource = SYSTEM_TIME
    queue: SimpleQueue[_Message] = field(default_factory=SimpleQueue)
    waiting: list[tuple[float, int, str]] = field(default_factory=list)
    working: dict[str, tuple[float, int]] = field(default_factory=dict)
    done: dict[str, HostResult] = field(default_factory=dict)
    stragglers: Stragglers = field(default_factory=Stragglers)
    tickets: int = 0
    hurried_at: int = 0

    def ticket(self) -> int:
        self.tickets += 1
        return self.tickets

    def wait(self, host: str, pause: float) -> None:
        heapq.heappush(self.waiting, (self.time.monotonic() + pause, self.ticket(), host))

    def give_up(self, host: str, error: BaseException) -> None:
        self.working.pop(host, None)
        self.stragglers.forget(host)
        try:
            self.done[host] = self.jobs[host].abandon(error)
        except Exception as exc:  # noqa: BLE001  nor may a host whose words make no sense end it here
            what = f"not seen clean: unexpected {type(exc).__name__} after {type(error).__name__}"
            self.done[host] = HostResult(host, "unknown", error=Reason("unexpected", what, _LOOK))


def run_fleet(
    jobs: Mapping[str, Job],
    *,
    forks: int,
    interrupts: Interrupts | None = None,
    tick: Callable[[Sequence[Straggler]], None] = lambda _late: None,
    hurries: int = 1,
    time: TimeSource = SYSTEM_TIME,
) -> dict[str, HostResult]:
    """Run all jobs to their end and return one result per host, in the order of ``jobs``.

    The first interrupt hurries every job; one more than ``hurries`` of them abandon what is left.
    ``tick`` is called at least twice a second from the caller's thread, for progress, with the hosts that
    lag behind the others.
    """
    stop = interrupts or Interrupts()
    board = _Board(jobs, time)
    stop.on_request(lambda: board.queue.put(_Message("")))
    for host in jobs:
        board.wait(host, 0)
    seen = 0
    while board.waiting or board.working:
        if stop.count > seen:
            seen = stop.count
            _leave(board) if seen > hurries else _hurry(board)
        _start_due(board, forks)
        _take_message(board, forks)
        _drop_overdue(board)
        tick(_list_stragglers(board))
    return {host: board.done[host] for host in jobs}


def _hurry(board: _Board) -> None:
    for job in board.jobs.values():
        job.hurry()
    now = board.time.monotonic()
    board.hurried_at = board.tickets
    board.waiting = [(min(due, now), ticket, host) for due, ticket, host in board.waiting]
    heapq.heapify(board.waiting)


def _leave(board: _Board) -> None:
    for host in [*board.working, *(host for _, _, host in board.waiting)]:
        board.give_up(host, LeftError())
    board.waiting.clear()


def _start_due(board: _Board, forks: int) -> None:
    while board.waiting and len(board.working) < forks and board.waiting[0][0] <= board.time.monotonic():
        _, _, host = heapq.heappop(board.waiting)
        ticket, job = board.ticket(), board.jobs[host]
        now = board.time.monotonic()
        board.working[host] = (now + job.limit + GRACE, ticket)
        board.stragglers.begin(host, job.kind, job.limit, now)
        # A daemon thread: a worker that is stuck in the network must not keep the process from ending.
        threading.Thread(target=_work, args=(host, ticket, job, board.queue), name=host, daemon=True).start()


def _work(host: str, ticket: int, job: Job, queue: SimpleQueue[_Message]) -> None:
    try:
        pause = job.advance()
    except Exception as exc:  # noqa: BLE001  whatever goes wrong on one host is that host's result, never the run's end
        queue.put(_Message(host, ticket, error=exc))
    else:
        queue.put(_Message(host, ticket, pause))


def _take_message(board: _Board, forks: int) -> None:
    try:
        message = board.time.wait_for(board.queue, _nap(board, forks))
    except Empty:
        return
    _, ticket = board.working.get(message.host, (0.0, 0))
    if not ticket or message.ticket != ticket:
        return  # a signal, or a worker that was given up and came back after all
    if message.error is not None:
        board.give_up(message.host, message.error)
        return
    del board.working[message.host]
    board.stragglers.end(message.host, board.time.monotonic())
    if message.pause is None:
        board.done[message.host] = board.jobs[message.host].outcome()
    else:
        # A step that began before the interrupt chose its pause without knowing of it.
        board.wait(message.host, 0 if ticket <= board.hurried_at else message.pause)


def _list_stragglers(board: _Board) -> list[Straggler]:
    late = board.stragglers.list_late(board.time.monotonic())
    return [Straggler(host, board.jobs[host].doing, int(seconds)) for host, seconds in late]


def _nap(board: _Board, forks: int) -> float:
    """Return seconds until something is due; half a second at most, so that signals are seen."""
    moments = [overdue for overdue, _ in board.working.values()]
    if len(board.working) < forks:  # with no worker free, what is due has to wait for a message anyway
        moments += [due for due, _, _ in board.waiting[:1]]
    return min(max(min(moments, default=0.0) - board.time.monotonic(), 0.001), 0.5)


def _drop_overdue(board: _Board) -> None:
    now = board.time.monotonic()
    for host in [host for host, (overdue, _) in board.working.items() if overdue < now]:
        seconds = round(board.jobs[host].limit)
        board.give_up(host, DeadlineExceeded(f"no answer within {seconds} seconds", host=host))
