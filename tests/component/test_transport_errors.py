"""What goes wrong on the way, and what is said about it: unreachable, login, and foreign exceptions."""

from __future__ import annotations

import base64
import importlib
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import paramiko
import pytest
from paramiko.common import AUTH_FAILED

from pfremote.errors import AuthFailed, DeadlineExceeded, HostError, NameUnknown, Unreachable
from pfremote.model.secret import Secret
from pfremote.model.target import Target
from pfremote.transport import Connection, ConnectOptions, connect, describe
from pfremote.transport.choose_backend import find_need_for_ssh
from pfremote.transport.exceptions import FAULTS, translate, translated
from pfremote.transport.openssh import OpensshConnection, connect_with_ssh
from pfremote.transport.route import find_route, make_query
from tests.support.sshd import SshServer, make_key, pick_port
from tests.support.sudoer import Sudoer

pytestmark = pytest.mark.host

MakeOptions = Callable[..., ConnectOptions]
MX1 = Target("mx1", "mx1")


@pytest.fixture(params=["fabric", "openssh"])
def attempt(request: pytest.FixtureRequest) -> Callable[[Target, ConnectOptions], Connection]:
    """Return what tries to connect by one of the two transports."""

    def attempt_(target: Target, options: ConnectOptions) -> Connection:
        if request.param == "fabric":
            return connect(target, options)
        route = find_route(target, options)
        return connect_with_ssh(route, make_query(target, options), options, "the test asked")

    return attempt_


Attempt = Callable[[Target, ConnectOptions], Connection]


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Accept TCP connections on loopback and hand each to ``serve``; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    client, _ = server.accept()
                except TimeoutError:
                    continue
                with client, suppress(OSError):  # the client may hang up at any moment
                    serve(client)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            stop.set()
            thread.join(20)


def count_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def at(port: int) -> Target:
    """Return a target on loopback at this port."""
    return Target("mx1", "127.0.0.1", port=port, user="root")


def test_a_closed_port(make_options: MakeOptions, attempt: Attempt) -> None:
    port = pick_port()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}.*: connection refused") as caught:
        attempt(at(port), make_options())
    assert caught.value.hint


def test_a_name_that_does_not_resolve(make_options: MakeOptions, attempt: Attempt) -> None:
    with pytest.raises(Unreachable, match="the name does not resolve"):
        attempt(Target("mx1", "mx1.invalid"), make_options(connect_timeout=20.0))


def test_a_host_that_never_answers(make_options: MakeOptions, attempt: Attempt) -> None:
    done = threading.Event()

    def keep_silent(_: socket.socket) -> None:
        done.wait(20)

    with listening(keep_silent) as port:
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            attempt(at(port), make_options(connect_timeout=1.5))
        assert time.monotonic() - begun < 3.5
        done.set()


def test_an_address_that_never_accepts(make_options: MakeOptions, attempt: Attempt) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            attempt(at(port), make_options(connect_timeout=1.0))
        assert time.monotonic() - begun < 3.0
        for filler in fillers:
            filler.close()


def test_a_port_that_is_not_ssh(make_options: MakeOptions, attempt: Attempt) -> None:
    with (
        listening(lambda client: client.sendall(b"220 mail.example.jp ESMTP\r\n" * 60)) as port,
        pytest.raises(Unreachable, match=f"127.0.0.1:{port}"),
    ):
        attempt(at(port), make_options(connect_timeout=3.0))


def test_a_server_that_hangs_up_before_its_greeting_is_tried_again(
    sshd: SshServer, make_options: MakeOptions, attempt: Attempt
) -> None:
    calls: list[int] = []

    def serve(client: socket.socket) -> None:
        calls.append(1)
        if len(calls) > 1:
            with socket.create_connection((sshd.address, sshd.port)) as behind:
                _relay(client, behind)

    with listening(serve) as port:
        sshd.known_hosts.write_text(f"[127.0.0.1]:{port} {sshd.public_key()}\n")
        options = make_options(ssh_config=str(sshd.config))
        connection = attempt(Target("mx1", "mx1", port=port), options)
        assert connection.run(["echo", "in"], timeout=10).stdout == b"in\n"
        connection.close()
    assert len(calls) == 2


def _relay(one: socket.socket, other: socket.socket) -> None:
    def copy(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # either side may hang up at any moment
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=copy, args=(other, one), daemon=True)
    back.start()
    copy(one, other)
    back.join(20)


def test_a_refused_key_names_what_was_tried(sshd: SshServer, make_options: MakeOptions, attempt: Attempt) -> None:
    sshd.authorized_keys.write_text("")
    with pytest.raises(AuthFailed) as caught:
        attempt(MX1, make_options(ssh_config=str(sshd.config)))
    assert f"tried: {sshd.client_key}" in caught.value.message
    assert "root" in caught.value.message


