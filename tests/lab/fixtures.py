"""Fixtures: whole machines, booted once for a test session and mended between tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import Lab, LabUnavailableError, Machine
from tests.support.hosts import skip_or_fail


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Return a lab with two machines, mx1 and mx2 (3 s; a minute more to build the Debian tree)."""
    laboratory = Lab(machines=2)
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
    if not machine.is_on:
        machine.boot()
    return machine
