"""Fixtures of the component tests: a trusted sshd, and connections of all three kinds to one host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pfremote.model.target import Target
from pfremote.transport import Connection, ConnectOptions, connect
from tests.support.sshd import SshServer


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a host: its kind, how to open a connection, and the server where there is one."""

    kind: str
    open: Callable[[], Connection]
    server: SshServer | None


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[SshServer]:
    """Return a running sshd whose host key is known and which ssh_config calls ``mx1``."""
    with SshServer(tmp_path / "mx1") as server:
        server.trust()
        server.write_config()
        yield server


@pytest.fixture(scope="module")
def shared_sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """Return the sshd that one module's tests share; they leave its files as they are."""
    with SshServer(tmp_path_factory.mktemp("shared") / "mx1") as server:
        server.trust()
        server.write_config()
        yield server


@pytest.fixture
def make_options(tmp_path: Path) -> Callable[..., ConnectOptions]:
    """Return a builder of options that never fall back on the developer's own ssh_config."""
    nothing = tmp_path / "no-ssh-config"
    nothing.touch()

    def make(**changes: object) -> ConnectOptions:
        values: dict[str, object] = {"connect_timeout": 8.0, "ssh_config": str(nothing), **changes}
        return ConnectOptions(**values)  # type: ignore[arg-type]

    return make


@pytest.fixture(params=["fabric", "openssh", "local"])
def way(request: pytest.FixtureRequest, make_options: Callable[..., ConnectOptions]) -> Way:
    """Return each of the three ways in turn; the same contract holds for all."""
    kind = str(request.param)
    if kind == "local":
        return Way(kind, lambda: connect(Target("here", "localhost", connection="local"), make_options()), None)
    server: SshServer = request.getfixturevalue("shared_sshd")
    options = make_options(ssh_config=str(server.config))
    target = Target("mx1", "mx1")

    def open_with_ssh() -> Connection:
        from pfremote.transport.openssh import connect_with_ssh
        from pfremote.transport.route import find_route, make_query

        return connect_with_ssh(find_route(target, options), make_query(target, options), options, "the test asked")

    return Way(kind, open_with_ssh if kind == "openssh" else lambda: connect(target, options), server)


@pytest.fixture
def connection(way: Way) -> Iterator[Connection]:
    """Return an open connection of each kind."""
    opened = way.open()
    yield opened
    opened.close()
