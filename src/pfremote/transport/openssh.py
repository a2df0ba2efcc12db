"""The system's ssh program, for what Paramiko cannot do: FIDO keys, GSSAPI, host certificates.

One master connection per host in a private folder (ControlMaster, ControlPersist); each command is a
session over it. The master is opened by itself first, so that its errors are never mixed with a command's.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pfremote.errors import Unreachable
from pfremote.model.log_levels import TRANSPORT
from pfremote.paths import exists
from pfremote.transport.backoff import admitted, wait_for_next
from pfremote.transport.base import ANSWER_LIMIT, STDERR_LIMIT, Completed, FollowUp, Prompt
from pfremote.transport.exchange import Exchange
from pfremote.transport.hostkeys import HostKeyCheck
from pfremote.transport.openssh_errors import explain_failure, is_transient
from pfremote.transport.options import ConnectOptions
from pfremote.transport.process import run_program
from pfremote.transport.route import Route, describe_route
from pfremote.transport.sshconfig import Query, make_ssh_arguments

_log = logging.getLogger(__name__)

_PERSIST = 60  # seconds that a master outlives us when we die; close() ends it at once
_LOST = 255  # ssh's own status; also that of a command which a signal ended
_LOGGED_IN = "Authenticated to "  # debug1 of sshconnect2.c: the first one comes from the first hop


class OpensshConnection:
    """A :class:`pfremote.transport.base.Connection` over ssh(1); ``why`` says why it was chosen."""

    converses = True

    def __init__(self, folder: Path, place: str, why: str, warnings: tuple[str, ...]) -> None:
        self.place = place
        self.why = why
        self.warnings = warnings
        self._folder = folder

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float,
        prompt: Prompt | None = None,
        limit: int = ANSWER_LIMIT,
        then: FollowUp | None = None,
    ) -> Completed:
        """Run ``argv`` on the host; see :meth:`pfremote.transport.base.Connection.run`."""
        done = run_program(
            self._make_argv("-T", "--", "host", shlex.join(argv)),
            Exchange(stdin, prompt, limit, then),
            timeout,
            self.place,
        )
        if done.exit_status == _LOST:
            if not self._is_alive():
                raise Unreachable(
                    f"the connection to {self.place} was lost while a command ran",
                    hint="The host ends its leases by itself; see what is left with: pfremote status HOST",
                )
            return replace(done, exit_status=-1)
        return done

    def _make_argv(self, *words: str) -> list[str]:
        # The master has read the user's files. ProxyCommand=false: never connect anew behind our back.
        fixed = ("ControlMaster=no", "ProxyCommand=false", "LogLevel=ERROR")
        options = [word for setting in fixed for word in ("-o", setting)]
        return ["ssh", "-F", "/dev/null", "-S", str(self._folder / "s"), *options, *words]

    def _control(self, order: str) -> int:
        argv = self._make_argv("-O", order, "--", "host")
        try:
            return subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False, start_new_session=True
            ).returncode
        except subprocess.TimeoutExpired:
            return _LOST

    def _is_alive(self) -> bool:
        return self._control("check") == 0

    def close(self) -> None:
        """End the master connection and remove its folder; harmless when closed already."""
        if exists(self._folder):
            self._control("exit")
            shutil.rmtree(self._folder, ignore_errors=True)


def connect_with_ssh(route: Route, query: Query, options: ConnectOptions, why: str) -> OpensshConnection:
    """Return an open connection through the ssh program.

    Raises:
        Unreachable, HostKeyRejected, AuthFailed: from what ssh wrote, in our words.
    """
    if options.host_key_checking == "accept-new":
        for hop in route.hops:
            HostKeyCheck(hop, options.host_key_checking).demand_memory()
    folder = _make_folder()
    connection = OpensshConnection(folder, describe_route(route), why, route.warnings())
    try:
        _write_config(folder / "config", query, options)
        _open_master(folder, route, query, options)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_folder() -> Path:
    """Make a private folder (0700) with a short path: sun_path has 108 bytes, of which ssh needs 17."""
    for parent in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()):
        if parent and len(parent) < 60 and os.access(parent, os.W_OK | os.X_OK):
            return Path(tempfile.mkdtemp(prefix="pfr-", dir=parent))
    return Path(tempfile.mkdtemp(prefix="pfr-", dir="/tmp"))


def _write_config(path: Path, query: Query, options: ConnectOptions) -> None:
    """Write our rules before the user's: the first value wins, and ssh hands ``-F`` on to jump hosts."""
    if query.ssh_config == "none":
        files: list[str] = []
    elif query.ssh_config:
        files = [str(Path(query.ssh_config).expanduser().absolute())]
    else:
        files = ["~/.ssh/config", "/etc/ssh/ssh_config"]
    rules = "".join(f"  {key} {value}\n" for key, value in _list_rules(options))
    # "Host *" applies to the Include lines as well, and matches every host.
    path.write_text(f"Host *\n{rules}" + "".join(f'Include "{file}"\n' for file in files))