def test_an_encrypted_key_says_ssh_add(sshd: SshServer, make_options: MakeOptions, tmp_path: Path) -> None:
    key = make_key(tmp_path / "locked", passphrase="invented-phrase")
    sshd.write_config(f"IdentityFile {key}")
    sshd.authorized_keys.write_text("")
    with pytest.raises(AuthFailed, match="locked \\(encrypted\\)") as caught:
        connect(MX1, make_options(ssh_config=str(sshd.config)))
    assert f"ssh-add {key}" in caught.value.hint


@contextmanager
def agent_with(folder: Path, *keys: Path) -> Iterator[Path]:
    """Run an ssh-agent that holds these keys; yield its socket."""
    path = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    environment = {**os.environ, "SSH_AUTH_SOCK": str(path)}
    try:
        # 2 means that nobody listens yet, 1 that the agent is up and empty (ssh-add(1), EXIT STATUS)
        while subprocess.run(["ssh-add", "-l"], env=environment, capture_output=True, check=False).returncode == 2:
            assert process.poll() is None, "the agent ended"
            time.sleep(0.02)
        for key in keys:
            subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True, capture_output=True)
        yield path
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("how", ["environment", "IdentityAgent"])
def test_the_agent_is_used_wherever_it_is_named(
    sshd: SshServer, make_options: MakeOptions, attempt: Attempt, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    with agent_with(sshd.folder, sshd.client_key) as path:
        sshd.client_key.rename(sshd.folder / "elsewhere")  # only the .pub remains, as with a hardware key
        if how == "environment":
            monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        else:
            sshd.write_config(f"IdentityAgent {path}")
        connection = attempt(MX1, make_options(ssh_config=str(sshd.config)))
        assert connection.run(["echo", "in"], timeout=10).stdout == b"in\n"
        connection.close()


def test_identities_only_keeps_other_agent_keys_back(
    sshd: SshServer, make_options: MakeOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    others = [make_key(tmp_path / f"other{number}") for number in range(8)]
    with agent_with(tmp_path, *others) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        connect(MX1, make_options(ssh_config=str(sshd.config))).close()
        sshd.config.write_text(sshd.config.read_text().replace("IdentitiesOnly yes", "IdentitiesOnly no"))
        with pytest.raises(AuthFailed, match="too many keys") as caught:
            connect(MX1, make_options(ssh_config=str(sshd.config)))
        assert "agent:other0" in caught.value.message
        assert "IdentitiesOnly" in caught.value.hint


def test_a_server_that_allows_one_try_is_told_as_that(
    make_options: MakeOptions, attempt: Attempt, tmp_path: Path
) -> None:
    with SshServer(tmp_path / "s", settings="MaxAuthTries 1") as server:
        server.trust()
        server.write_config()
        server.authorized_keys.write_text("")
        with pytest.raises(AuthFailed, match=r"(?i)too many"):
            attempt(MX1, make_options(ssh_config=str(server.config)))


class _Cut(paramiko.ServerInterface):
    """A server whose cable is pulled when the first key comes."""

    def __init__(self, transport: paramiko.Transport) -> None:
        self._transport = transport

    def get_allowed_auths(self, _username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, _username: str, _key: paramiko.PKey) -> int:
        self._transport.sock.shutdown(socket.SHUT_RDWR)
        return AUTH_FAILED


def test_a_cable_that_breaks_during_the_login_is_no_refusal(
    sshd: SshServer, make_options: MakeOptions, attempt: Attempt
) -> None:
    """It was told as "too many keys" once, beside one key (seen in a window whose host's cable was cut)."""

    def serve(client: socket.socket) -> None:
        transport = paramiko.Transport(client)
        transport.add_server_key(paramiko.Ed25519Key.from_private_key_file(str(sshd.host_keys["ed25519"])))
        with suppress(EOFError, paramiko.SSHException):
            transport.start_server(server=_Cut(transport))
            transport.join(20)

    with listening(serve) as port:
        config = sshd.write_config(f"HostKeyAlias {sshd.name}")
        config.write_text(config.read_text().replace(f"Port {sshd.port}", f"Port {port}"))
        with pytest.raises(Unreachable, match="cannot connect to mx1"):
            attempt(MX1, make_options(ssh_config=str(sshd.config)))


@pytest.mark.parametrize("how", ["beside the key", "CertificateFile"])
def test_a_user_certificate_lets_in(make_options: MakeOptions, attempt: Attempt, tmp_path: Path, how: str) -> None:
    authority = make_key(tmp_path / "ca")
    with SshServer(tmp_path / "s", settings=f"TrustedUserCAKeys {authority}.pub") as server:
        server.trust()
        server.authorized_keys.write_text("")
        public = server.folder / "id.pub"
        subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "me", "-n", "root", public], check=True)
        server.write_config()
        if how == "CertificateFile":
            certificate = (server.folder / "id-cert.pub").rename(tmp_path / "signed.pub")
            server.write_config(f"CertificateFile {certificate}")
        connection = attempt(MX1, make_options(ssh_config=str(server.config)))
        assert connection.run(["echo", "in"], timeout=10).stdout == b"in\n"
        connection.close()


