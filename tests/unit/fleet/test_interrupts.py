"""Signals as a count: who may leave hosts armed, and who only asks for the orderly end."""

from __future__ import annotations

import os
import signal

from pfremote.fleet.interrupts import SIGNALS, Interrupts, heed_signals


def test_a_closing_terminal_asks_once_however_often_it_signals() -> None:
    """The kernel sends SIGHUP, and so does the shell that goes down with the terminal."""
    stop, woken = Interrupts(), []
    stop.on_request(lambda: woken.append(stop.count))
    with heed_signals(stop):
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM, signal.SIGTERM):
            os.kill(os.getpid(), number)
    assert stop.count == 1
    assert woken == [1]


def test_a_second_ctrl_c_leaves_at_once_and_a_third_is_no_more() -> None:
    stop, woken = Interrupts(), []
    stop.on_request(lambda: woken.append(stop.count))
    with heed_signals(stop):
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
    assert stop.count == 2
    assert woken == [1, 2]


def test_a_ctrl_c_after_the_terminal_closed_is_the_first() -> None:
    stop = Interrupts()
    stop.request()
    stop.press()
    assert stop.count == 1
    stop.press()
    assert stop.count == 2


def test_the_handlers_of_before_are_back_afterwards() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with heed_signals(Interrupts()):
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        interrupts = Interrupts()
        with heed_signals(interrupts):
            signal.raise_signal(signal.SIGHUP)
        assert interrupts.count == 0
    finally:
        signal.signal(signal.SIGHUP, before)
