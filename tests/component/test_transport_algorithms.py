"""Ciphers, KexAlgorithms, MACs, HostKeyAlgorithms and PreferredAuthentications count as with ssh itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pfremote.errors import AuthFailed
from pfremote.model.target import Target
from pfremote.transport import ConnectOptions, connect
from pfremote.transport.algorithms import allowed_methods, find_unusable
from pfremote.transport.choose_backend import find_need_for_ssh
from pfremote.transport.fabric import FabricConnection
from pfremote.transport.openssh import OpensshConnection
from pfremote.transport.route import find_route
from pfremote.transport.sshconfig import HostConfig
from tests.support.sshd import SshServer

pytestmark = pytest.mark.host

MakeOptions = Callable[..., ConnectOptions]
MX1 = Target("mx1", "mx1")


@pytest.mark.parametrize(
    ("line", "attribute", "value"),
    [
        ("Ciphers aes256-ctr", "local_cipher", "aes256-ctr"),
        ("Ciphers chacha20-poly1305@openssh.com,aes192-ctr", "local_cipher", "aes192-ctr"),
        (
            "Ciphers chacha20-poly1305@openssh.com,aes192-ctr,aes256-gcm@openssh.com",
            "local_cipher",
            "aes256-gcm@openssh.com",
        ),
        ("Ciphers aes192-ctr,aes256-gcm@openssh.com", "local_cipher", "aes192-ctr"),
        ("Ciphers ^aes256-gcm@openssh.com", "local_cipher", "aes256-gcm@openssh.com"),
        ("MACs hmac-sha2-512", "local_mac", "hmac-sha2-512"),
        ("KexAlgorithms diffie-hellman-group16-sha512", "kex", "diffie-hellman-group16-sha512"),
        ("KexAlgorithms curve25519-sha256", "kex", "curve25519-sha256@libssh.org"),
        ("Compression yes", "local_compression", "zlib@openssh.com"),
        ("Compression no", "local_compression", "none"),
    ],
)
def test_what_paramiko_can_keep_is_kept(
    sshd: SshServer, make_options: MakeOptions, line: str, attribute: str, value: str
) -> None:
    """RequestOptions from the transport after the handshake: what was really agreed with a real sshd."""
    # AES-GCM has its own integrity check: a MAC is agreed only beside another cipher (RFC 5647).
    sshd.write_config(line, *(["Ciphers aes128-ctr"] if line.startswith("MACs") else []))
    connection = connect(MX1, make_options(ssh_config=str(sshd.config)))
    try:
        assert isinstance(connection, FabricConnection)
        transport = connection.cxn.transport
        # Which key exchange it was Paramiko forgets; it was one of these, since there is a connection.
        agreed = transport.get_security_options().kex if attribute == "kex" else getattr(transport, attribute)
        assert agreed == ((value,) if attribute == "kex" else value)
        assert connection.run(["wc", "-c"], stdin=b"line\n" * 100_000, timeout=20).stdout.split() == [b"500000"]
    finally:
        connection.close()


def test_the_kind_of_host_key_is_the_one_that_ssh_config_names(
    tmp_path_factory: pytest.TempPathFactory, make_options: MakeOptions
) -> None:
    folder = tmp_path_factory.mktemp("two-keys")
    with SshServer(folder / "mx1", host_keys=("ed25519", "ecdsa")) as server:
        server.trust("ed25519")
        server.trust("ecdsa")
        server.write_config("HostKeyAlgorithms ecdsa-sha2-nistp256")
        connection = connect(MX1, make_options(ssh_config=str(server.config)))
        try:
            assert isinstance(connection, FabricConnection)
            assert connection.cxn.transport.get_remote_server_key().get_name() == "ecdsa-sha2-nistp256"
        finally:
            connection.close()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Ciphers chacha20-poly1305@openssh.com", "Ciphers in ssh_config allows only chacha20"),
        ("MACs umac-64@openssh.com,umac-128@openssh.com", "MACs in ssh_config allows only umac-64"),
        (
            "KexAlgorithms sntrup761x25519-sha512@openssh.com",
            "KexAlgorithms in ssh_config allows only sntrup761",
        ),
    ],
)
def test_what_paramiko_lacks_takes_the_ssh_program_and_says_why(
    sshd: SshServer, make_options: MakeOptions, line: str, reason: str
) -> None:
    sshd.write_config(line)
    connection = connect(MX1, make_options(ssh_config=str(sshd.config)))
    try:
        assert isinstance(connection, OpensshConnection)
        assert reason in connection.why
        assert connection.run(["echo", "in"], timeout=10).stdout == b"in\n"
    finally:
        connection.close()


@pytest.mark.parametrize("value", ["gssapi-with-mic", "hostbased,keyboard-interactive"])
def test_a_login_that_paramiko_cannot_do_is_the_ssh_programs(
    sshd: SshServer, make_options: MakeOptions, value: str
) -> None:
    sshd.write_config(f"PreferredAuthentications {value}")
    options = make_options(ssh_config=str(sshd.config))
    assert value in find_need_for_ssh(find_route(MX1, options), options)


def test_keys_stay_in_the_pocket_where_only_a_password_is_wanted(sshd: SshServer, make_options: MakeOptions) -> None:
    sshd.write_config("PreferredAuthentications password")
    with pytest.raises(AuthFailed, match="tried: nothing"):
        connect(MX1, make_options(ssh_config=str(sshd.config)))
    sshd.write_config("PreferredAuthentications gssapi-with-mic,publickey")
    connect(MX1, make_options(ssh_config=str(sshd.config))).close()


def test_openssh_s_own_defaults_need_no_ssh_program(sshd: SshServer, make_options: MakeOptions) -> None:
    options = make_options(ssh_config=str(sshd.config))
    config = find_route(MX1, options).target
    assert find_unusable(config) == ""
    assert allowed_methods(config) == ("publickey", "password")
    unread = HostConfig("mx1", "192.0.2.1", 22, "root", {"ciphers": ("+aes128-cbc",)})
    assert find_unusable(unread) == ""
