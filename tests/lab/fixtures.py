"""Fixtures: whole machines, booted once for a test session and mended between tests."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab import Lab, LabUnavailableError, Machine
from tests.lab.commands import LabError
from tests.lab.tree import DEFAULT_SUITE, SUITES
from tests.support.hosts import skip_or_fail

#: Run every combination, also those that differ in little.
LONG = os.environ.get("PFREMOTE_LAB_LONG") == "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the lab and of the random-fault run (tests/machine/test_random_faults.py)."""
    group = parser.getgroup("pfremote")
    group.addoption(
        "--suite", choices=SUITES, default=DEFAULT_SUITE, help="Debian release of mx1 and mx2 (default: %(default)s)"
    )
    group.addoption("--trials", type=int, default=12, help="random-fault trials (default: %(default)s)")
    group.addoption("--seed", type=int, help="of the random faults (default: another one each time)")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed once, here, so that all workers of pytest-xdist have the same one."""
    if config.getoption("seed") is None:
        config.option.seed = random.randrange(10**6)  # noqa: S311 - faults, not secrets


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say how long the guarantee tests are, and what they leave out."""
    lines = [f"random faults: --trials {config.getoption('trials')} --seed {config.getoption('seed')}"]
    if not LONG:
        lines.append("long: every signal at every step is left out; PFREMOTE_LAB_LONG=1 runs it")
    return lines


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Return a lab with two machines, mx1 and mx2 (3 s; a minute more to build the Debian tree)."""
    laboratory = _enter_lab(request.config.getoption("suite"))
    try:
        yield laboratory
    finally:
        laboratory.__exit__(None, None, None)


def _enter_lab(suite: str) -> Lab:
    """Boot a lab; a machine that did not come up on a busy computer gets one more chance, a missing program none."""
    for last in (False, True):
        laboratory = Lab(machines=2, suite=suite)
        try:
            return laboratory.__enter__()
        except LabUnavailableError as exc:
            skip_or_fail(str(exc), variable="PFREMOTE_REQUIRE_LAB")
        except LabError:
            if last:
                raise
            time.sleep(5)
    raise AssertionError("not reached")


@contextmanager
def entered(laboratory: Lab) -> Iterator[Lab]:
    """Enter a lab of a test file's own; where this computer can have none, its tests are skipped, or fail in CI."""
    try:
        laboratory.__enter__()
    except LabUnavailableError as exc:
        skip_or_fail(str(exc), variable="PFREMOTE_REQUIRE_LAB")
    try:
        yield laboratory
    finally:
        laboratory.__exit__(None, None, None)


@pytest.fixture
def machine(lab: Lab) -> Machine:
    """Return mx1, on, with its cable plugged; its disk is as earlier tests left it."""
    return _ready(lab.machines["mx1"])


@pytest.fixture
def machines(lab: Lab) -> list[Machine]:
    """Return mx1 and mx2 in the same state as ``machine``."""
    return [_ready(machine) for machine in lab.machines.values()]


@pytest.fixture
def fresh_machine(lab: Lab) -> Machine:
    """Return mx1 booted from a fresh disk (2 s): for tests that read the whole log or state folder."""
    machine = lab.machines["mx1"]
    lab.renew(machine)
    return machine


def _ready(machine: Machine) -> Machine:
    machine.cable("up")
    if machine.is_stuck:  # one test's failed boot is not the next one's
        machine.power_cut()
    if not machine.is_on:
        machine.boot()
    return machine
