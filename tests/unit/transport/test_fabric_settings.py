"""Connections that are made at once do not get into each other's settings, into which Fabric writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pfremote.transport.fabric import _build
from pfremote.transport.options import ConnectOptions
from pfremote.transport.sshconfig import parse_effective

HOP = parse_effective("hostname 192.0.2.25\nuser ops\nport 22\n", "mx1")


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_connections_that_are_made_at_once() -> None:
    def make(number: int) -> object:
        cxn = _build(HOP, ConnectOptions(), f"mx{number}", None, None)
        return cxn.authentication.strategy_class  # which Connection.open() asks for

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(make, range(400))) == [None] * 400


def test_what_one_connection_is_told_the_others_are_not() -> None:
    one, other = (_build(HOP, ConnectOptions(), "mx1", None, None) for _ in range(2))
    one.config.run.env = {"LANG": "C"}
    assert other.config.run.env == {}
