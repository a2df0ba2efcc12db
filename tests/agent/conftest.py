"""One private host and one agent for each test of the agent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pfremote.loopback import LoopbackHost
from tests.support.agent import SHELLS, HostAgent


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