def test_old_algorithms_take_the_ssh_program_and_say_why(tmp_path: Path, make_options: MakeOptions) -> None:
    with SshServer(tmp_path / "old", settings="KexAlgorithms diffie-hellman-group14-sha1") as server:
        server.trust()
        server.write_config("KexAlgorithms +diffie-hellman-group14-sha1")
        connection = connect(MX1, make_options(ssh_config=str(server.config)))
        assert isinstance(connection, OpensshConnection)
        assert "share no algorithm" in connection.why
        assert connection.run(["cat"], stdin=b"\0\xff", timeout=10).stdout == b"\0\xff"
        connection.close()


def test_a_fido_key_takes_the_ssh_program(sshd: SshServer, make_options: MakeOptions, tmp_path: Path) -> None:
    kind = b"sk-ssh-ed25519@openssh.com"
    blob = len(kind).to_bytes(4, "big") + kind + (32).to_bytes(4, "big") + bytes(32) + b"\0\0\0\x04ssh:"
    key = tmp_path / "id_ed25519_sk"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n")
    key.with_name("id_ed25519_sk.pub").write_text(f"{kind.decode()} {base64.b64encode(blob).decode()} me\n")
    sshd.config.write_text(sshd.config.read_text().replace(f"IdentityFile {sshd.client_key}", f"IdentityFile {key}"))
    options = make_options(ssh_config=str(sshd.config))
    assert "FIDO" in find_need_for_ssh(find_route(MX1, options), options)


