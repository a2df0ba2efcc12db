"""Becoming root with the real sudo: what works, and each way to be refused."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pfremote.errors import BecomeFailed, DeadlineExceeded
from pfremote.model.secret import Secret
from pfremote.model.target import Target
from pfremote.transport import Become, Completed, Connection, ConnectOptions, FollowUp, connect, run_as_root
from pfremote.transport.openssh import connect_with_ssh
from pfremote.transport.route import find_route, make_query
from pfremote.transport.sudo_refusal import read_refusal
from tests.support.sshd import SshServer
from tests.support.sudoer import Sudoer

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(shutil.which("sudo") is None, reason="sudo is not installed"),
]

Login = Callable[[Sudoer], Connection]
WITH_PASSWORD = "ALL=(ALL) ALL"
WITHOUT_PASSWORD = "ALL=(ALL) NOPASSWD: ALL"


@pytest.fixture(params=["fabric", "openssh"])
def login(
    request: pytest.FixtureRequest, sshd: SshServer, make_options: Callable[..., ConnectOptions]
) -> Iterator[Login]:
    """Return what logs in to mx1 as a user by one of the two transports."""
    opened: list[Connection] = []

    def login_(user: Sudoer) -> Connection:
        sshd.write_config(user=user.name)
        options, target = make_options(ssh_config=str(sshd.config)), Target("mx1", "mx1")
        if request.param == "fabric":
            opened.append(connect(target, options))
        else:
            route = find_route(target, options)
            opened.append(connect_with_ssh(route, make_query(target, options), options, "the test asked"))
        return opened[-1]

    yield login_
    for connection in opened:
        connection.close()


class Counting:
    """Pass calls on to a connection and count them: each one is a round trip."""

    converses = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.calls = 0

    def run(self, *arguments: object, **options: object) -> Completed:
        self.calls += 1
        return self._connection.run(*arguments, **options)  # type: ignore[arg-type]

    def close(self) -> None:
        self._connection.close()


def test_nopasswd_is_one_round_trip_and_byte_exact(login: Login) -> None:
    with Sudoer(WITHOUT_PASSWORD) as user:
        connection = Counting(login(user))
        payload = b"\0\xff\r\n" * 500_000
        done = run_as_root(connection, ["sh", "-c", "id -u >&2; cat"], stdin=payload, timeout=30, become=Become())
        assert (done.exit_status, done.stdout, done.stderr) == (0, payload, b"0\n")
        assert connection.calls == 1


def test_a_commands_own_failure_is_not_taken_for_sudos(login: Login) -> None:
    with Sudoer(WITHOUT_PASSWORD) as user:
        done = run_as_root(login(user), ["sh", "-c", "echo 'a: b' >&2; exit 1"], timeout=20, become=Become())
        assert (done.exit_status, done.stderr) == (1, b"a: b\n")


@pytest.mark.parametrize("rule", [WITH_PASSWORD, WITHOUT_PASSWORD])
def test_with_a_password_it_is_one_round_trip_whether_sudo_asks_or_not(login: Login, rule: str) -> None:
    with Sudoer(rule) as user:
        connection = Counting(login(user))
        become = Become(password=Secret(user.password))
        for payload in (b"printf root=; id -u\n", b"echo again\n"):
            done = run_as_root(connection, ["/bin/sh", "-s"], stdin=payload, timeout=30, become=become)
            assert done.exit_status == 0
            assert done.stdout in (b"root=0\n", b"again\n")
        assert connection.calls == 2


@pytest.mark.parametrize("rule", [WITH_PASSWORD, WITHOUT_PASSWORD])
@pytest.mark.parametrize("known", [True, False])
def test_a_command_is_told_more_behind_sudo(login: Login, rule: str, known: bool) -> None:
    with Sudoer(rule) as user:
        become = Become(password=Secret(user.password) if known or rule == WITH_PASSWORD else None)
        then = FollowUp(lambda stdout: b"more\n\n" if stdout.endswith(b"ready\n") else None, 20)
        script = b'talk() { echo ready; read -r more; echo "$(id -u) $more"; }\ntalk; exit\n'
        done = run_as_root(login(user), ["/bin/sh", "-s"], stdin=script, timeout=20, become=become, then=then)
        assert (done.exit_status, done.stdout) == (0, b"ready\n0 more\n")


def test_a_large_payload_behind_the_password(login: Login) -> None:
    with Sudoer(WITH_PASSWORD) as user:
        payload = bytes(range(256)) * 20_000
        become = Become(password=Secret(user.password))
        done = run_as_root(login(user), ["cat"], stdin=payload, timeout=60, become=become)
        assert done.stdout == payload


def test_a_wrong_password_is_tried_once(login: Login, sshd: SshServer) -> None:
    with Sudoer(WITH_PASSWORD, f"logfile={sshd.folder}/sudo.log") as user:
        with pytest.raises(BecomeFailed, match="did not accept the password"):
            run_as_root(login(user), ["id"], timeout=30, become=Become(password=Secret("wrong-invention")))
        time.sleep(0.5)
        log = sshd.folder / "sudo.log"
        assert "2 incorrect" not in (log.read_text() if log.exists() else "")


def test_no_password_says_what_to_do(login: Login) -> None:
    with Sudoer(WITH_PASSWORD) as user:
        with pytest.raises(BecomeFailed, match="asks for a password") as caught:
            run_as_root(login(user), ["id"], timeout=30, become=Become())
        assert "-K" in caught.value.hint
        assert "pfremote sudoers" in caught.value.hint


@pytest.mark.parametrize("with_password", [False, True])
def test_a_user_who_is_not_in_sudoers(login: Login, with_password: bool) -> None:
    with Sudoer() as user:
        password = Secret(user.password) if with_password else None
        expected = "may not use sudo" if with_password else r"may not use sudo|asks for a password"
        with pytest.raises(BecomeFailed, match=expected):
            run_as_root(login(user), ["id"], timeout=30, become=Become(password=password))


@pytest.mark.parametrize("password", [None, "given"])
def test_requiretty_is_named(login: Login, password: str | None) -> None:
    with Sudoer(WITHOUT_PASSWORD, "requiretty") as user:
        secret = Secret(user.password) if password else None
        with pytest.raises(BecomeFailed, match="requiretty") as caught:
            run_as_root(login(user), ["id"], timeout=30, become=Become(password=secret))
        assert "!requiretty" in caught.value.hint


def test_a_sudoers_line_for_the_command_alone_is_enough(login: Login) -> None:
    with Sudoer("ALL=(root) NOPASSWD: /usr/bin/id") as user:
        connection = login(user)
        for password in (None, Secret(user.password)):
            done = run_as_root(connection, ["/usr/bin/id", "-u"], timeout=30, become=Become(password=password))
            assert done.stdout == b"0\n"
        with pytest.raises(BecomeFailed, match=r"does not allow|asks for a password"):
            run_as_root(connection, ["/bin/cat"], timeout=30, become=Become())


def test_another_user_than_root(login: Login) -> None:
    with Sudoer(WITHOUT_PASSWORD) as user, Sudoer() as other:
        connection = login(user)
        become = Become(user=other.name)
        assert run_as_root(connection, ["id", "-un"], timeout=20, become=become).stdout.decode().strip() == other.name
        with pytest.raises(BecomeFailed, match="does not exist"):
            run_as_root(connection, ["id"], timeout=20, become=Become(user="no-such-user"))


@pytest.fixture
def bare_path() -> Iterator[str]:
    """Return a PATH without sudo that every user may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "id").symlink_to(shutil.which("id") or "/usr/bin/id")
        yield name


