"""ssh_config as OpenSSH reads it, jump hosts and ProxyCommand, each hop with its own host key."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pfremote.errors import ConfigError, HostKeyRejected, Unreachable, UsageError
from pfremote.model.target import Target
from pfremote.transport import Connection, ConnectOptions, connect
from pfremote.transport.fabric import FabricConnection
from pfremote.transport.openssh import OpensshConnection, connect_with_ssh
from pfremote.transport.route import describe_route, find_route, make_query, parse_hop
from tests.support.sshd import SshServer, make_key

pytestmark = pytest.mark.host

MakeOptions = Callable[..., ConnectOptions]


@pytest.fixture
def bastion(tmp_path: Path) -> Iterator[SshServer]:
    """Return a second sshd, on 127.0.0.2, with keys and known_hosts of its own."""
    with SshServer(tmp_path / "bastion", address="127.0.0.2") as server:
        server.trust()
        yield server


@pytest.fixture(params=["fabric", "openssh"])
def reach(request: pytest.FixtureRequest) -> Iterator[Callable[[Target, ConnectOptions], Connection]]:
    """Return what connects to a target by one of the two transports."""
    opened: list[Connection] = []

    def reach_(target: Target, options: ConnectOptions) -> Connection:
        if request.param == "fabric":
            opened.append(connect(target, options))
            assert isinstance(opened[-1], FabricConnection)
        else:
            route = find_route(target, options)
            opened.append(connect_with_ssh(route, make_query(target, options), options, "the test asked"))
        return opened[-1]

    yield reach_
    for connection in opened:
        connection.close()


Reach = Callable[[Target, ConnectOptions], Connection]
MX1 = Target("mx1", "mx1")


def write(path: Path, *blocks: str) -> str:
    """Write an ssh_config and return its path."""
    path.write_text("\n".join(blocks) + "\n")
    return str(path)


def sees_client(connection: Connection) -> str:
    """Return the address from which the server sees us."""
    return connection.run(["sh", "-c", "echo $SSH_CONNECTION"], timeout=10).stdout.split()[0].decode()


@pytest.mark.parametrize("form", ["gate", "root@gate", "ssh://gate", "ssh://root@127.0.0.2:{port}", "127.0.0.2:{port}"])
def test_every_form_of_proxyjump(
    sshd: SshServer, bastion: SshServer, tmp_path: Path, make_options: MakeOptions, reach: Reach, form: str
) -> None:
    jump = f"ProxyJump {form.format(port=bastion.port)}"
    config = write(tmp_path / "c", bastion.describe("gate 127.0.0.2"), sshd.describe("mx1", "root", jump))
    connection = reach(MX1, make_options(ssh_config=config))
    assert connection.run(["cat"], stdin=b"\0" * 3_000_000, timeout=30).stdout == b"\0" * 3_000_000
    assert "Accepted publickey" in bastion.log.read_text()


def test_a_chain_of_jumps_goes_in_the_order_written(
    sshd: SshServer, bastion: SshServer, tmp_path: Path, make_options: MakeOptions, reach: Reach
) -> None:
    with SshServer(tmp_path / "inner", address="127.0.0.3") as inner:
        inner.trust()
        config = write(
            tmp_path / "c",
            bastion.describe("gate"),
            inner.describe("inner"),
            sshd.describe("mx1", "root", "ProxyJump gate,inner"),
        )
        options = make_options(ssh_config=config)
        assert reach(MX1, options).run(["echo", "in"], timeout=10).stdout == b"in\n"
        assert "direct-tcpip" in bastion.log.read_text() or "Accepted" in bastion.log.read_text()
        route = find_route(MX1, options)
        assert describe_route(route) == (
            f"root@127.0.0.1:{sshd.port} via root@127.0.0.2:{bastion.port},root@127.0.0.3:{inner.port}"
        )
        assert route.bastion == f"127.0.0.2:{bastion.port}"


def test_a_chain_is_closed_although_its_jump_host_has_died(
    sshd: SshServer, bastion: SshServer, tmp_path: Path, make_options: MakeOptions
) -> None:
    """The last hop says goodbye through the jump host; that this one cannot pass it on is not the end of anything."""
    config = write(tmp_path / "c", bastion.describe("gate"), sshd.describe("mx1", "root", "ProxyJump gate"))
    connection = connect(MX1, make_options(ssh_config=config))
    assert isinstance(connection, FabricConnection)
    assert connection.run(["echo", "in"], timeout=10).stdout == b"in\n"
    gate = connection.cxn.gateway.client.get_transport()
    gate.sock.shutdown(socket.SHUT_WR)
    connection.close()
    gate.join(10)
    assert not gate.is_active()


@pytest.mark.parametrize("value", ["none", "None"])
def test_proxyjump_none_means_direct(
    sshd: SshServer, bastion: SshServer, tmp_path: Path, make_options: MakeOptions, value: str
) -> None:
    config = write(
        tmp_path / "c",
        sshd.describe("mx1", "root", f"ProxyJump {value}"),
        bastion.describe("gate"),
        "Host *",
        "  ProxyJump gate",
    )
    assert find_route(MX1, make_options(ssh_config=config)).bastion == ""


def test_a_circle_of_jumps_is_refused(bastion: SshServer, tmp_path: Path, make_options: MakeOptions) -> None:
    config = write(tmp_path / "c", bastion.describe("gate"), "Host *", "  ProxyJump gate")
    with pytest.raises(UsageError, match="circle") as caught:
        find_route(MX1, make_options(ssh_config=config))
    assert "ProxyJump none" in caught.value.hint


def test_the_jump_hosts_key_is_checked_before_anything_else(
    sshd: SshServer, bastion: SshServer, tmp_path: Path, make_options: MakeOptions, reach: Reach
) -> None:
    config = write(
        tmp_path / "c",
        "StrictHostKeyChecking no",
        bastion.describe("gate"),
        sshd.describe("mx1", "root", "ProxyJump gate"),
    )
    bastion.known_hosts.unlink()
    with pytest.raises(HostKeyRejected) as caught:
        reach(MX1, make_options(ssh_config=config))
    assert bastion.name in caught.value.message
    assert "SHA256:" in caught.value.message
    assert "Accepted" not in bastion.log.read_text()
    bastion.known_hosts.write_text(f"{bastion.name} {sshd.public_key()}\n")
    with pytest.raises(HostKeyRejected, match="has changed"):
        reach(MX1, make_options(ssh_config=config, host_key_checking="accept-new"))


def test_the_targets_key_is_checked_behind_a_jump_host(
    sshd: SshServer, bastion: SshServer, tmp_path: Path, make_options: MakeOptions, reach: Reach
) -> None:
    config = write(tmp_path / "c", bastion.describe("gate"), sshd.describe("mx1", "root", "ProxyJump gate"))
    sshd.known_hosts.unlink()
    with pytest.raises(HostKeyRejected) as caught:
        reach(MX1, make_options(ssh_config=config))
    assert sshd.name in caught.value.message
    assert "ssh -o StrictHostKeyChecking=ask mx1 true" in caught.value.hint
    reach(MX1, make_options(ssh_config=config, host_key_checking="accept-new"))
    assert sshd.known_hosts.exists()


def test_a_closed_port_behind_a_jump_host(
    sshd: SshServer, bastion: SshServer, tmp_path: Path, make_options: MakeOptions, reach: Reach
) -> None:
    config = write(tmp_path / "c", bastion.describe("gate"), sshd.describe("mx1", "root", "ProxyJump gate"))
    sshd.stop()
    with pytest.raises(Unreachable, match=r"mx1|127\.0\.0\.1"):
        reach(MX1, make_options(ssh_config=config))


@pytest.mark.parametrize("command", ["nc %h %p", 'sh -c \'exec nc "$1" "$2"\' sh %h %p'])
def test_proxycommand(sshd: SshServer, tmp_path: Path, make_options: MakeOptions, reach: Reach, command: str) -> None:
    if shutil.which("nc") is None:
        command = command.replace("nc", "busybox nc")
    config = write(tmp_path / "c", sshd.describe("mx1", "root", f"ProxyCommand {command}"))
    connection = reach(MX1, make_options(ssh_config=config))
    assert connection.run(["cat"], stdin=b"x" * 1_000_000, timeout=20).stdout == b"x" * 1_000_000


def test_a_proxycommand_that_dies_is_unreachable_and_not_a_hang(
    sshd: SshServer, tmp_path: Path, make_options: MakeOptions, reach: Reach
) -> None:
    config = write(tmp_path / "c", sshd.describe("mx1", "root", "ProxyCommand exit 3"))
    with pytest.raises(Unreachable):
        reach(MX1, make_options(ssh_config=config, connect_timeout=4.0))


def test_include_match_and_tokens_are_read_as_openssh_reads_them(
    sshd: SshServer, tmp_path: Path, make_options: MakeOptions, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_FOLDER", str(sshd.folder))
    write(
        tmp_path / "included",
        "Match originalhost mx1 exec true",
        f"  HostName {sshd.address}\n  Port {sshd.port}\n  IdentityFile ${{LAB_FOLDER}}/id",
        "Match exec false",
        "  User wrong",
        "Match all",
        f"  User root\n  UserKnownHostsFile {sshd.folder}/%n_hosts",
        "  ForwardAgent $SSH_AUTH_SOCK",
    )
    sshd.known_hosts.rename(sshd.folder / "mx1_hosts")
    config = write(tmp_path / "c", f"Include {tmp_path / 'included'}")
    assert reach(MX1, make_options(ssh_config=config)).run(["id", "-un"], timeout=10).stdout == b"root\n"


def test_the_target_and_the_options_beat_ssh_config(tmp_path: Path, make_options: MakeOptions) -> None:
    config = write(tmp_path / "c", "Host mx1", "  User a\n  Port 1\n  IdentityFile /x")
    key = str(make_key(tmp_path / "key"))
    options = make_options(ssh_config=config, user="b", private_key=key)
    target = Target("mx1", "mx1", user="c", port=3, ssh_common_args=("-o", "HostName=10.0.0.1", "-J", "gate"))
    hop = find_route(target, options).target
    assert (hop.user, hop.port, hop.hostname, hop.first("identityfile")) == ("c", 3, "10.0.0.1", key)
    assert find_route(Target("mx1", "mx1"), options).target.user == "b"


def test_agent_forwarding_is_off_whatever_ssh_config_says(
    sshd: SshServer, make_options: MakeOptions, reach: Reach
) -> None:
    sshd.write_config("ForwardAgent yes")
    connection = reach(MX1, make_options(ssh_config=str(sshd.config)))
    assert connection.run(["sh", "-c", "echo ${SSH_AUTH_SOCK-none}"], timeout=10).stdout == b"none\n"


def test_without_the_ssh_program_paramikos_parser_reads_on_with_a_warning(
    sshd: SshServer, make_options: MakeOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sshd.write_config(f"Include {tmp_path}/more", "ForwardAgent $SSH_AUTH_SOCK")
    connection = connect(MX1, make_options(ssh_config=str(sshd.config)))
    try:
        assert isinstance(connection, FabricConnection)
        assert connection.run(["echo", "in"], timeout=10).stdout == b"in\n"
        assert any("no ssh program" in warning for warning in connection.warnings)
        assert any("Include" in warning and ":1:" in warning for warning in connection.warnings)
    finally:
        connection.close()


def test_without_the_ssh_program_an_unknown_match_is_refused_not_guessed(
    tmp_path: Path, make_options: MakeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    config = write(tmp_path / "c", "Host mx1", "Match localnetwork 10.0.0.0/8", "  User wrong")
    with pytest.raises(ConfigError, match=r"c:2: Match localnetwork"):
        find_route(MX1, make_options(ssh_config=config))


def test_without_the_ssh_program_jumps_and_options_still_count(
    sshd: SshServer,
    bastion: SshServer,
    tmp_path: Path,
    make_options: MakeOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = write(tmp_path / "c", bastion.describe("gate"), sshd.describe("mx1"))
    monkeypatch.setenv("PATH", str(tmp_path))
    target = Target("mx1", "mx1", ssh_common_args=("-J", f"ssh://root@gate:{bastion.port}"))
    connection = connect(target, make_options(ssh_config=config))
    assert sees_client(connection) == "127.0.0.1"
    assert "Accepted publickey" in bastion.log.read_text()
    connection.close()


def test_a_private_key_that_is_not_there_is_a_usage_error(make_options: MakeOptions) -> None:
    with pytest.raises(UsageError, match="no private key at /no/such/key"):
        find_route(MX1, make_options(private_key="/no/such/key"))


def test_a_line_that_ssh_does_not_accept_is_a_usage_error(tmp_path: Path, make_options: MakeOptions) -> None:
    config = write(tmp_path / "c", "NoSuchOption yes")
    with pytest.raises(UsageError, match="line 1"):
        find_route(MX1, make_options(ssh_config=config))


@pytest.mark.parametrize("name", ["-oProxyCommand=touch /tmp/x", "a b"])
def test_a_name_is_never_taken_for_an_option(make_options: MakeOptions, name: str) -> None:
    with pytest.raises(UsageError):
        find_route(Target("x", name), make_options())


@pytest.mark.parametrize(
    ("text", "host", "user", "port"),
    [
        ("h", "h", None, None),
        ("u@h:22", "h", "u", 22),
        ("ssh://u@h:2222", "h", "u", 2222),
        ("ssh://h", "h", None, None),
        ("[2001:db8::1]:22", "2001:db8::1", None, 22),
        ("ssh://u@[2001:db8::1]", "2001:db8::1", "u", None),
        ("2001:db8::1", "2001:db8::1", None, None),
    ],
)
def test_jump_host_forms(text: str, host: str, user: str | None, port: int | None) -> None:
    query = parse_hop(text)
    assert (query.name, query.user, query.port) == (host, user, port)


@pytest.mark.parametrize("text", ["", "http://h", "a/b", "h:port"])
def test_what_is_no_jump_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_hop(text)


def test_a_burst_through_a_small_bastion_gets_through(
    sshd: SshServer, tmp_path: Path, make_options: MakeOptions, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with SshServer(tmp_path / "small", address="127.0.0.2", settings="MaxStartups 2:100:2") as small:
        small.trust()
        config = write(tmp_path / "c", small.describe("gate"), sshd.describe("mx1", "root", "ProxyJump gate"))
        options = make_options(ssh_config=config, connect_timeout=20.0)
        failures: list[str] = []

        def visit() -> None:
            try:
                connect(MX1, options).close()
            except Unreachable as error:
                failures.append(str(error))

        threads = [threading.Thread(target=visit) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


def test_a_host_certificate_takes_the_ssh_program_and_says_why(tmp_path: Path, make_options: MakeOptions) -> None:
    authority = make_key(tmp_path / "ca")
    server = SshServer(tmp_path / "s2", settings=f"HostCertificate {tmp_path}/s2/host_ed25519-cert.pub")
    public = server.folder / "host_ed25519.pub"
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-h", "-I", "mx1", "-n", server.address, public], check=True)
    server.known_hosts.write_text(f"@cert-authority * {authority.with_suffix('.pub').read_text()}")
    server.write_config()
    with server:
        connection = connect(MX1, make_options(ssh_config=str(server.config)))
        assert isinstance(connection, OpensshConnection)
        assert "certificate authority" in connection.why
        assert connection.run(["echo", "in"], timeout=10).stdout == b"in\n"
        connection.close()
