"""One private host and one agent for each test of the agent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost
from tests.support.agent import SHELLS, HostAgent, Snapshot
from tests.support.helper import Helper


@pytest.fixture(params=SHELLS)
def agent(request: pytest.FixtureRequest, loopback_host: LoopbackHost) -> Iterator[HostAgent]:
    """Return the agent under each shell in turn; whatever a test left is ended and removed."""
    agent = HostAgent(loopback_host, request.param)
    yield agent
    agent.forget_state()


@pytest.fixture
def dash_agent(loopback_host: LoopbackHost) -> Iterator[HostAgent]:
    """Return the agent under dash, for what does not depend on the shell."""
    agent = HostAgent(loopback_host)
    yield agent
    agent.forget_state()


@pytest.fixture
def helper(dash_agent: HostAgent) -> Iterator[Helper]:
    """Return the installed agent; what a test arms is ended, and main.cf is then what it was."""
    helper = Helper(dash_agent)
    before = Snapshot.of(dash_agent.host.main_cf)
    yield helper
    dash_agent.call("revert", "lease=all", "drain=0")
    assert Snapshot.of(dash_agent.host.main_cf).data == before.data


@pytest.fixture
def folder(dash_agent: HostAgent) -> Path:
    """Return a folder of root's that every user may enter."""
    folder = dash_agent.host.root / "lists"
    folder.mkdir()
    folder.chmod(0o755)
    return folder