@pytest.mark.parametrize("password", [None, Secret("unused-invention")])
def test_a_host_without_sudo_says_so_and_root_does_without(
    tmp_path: Path, bare_path: str, make_options: Callable[..., ConnectOptions], password: Secret | None
) -> None:
    with SshServer(tmp_path / "bare", settings=f"SetEnv PATH={bare_path}") as bare, Sudoer() as user:
        bare.trust()
        bare.write_config(user=user.name)
        options = make_options(ssh_config=str(bare.config))
        connection = connect(Target("mx1", "mx1"), options)
        with pytest.raises(BecomeFailed, match="sudo is not installed"):
            run_as_root(connection, ["id"], timeout=20, become=Become(password=password))
        connection.close()
        root = connect(Target("mx1", "mx1", user="root"), options)
        become = Become(password=password)
        assert run_as_root(root, ["cat"], stdin=b"x", timeout=20, become=become).exit_status == 127
        assert run_as_root(root, ["id", "-u"], timeout=20, become=become).stdout == b"0\n"
        assert run_as_root(root, ["id", "-u"], timeout=20, become=Become(needed=False)).stdout == b"0\n"
        root.close()


def test_here_root_is_root_already(make_options: Callable[..., ConnectOptions]) -> None:
    connection = connect(Target("here", "localhost", connection="local"), make_options())
    assert run_as_root(connection, ["id", "-u"], timeout=20, become=Become()).stdout == b"0\n"


