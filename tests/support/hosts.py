"""Fixtures: a private mail host on loopback, and the rule for machines that cannot have one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pfremote.loopback import LoopbackHost, missing_requirements
from tests.lab.requirements import missing_lab_requirements

#: Asking for one of these marks a test: fixture name -> mark.
_MARKS = {"loopback_host": "host", "shared_loopback_host": "host", "lab": "machine"}


def skip_or_fail(reason: str, *, variable: str) -> None:
    """Skip the test for ``reason``; with ``variable``=1 in the environment, as in CI, that is an error."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{variable}=1, but: {reason}", pytrace=False)
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the fixtures that it uses, so that ``-m 'not host'`` never misses one."""
    for item in items:
        for name in getattr(item, "fixturenames", ()):
            if name in _MARKS:
                item.add_marker(_MARKS[name])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Decide in one place whether a test marked ``host`` or ``machine`` can run here."""
    if item.get_closest_marker("host") is not None and (reason := missing_requirements()):
        skip_or_fail(reason, variable="PFREMOTE_REQUIRE_HOST")
    if item.get_closest_marker("machine") is not None and (reason := missing_lab_requirements()):
        skip_or_fail(reason, variable="PFREMOTE_REQUIRE_LAB")


@pytest.fixture
def loopback_host() -> Iterator[LoopbackHost]:
    """Return a fresh private host (0.3 s) with a smtp and a submission service; it is gone after the test."""
    with LoopbackHost(services=2) as host:
        yield host


@pytest.fixture(scope="module")
def shared_loopback_host() -> Iterator[LoopbackHost]:
    """Return the private host that one module's tests share: for those that bear each other's traffic."""
    if reason := missing_requirements():
        skip_or_fail(reason, variable="PFREMOTE_REQUIRE_HOST")
    with LoopbackHost(services=2) as host:
        yield host
