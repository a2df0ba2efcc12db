"""How to get in and up: passwords that were announced, and what holds for every connection of a run."""

from __future__ import annotations

import getpass
import shlex
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pfremote.errors import UsageError
from pfremote.model.secret import KNOWN_SECRETS, Secret
from pfremote.options.hosts import HostOptions

if TYPE_CHECKING:
    from pfremote.transport import ConnectOptions


def read_become_password(options: HostOptions) -> Secret | None:
    """Return the sudo password, asked for on the terminal or read from a private file.

    Raises:
        UsageError: no terminal to ask on; a file that others may read, or that is not there.
    """
    if options.become_password_file is not None and options.ask_become_pass:
        raise UsageError("-K and --become-password-file are two answers to one question", hint="Give one of them.")
    if options.ask_become_pass:
        return _ask("sudo password: ", "--become-password-file")
    if options.become_password_file is None:
        return None
    return _read_password(options.become_password_file)


def _ask(question: str, instead: str) -> Secret:
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for a password on", hint=f"Use {instead} FILE.")
    return _keep(getpass.getpass(question, stream=sys.stderr))


def _keep(password: str) -> Secret:
    """A password that was given is masked wherever it turns up."""
    KNOWN_SECRETS.add(password)
    return Secret(password)


def _read_password(name: str) -> Secret:
    if name == "-":
        text = sys.stdin.readline()
    else:
        path = Path(name)
        try:
            mode = path.stat().st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise UsageError(f"{name} may be read by others than you", hint=f"Type: chmod 600 {shlex.quote(name)}")
            text = path.read_text(encoding="utf-8").partition("\n")[0]
        except (OSError, UnicodeDecodeError) as exc:
            raise UsageError(f"{name} cannot be read: {exc}", hint="Check its path and mode.") from exc
    password = text.rstrip("\r\n")
    if not password:
        raise UsageError(f"the password file {name} holds no password", hint="Put the password on its first line.")
    return _keep(password)


def make_connect_options(options: HostOptions) -> ConnectOptions:
    """Return how to connect, the same for every host of the run."""
    # Loaded when a host is contacted: --help and completion need none of it.
    from pfremote.transport import ConnectOptions

    return ConnectOptions(
        host_key_checking=options.host_key_checking,
        connect_timeout=float(options.timeout),
        private_key=options.private_key,
        user=options.user,
        ssh_config=options.ssh_config,
        password=_ask("SSH password: ", "--private-key") if options.ask_pass else None,
    )