def test_an_unknown_method_is_refused(make_options: Callable[..., ConnectOptions]) -> None:
    connection = connect(Target("here", "localhost", connection="local"), make_options())
    with pytest.raises(BecomeFailed, match="'doas'"):
        run_as_root(connection, ["id"], timeout=20, become=Become(method="doas"))


def test_the_deadline_holds_while_sudo_waits(login: Login) -> None:
    with Sudoer(WITHOUT_PASSWORD) as user:
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            run_as_root(login(user), ["sleep", "3"], timeout=1, become=Become())
        assert time.monotonic() - begun < 2.5


class ProcessWatch(threading.Thread):
    """Look at the arguments and the environment of every process, over and over, for a word.

    ``control`` is another word, which must be seen: so that not seeing the first one means something.
    """

    def __init__(self, word: str, control: str) -> None:
        super().__init__(daemon=True)
        self._word = word.encode()
        self._control = control.encode()
        self.control_seen = False
        self.seen: set[str] = set()
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            for entry in Path("/proc").iterdir():
                if not entry.name.isdigit():
                    continue
                for name in ("cmdline", "environ"):
                    try:
                        data = (entry / name).read_bytes()
                    except OSError:
                        continue
                    self.control_seen = self.control_seen or self._control in data
                    if self._word in data:
                        self.seen.add(f"{entry.name}/{name}")


@pytest.mark.parametrize("right", [True, False])
def test_the_password_is_seen_nowhere(
    login: Login, sshd: SshServer, caplog: pytest.LogCaptureFixture, right: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    with Sudoer(WITH_PASSWORD, f"logfile={sshd.folder}/sudo.log") as user:
        word = user.password if right else "wrong-invention-91"
        connection = login(user)
        watch = ProcessWatch(word, "-S\0-p" if right else "sudo")
        watch.start()
        become = Become(password=Secret(word))
        story = ""
        try:
            done = run_as_root(connection, ["sh", "-c", "sleep 0.6; cat"], stdin=b"x", timeout=30, become=become)
            story = repr(done)
        except BecomeFailed as error:
            story = "".join(traceback.format_exception(error)) + repr(error) + error.hint
        watch.done.set()
        watch.join()
        assert watch.control_seen
        assert watch.seen == set()
        logs = [sshd.log, sshd.folder / "sudo.log", Path("/var/log/auth.log")]
        texts = [path.read_text(errors="replace") for path in logs if path.exists()]
        for text in (story, repr(become), caplog.text, *texts):
            assert word not in text


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        ("sudo: a password is required\n", "asks for a password"),
        ("sudo: interactive authentication is required\n", "asks for a password"),
        ("sudo: sorry, you must have a tty to run sudo\n", "requiretty"),
        ("ops is not in the sudoers file.  This incident will be reported.\n", "may not use sudo"),
        ("Sorry, user ops may not run sudo on mx1.\n", "may not use sudo"),
        ("Sorry, user ops is not allowed to execute '/bin/sh' as root on mx1.\n", "does not allow"),
        ("sudo: I'm sorry ops. I'm afraid I can't do that\n", "may not use sudo"),
        ("sudo: unknown user no-such\n", "does not exist"),
        ("sudo: account validation failure, is your account locked?\n", "PAM refused"),
        (
            "sudo: effective uid is not 0, is /usr/bin/sudo on a file system with 'nosuid'\n",
            "cannot become root",
        ),
        ("sudo: unable to resolve host mx1\nsudo: a password is required\n", "asks for a password"),
    ],
)
def test_each_refusal_is_named(stderr: str, expected: str) -> None:
    refusal = read_refusal(Completed(1, b"", stderr.encode()), with_password=False)
    assert refusal is not None
    assert expected in refusal.message
    assert refusal.hint


@pytest.mark.parametrize("stderr", ["", "sudo: unable to resolve host mx1: Name or service not known\n", "x: no\n"])
def test_what_is_no_refusal_stays_the_commands_result(stderr: str) -> None:
    assert read_refusal(Completed(1, b"", stderr.encode()), with_password=False) is None
    assert read_refusal(Completed(4, b"", b"sudo: a password is required\n"), with_password=False) is None