def settle_to(most: tuple[int, int]) -> bool:
    """Wait for threads and files to go away; tell whether there are no more than ``most`` of each."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if threading.active_count() <= most[0] and count_files() <= most[1]:
            return True
        time.sleep(0.05)
    return False


def test_an_unreachable_host_leaves_no_thread_and_no_file_behind(make_options: MakeOptions) -> None:
    before = threading.active_count(), count_files()
    for _ in range(3):
        with pytest.raises(Unreachable):
            connect(at(pick_port()), make_options())
    assert settle_to(before)


def test_a_closed_connection_leaves_no_thread_and_no_file_behind(sshd: SshServer, make_options: MakeOptions) -> None:
    options = make_options(ssh_config=str(sshd.config))
    connect(MX1, options).close()
    before = threading.active_count(), count_files()
    for _ in range(3):
        connection = connect(MX1, options)
        connection.run(["true"], timeout=10)
        connection.close()
    assert settle_to(before)


def test_a_closed_master_leaves_no_process_and_no_folder_behind(
    sshd: SshServer, make_options: MakeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        options = make_options(ssh_config=str(sshd.config))
        route = find_route(MX1, options)
        connection = connect_with_ssh(route, make_query(MX1, options), options, "the test asked")
        assert [path.stat().st_mode & 0o777 for path in Path(folder).iterdir()] == [0o700]
        connection.close()
        assert list(Path(folder).iterdir()) == []
        time.sleep(0.2)
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        assert not any(folder.encode() in line for line in lines)


def test_the_login_password_is_in_no_message(tmp_path: Path, make_options: MakeOptions) -> None:
    with SshServer(tmp_path / "s", settings="PasswordAuthentication yes") as server:
        server.trust()
        server.write_config()
        server.authorized_keys.write_text("")
        secret = "invented-login-word"
        with pytest.raises(AuthFailed, match="password") as caught:
            connect(MX1, make_options(ssh_config=str(server.config), password=Secret(secret)))
        assert secret not in "".join(traceback.format_exception(caught.value)) + caught.value.hint


def paramiko_exceptions() -> list[type[BaseException]]:
    """Return every exception class that Paramiko defines."""
    found: set[type[BaseException]] = set()
    for module in pkgutil.iter_modules(paramiko.__path__):
        if "win" in module.name:  # modules that only Windows can import
            continue
        for value in vars(importlib.import_module(f"paramiko.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, BaseException) and value.__module__.startswith("paramiko"):
                found.add(value)
    return sorted(found, key=lambda cls: cls.__name__)


@pytest.mark.parametrize("cls", paramiko_exceptions(), ids=lambda cls: cls.__name__)
def test_every_exception_of_paramiko_is_in_the_table(cls: type[BaseException]) -> None:
    assert cls in FAULTS


@pytest.mark.parametrize(
    "exc",
    [
        socket.gaierror(-2, "Name or service not known"),
        ConnectionRefusedError(111, "Connection refused"),
        ConnectionResetError(104, "Connection reset by peer"),
        TimeoutError(),
        EOFError(),
        OSError(113, "No route to host"),
        paramiko.SSHException("anything"),
        paramiko.ssh_exception.NoValidConnectionsError({("127.0.0.1", 22): ConnectionRefusedError(111, "refused")}),
        paramiko.ChannelException(1, "no"),
    ],
    ids=lambda exc: type(exc).__name__,
)
def test_a_translated_error_is_one_sentence_with_place_and_hint(exc: BaseException) -> None:
    error = translate(exc, "mx1 (10.0.0.1:22)")
    assert isinstance(error, HostError)
    assert "mx1 (10.0.0.1:22)" in error.message
    assert "\n" not in error.message
    assert error.hint


def test_importing_the_package_loads_neither_fabric_nor_paramiko() -> None:
    code = "import sys, pfremote.transport; print('paramiko' in sys.modules, 'fabric' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


def test_nothing_is_printed_when_a_connection_fails(tmp_path: Path) -> None:
    code = (
        "from pfremote.transport import *; from pfremote.model.target import Target\n"
        "from pfremote.errors import Unreachable\n"
        "import socket\n"
        "s = socket.create_server(('127.0.0.1', 0)); s.listen(1)\n"
        "t = Target('x', '127.0.0.1', port=s.getsockname()[1])\n"
        "try: connect(t, ConnectOptions(connect_timeout=1.0, ssh_config='/dev/null'))\n"
        "except Unreachable: print('unreachable')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("unreachable\n", "")


def test_describe() -> None:
    assert describe(Target("mx1", "10.0.0.1", port=2222, user="ops")) == "ops@10.0.0.1:2222"
    assert describe(Target("here", "localhost", connection="local")) == "here (this machine)"


@pytest.fixture
def freezing_relay(sshd: SshServer) -> Iterator[tuple[SshServer, threading.Event]]:
    """Put a relay before sshd; once the event is set it passes nothing on, like a cut cable."""
    frozen = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = []

    def copy(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                while frozen.is_set():
                    time.sleep(0.05)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                behind = socket.create_connection((sshd.address, sshd.port))
                ends.extend((client, behind))
                for pair in ((client, behind), (behind, client)):
                    threading.Thread(target=copy, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    port = server.getsockname()[1]
    sshd.known_hosts.write_text(f"[127.0.0.1]:{port} {sshd.public_key()}\n")
    sshd.config.write_text(sshd.config.read_text().replace(f"Port {sshd.port}", f"Port {port}"))
    yield sshd, frozen
    frozen.clear()
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    for end in ends:
        end.close()


def test_a_cable_cut_in_mid_command_ends_with_the_deadline(
    freezing_relay: tuple[SshServer, threading.Event], make_options: MakeOptions, attempt: Attempt
) -> None:
    server, frozen = freezing_relay
    connection = attempt(MX1, make_options(ssh_config=str(server.config)))
    assert connection.run(["echo", "in"], timeout=10).stdout == b"in\n"
    threading.Timer(0.3, frozen.set).start()
    for stdin in (b"", b"x" * 30_000_000):
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            connection.run(["sh", "-c", "cat; sleep 30"], stdin=stdin, timeout=1.5)
        assert time.monotonic() - begun < 2.5
    begun = time.monotonic()
    connection.close()
    assert time.monotonic() - begun < 6


def test_a_password_lets_in_where_the_server_takes_one(tmp_path: Path, make_options: MakeOptions) -> None:
    with SshServer(tmp_path / "s", settings="PasswordAuthentication yes") as server, Sudoer() as user:
        server.trust()
        server.write_config(user=user.name)
        server.authorized_keys.write_text("")
        options = make_options(ssh_config=str(server.config), password=Secret(user.password))
        connection = connect(MX1, options)
        assert connection.run(["id", "-un"], timeout=10).stdout.decode().strip() == user.name
        connection.close()


def test_a_key_and_then_a_password_where_the_server_wants_both(tmp_path: Path, make_options: MakeOptions) -> None:
    both = "PasswordAuthentication yes\nAuthenticationMethods publickey,password"
    with SshServer(tmp_path / "s", settings=both) as server, Sudoer() as user:
        server.trust()
        server.write_config(user=user.name)
        options = make_options(ssh_config=str(server.config), password=Secret(user.password))
        connect(MX1, options).close()
        with pytest.raises(AuthFailed):
            connect(MX1, make_options(ssh_config=str(server.config)))


def test_a_name_that_the_dns_cannot_have_is_unknown() -> None:
    with pytest.raises(NameUnknown, match="does not resolve"), translated("mx1"):
        f"{'x' * 64}.example.jp".encode("idna")