def _list_rules(options: ConnectOptions) -> list[tuple[str, str]]:
    return [
        ("StrictHostKeyChecking", "accept-new" if options.host_key_checking == "accept-new" else "yes"),
        ("BatchMode", "yes"),  # no question on the terminal: a FIDO PIN, for instance
        ("NoHostAuthenticationForLocalhost", "no"),
        ("VerifyHostKeyDNS", "no"),
        ("UpdateHostKeys", "no"),
        ("ForwardAgent", "no"),
        ("ForwardX11", "no"),
        ("ClearAllForwardings", "yes"),
        ("GSSAPIDelegateCredentials", "no"),
        ("Tunnel", "no"),
        ("PermitLocalCommand", "no"),
        ("RemoteCommand", "none"),
        ("RequestTTY", "no"),
        ("ControlMaster", "no"),
        ("ControlPath", "none"),
        ("ConnectTimeout", str(max(1, round(options.connect_timeout)))),
        ("ServerAliveInterval", str(round(options.keepalive))),
    ]


def make_master_argv(folder: Path, query: Query, options: ConnectOptions) -> list[str]:
    """Return how the master is started. Our ``-o`` come before those of the inventory, so ours count."""
    rules = [
        word for key, value in _list_rules(options) for word in ("-o", f"{key}={value}") if not key.startswith("Contr")
    ]
    # -v, which jump hosts get too, shows fingerprints and the keys offered, never a secret; without it
    # ControlPersist sends what a jump host's ssh says to /dev/null (sshconnect.c, ssh_proxy_connect()).
    argv = [
        "ssh",
        "-v",
        "-F",
        str(folder / "config"),
        "-E",
        str(folder / "log"),
        "-M",
        "-S",
        str(folder / "s"),
    ]
    argv += ["-o", "ControlMaster=yes", "-o", f"ControlPersist={_PERSIST}", "-f", "-N", *rules]
    return [*argv, *make_ssh_arguments(replace(query, ssh_config=None)), "--", query.name]


def _open_master(folder: Path, route: Route, query: Query, options: ConnectOptions) -> None:
    limit = options.connect_timeout * len(route.hops)
    attempt, deadline = 0, 0.0
    while True:
        attempt += 1
        with admitted(route.gate(0)) as leave:
            deadline = deadline or time.monotonic() + limit
            failure = _try_master(folder, query, options, limit, leave)
        for line in _read(folder).splitlines():
            _log.log(TRANSPORT, "%s", line, extra={"host": query.name})
        if failure is None:
            return
        if not is_transient(failure) or not wait_for_next(attempt, deadline):
            raise explain_failure(failure, route, options)


def _try_master(
    folder: Path, query: Query, options: ConnectOptions, limit: float, leave: Callable[[], None]
) -> str | None:
    """Return nothing when the master is up, else all that ssh and its jump hosts wrote.

    ``leave`` is called once the first hop has let us in: what comes after it is no concern of its sshd.
    """
    for name in ("log", "err"):
        (folder / name).unlink(missing_ok=True)
    argv = make_master_argv(folder, query, options)
    with (folder / "err").open("wb") as errors:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # no terminal, so that nothing can ask
        )
    try:
        deadline = time.monotonic() + limit + 1
        _await_first_hop(child, folder, limit)
        leave()
        return None if child.wait(max(0.1, deadline - time.monotonic())) == 0 else _read(folder)
    except subprocess.TimeoutExpired:
        return _read(folder) + "\nssh: connection timed out\n"
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _await_first_hop(child: subprocess.Popen[bytes], folder: Path, limit: float) -> None:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.1)
            return
        if _LOGGED_IN in _read(folder):
            return


def _read(folder: Path) -> str:
    text = ""
    for name in ("err", "log"):
        with suppress(FileNotFoundError), (folder / name).open("rb") as said:
            text += said.read(STDERR_LIMIT).decode(errors="replace")  # a server's banner may be of any length
    return text
