"""Many hosts through one jump host, and one address behind two: nothing is lost, nothing is mixed up."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pfremote.agent.client import OpenHost
from pfremote.model.result import HostResult
from pfremote.model.target import Target
from pfremote.output.console import Console
from pfremote.output.log_handler import show_log
from pfremote.run.hosts import Hosts, gather_results
from pfremote.transport import ConnectOptions, backoff
from pfremote.transport.backoff import PLACES, admitted
from pfremote.transport.route import find_route
from tests.support.sshd import SshServer

pytestmark = pytest.mark.host

MakeOptions = Callable[..., ConnectOptions]
#: sshd_config(5)'s default, written down: a third of an unbounded burst of 60 would be lost.
MAX_STARTUPS = "MaxStartups 10:30:100"


def write(path: Path, *blocks: str) -> str:
    """Write an ssh_config and return its path."""
    path.write_text("\n".join(blocks) + "\n")
    return str(path)


def say_hello(target: Target, host: OpenHost) -> HostResult:
    """Do the least that proves a whole way to the host and back."""
    done = host.connection.run(["echo", target.name], timeout=60)
    return HostResult(target.name, state="clean", out=done.stdout.decode().strip())


def test_a_burst_of_sixty_through_one_bastion_loses_nobody(
    sshd: SshServer, tmp_path: Path, make_options: MakeOptions
) -> None:
    with SshServer(tmp_path / "gate", address="127.0.0.2", settings=MAX_STARTUPS) as gate:
        gate.trust()
        names = [f"mx{number:02}" for number in range(60)]
        config = write(tmp_path / "c", gate.describe("gate"), sshd.describe(" ".join(names), "root", "ProxyJump gate"))
        options = make_options(ssh_config=config, connect_timeout=60.0)
        hosts = Hosts(tuple(Target(name, name) for name in names), options, forks=60)
        results = gather_results(hosts, say_hello, lambda _late: None, limit=300)
        assert {result.host: (result.out, result.error) for result in results} == {name: (name, None) for name in names}
        # A busy sshd may count somebody as still on the way in who is in already, and drop another one;
        # that one comes again. What must not happen is that a host is lost.
        assert gate.log.read_text().count("Accepted publickey") == 60


def test_one_address_behind_two_jump_hosts_is_two_hosts(
    sshd: SshServer, tmp_path: Path, make_options: MakeOptions
) -> None:
    with (
        SshServer(tmp_path / "tokyo", address="127.0.0.2") as tokyo,
        SshServer(tmp_path / "osaka", address="127.0.0.3") as osaka,
    ):
        tokyo.trust()
        osaka.trust()
        config = write(
            tmp_path / "c",
            tokyo.describe("gate-tokyo"),
            osaka.describe("gate-osaka"),
            sshd.describe("mx-tokyo", "root", "ProxyJump gate-tokyo"),
            sshd.describe("mx-osaka", "root", "ProxyJump gate-osaka"),
        )
        options = make_options(ssh_config=config)
        targets = (Target("mx-tokyo", "mx-tokyo"), Target("mx-osaka", "mx-osaka"))
        results = gather_results(Hosts(targets, options), say_hello, lambda _late: None, limit=60)
        assert [(result.host, result.out) for result in results] == [
            ("mx-tokyo", "mx-tokyo"),
            ("mx-osaka", "mx-osaka"),
        ]
        for gate in (tokyo, osaka):
            assert gate.log.read_text().count("Accepted publickey") == 1
        routes = [find_route(target, options) for target in targets]
        assert routes[0].target.hostname == routes[1].target.hostname
        assert routes[0].gate(1) != routes[1].gate(1)


def test_those_who_share_a_proxy_command_queue_together(
    sshd: SshServer, tmp_path: Path, make_options: MakeOptions
) -> None:
    config = write(
        tmp_path / "c",
        sshd.describe("mx1", "root", "ProxyCommand ssh -W %h:%p gate"),
        sshd.describe("mx2", "ops", "ProxyCommand ssh -W %h:%p gate"),
        sshd.describe("mx3"),
    )
    options = make_options(ssh_config=config)
    gates = [find_route(Target(name, name), options).gate(0) for name in ("mx1", "mx2", "mx3")]
    assert gates[0] == gates[1]
    assert gates[2] == f"127.0.0.1:{sshd.port}"


def test_never_more_than_the_places_are_on_their_way_in() -> None:
    lock, inside, most = threading.Lock(), 0, 0

    def go_in(_number: int) -> None:
        nonlocal inside, most
        with admitted("a test's own place"):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(go_in, range(80)))
    assert most == PLACES


def test_who_waits_too_long_goes_in_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight that hang at a dead jump host must not keep the ninth from finding that out by itself."""
    monkeypatch.setattr(backoff, "PLACES", 1)
    with admitted("a dead place"):
        began = time.monotonic()
        with admitted("a dead place", patience=0.2):
            assert time.monotonic() - began >= 0.2
        with admitted("another place", patience=0):
            pass


def test_a_place_that_is_left_early_is_free_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "PLACES", 1)
    with admitted("left early") as leave:
        leave()
        leave()
        with admitted("left early", patience=0):
            pass


@pytest.fixture
def quiet_afterwards() -> Iterator[None]:
    """Take back what ``-v`` does to the loggers of the whole process."""
    loggers = [logging.getLogger(name) for name in ("pfremote", "paramiko")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.mark.usefixtures("quiet_afterwards")
def test_a_route_is_told_with_v(sshd: SshServer, make_options: MakeOptions) -> None:
    for verbosity in (1, 4):
        err = io.StringIO()
        console = Console(out=io.StringIO(), err=err, verbosity=verbosity)
        show_log(console, verbosity)
        hosts = Hosts((Target("mx1", "mx1"),), make_options(ssh_config=str(sshd.config)))
        gather_results(hosts, say_hello, lambda _late: None, limit=60)
        assert "mx1: connected as root@127.0.0.1" in err.getvalue()
        # What Paramiko says of the key exchange comes with the fourth v, under the host's name.
        assert ("mx1: kex" in err.getvalue().lower()) is (verbosity == 4)
