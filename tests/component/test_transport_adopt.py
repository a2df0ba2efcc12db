"""Connections that somebody else made with Fabric: held to our host keys, and otherwise left theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import fabric
import pytest

from pfremote.errors import HostKeyRejected
from pfremote.transport import ConnectOptions
from pfremote.transport.fabric import adopt
from tests.support.sshd import SshServer

pytestmark = pytest.mark.host

Make = Callable[..., fabric.Connection]


@pytest.fixture
def make(sshd: SshServer) -> Iterator[Make]:
    """Return a builder of connections as a fab user would make them, with ssh_config read by Fabric."""
    made: list[fabric.Connection] = []

    def make_(server: SshServer = sshd, **changes: object) -> fabric.Connection:
        config = fabric.Config(runtime_ssh_path=str(server.config))
        made.append(fabric.Connection("mx1", config=config, **changes))
        return made[-1]

    yield make_
    for cxn in made:
        cxn.close()


def test_a_connection_of_fabrics_is_opened_and_runs_bytes(make: Make) -> None:
    connection = adopt(make())
    assert connection.run(["cat"], stdin=b"\0\xff" * 50_000, timeout=10).stdout == b"\0\xff" * 50_000
    connection.close()


def test_fabrics_own_habit_of_accepting_any_key_is_gone(sshd: SshServer, make: Make) -> None:
    sshd.known_hosts.unlink()
    with pytest.raises(HostKeyRejected, match="is unknown"):
        adopt(make())


def test_an_open_connection_is_looked_at_afterwards_and_closed(sshd: SshServer, make: Make) -> None:
    sshd.known_hosts.unlink()
    cxn = make()
    cxn.open()
    with pytest.raises(HostKeyRejected, match="is unknown"):
        adopt(cxn)
    assert not cxn.is_connected


def test_an_open_connection_stays_its_owners(make: Make) -> None:
    cxn = make()
    cxn.open()
    connection = adopt(cxn)
    connection.close()
    assert cxn.is_connected


def test_a_gateway_is_held_to_its_own_key(sshd: SshServer, make: Make, tmp_path: Path) -> None:
    with SshServer(tmp_path / "gate", address="127.0.0.2") as gate:
        gate.write_config()
        with pytest.raises(HostKeyRejected, match="is unknown") as caught:
            adopt(make(gateway=make(gate)))
        assert gate.name in caught.value.message
        gate.trust()
        assert adopt(make(gateway=make(gate))).run(["echo", "in"], timeout=10).stdout == b"in\n"


def test_agent_forwarding_is_switched_off(make: Make) -> None:
    cxn = make(forward_agent=True)
    adopt(cxn)
    assert cxn.forward_agent is False


def test_accept_new_is_the_one_softer_choice(sshd: SshServer, make: Make) -> None:
    sshd.known_hosts.unlink()
    adopt(make(), ConnectOptions(host_key_checking="accept-new"))
    assert sshd.known_hosts.exists()
