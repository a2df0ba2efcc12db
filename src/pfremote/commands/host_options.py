"""The options of every command that contacts hosts, named as in Ansible, and what they select."""

from __future__ import annotations

import getpass
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from pfremote.errors import UsageError
from pfremote.secret import Secret

if TYPE_CHECKING:
    from pfremote.transport import ConnectOptions


@dataclass(frozen=True, slots=True)
class HostOptions:
    """Which hosts, and how to get in and up. ``None`` leaves the choice to the inventory and ssh_config."""

    inventory: tuple[str, ...] = ()
    limit: str | None = None
    forks: int = 5
    user: str | None = None
    private_key: str | None = None
    ask_pass: bool = False
    become: bool = False
    become_user: str | None = None
    ask_become_pass: bool = False
    become_password_file: str | None = None
    timeout: int = 15
    host_key_checking: Literal["strict", "accept-new"] = "strict"
    ssh_config: str | None = None
    instance: str | None = None
    extra_vars: tuple[str, ...] = ()
    list_hosts: bool = False


_OPTIONS = (
    click.option(
        "-i",
        "--inventory",
        multiple=True,
        metavar="SOURCE",
        help="Inventory file, folder or program; repeats.",
    ),
    click.option("-l", "--limit", metavar="PATTERN", help="Only those of the hosts that match this pattern too."),
    click.option("-f", "--forks", type=click.IntRange(1, 500), default=5, show_default=True, help="Hosts at a time."),
    click.option("-u", "--user", metavar="NAME", help="Log in as this user."),
    click.option("--private-key", type=click.Path(exists=True, dir_okay=False), help="Log in with this key."),
    click.option("-k", "--ask-pass", is_flag=True, help="Ask for the password of the SSH login."),
    click.option("-b", "--become", is_flag=True, help="Become root with sudo, also where it seems not needed."),
    click.option("--become-user", metavar="NAME", help="Become this user instead of root."),
    click.option("-K", "--ask-become-pass", is_flag=True, help="Ask for the sudo password."),
    click.option(
        "--become-password-file",
        metavar="FILE",
        help="Read the sudo password from a private file, or - (stdin).",
    ),
    click.option(
        "-T",
        "--timeout",
        type=click.IntRange(1, 600),
        default=15,
        show_default=True,
        help="Seconds to connect.",
    ),
    click.option(
        "--host-key-checking",
        type=click.Choice(["strict", "accept-new"]),
        default="strict",
        show_default=True,
        help="What to do with an unknown host key; a changed one is always refused.",
    ),
    click.option(
        "--ssh-config",
        type=click.Path(exists=True, dir_okay=False),
        help="Use this instead of ~/.ssh/config.",
    ),
    click.option("--instance", metavar="NAME|DIR", help="The Postfix instance, where a host has more than one."),
    click.option(
        "-e", "--extra-vars", multiple=True, metavar="K=V", help="Set a variable, or those of @FILE; repeats."
    ),
    click.option("--list-hosts", is_flag=True, help="Only list the hosts that this would be done on."),
    click.option(
        "-t",
        "--tree",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        expose_value=False,
        callback=lambda *args: _set_tree(*args),
        help="Write what became of each host to a file of its name in this folder, as JSON.",
    ),
    click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=lambda *args: _set_verbosity(*args),
        help="Say more: -v the way to each host, -vv each call, -vvv the protocol, -vvvv SSH itself.",
    ),
    click.option("--json", is_flag=True, expose_value=False, help="JSON Lines on stdout, one event a line."),
)


def host_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the host options; it gets them as one ``hosts`` value."""

    @wraps(function)
    def call(**words: Any) -> Any:
        mine = {name: words.pop(name) for name in HostOptions.__dataclass_fields__}
        _refuse_empty({"PATTERN": words.get("patterns", ()), **mine})
        return function(hosts=HostOptions(**mine), **words)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


def _refuse_empty(given: dict[str, Any]) -> None:
    """An empty word is a shell variable that is not set: it must not mean every host, or the default instance."""
    for name, value in given.items():
        if any(isinstance(word, str) and not word.strip() for word in (value if isinstance(value, tuple) else [value])):
            shown = name if name.isupper() else f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{shown} is empty", hint="perhaps a variable of your shell is not set; leave it out, or name one"
            )


def _set_verbosity(ctx: click.Context, _parameter: click.Parameter, value: int) -> None:
    if ctx.obj is not None and value:
        from pfremote.chatter import show_log

        ctx.obj.console.verbosity = value
        show_log(ctx.obj.console, value)


def _set_tree(ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if ctx.obj is not None and value is not None:
        from pfremote.result_files import ResultFiles

        ctx.obj.files = ResultFiles(value)
        ctx.obj.files.prepare()


def read_become_password(options: HostOptions) -> Secret | None:
    """Return the sudo password, asked for on the terminal or read from a private file.

    Raises:
        UsageError: no terminal to ask on; a file that others may read, or that is not there.
    """
    if options.become_password_file is not None and options.ask_become_pass:
        raise UsageError("-K and --become-password-file are two answers to one question", hint="give one of them")
    if options.ask_become_pass:
        return _ask("sudo password: ", "--become-password-file")
    if options.become_password_file is None:
        return None
    return _read_password(options.become_password_file)


def _ask(question: str, instead: str) -> Secret:
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for a password on", hint=f"use {instead} FILE")
    return Secret(getpass.getpass(question, stream=sys.stderr))


def _read_password(name: str) -> Secret:
    if name == "-":
        text = sys.stdin.readline()
    else:
        path = Path(name)
        try:
            mode = path.stat().st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise UsageError(f"{name} may be read by others than you", hint=f"chmod 600 {name}")
            text = path.read_text(encoding="utf-8").partition("\n")[0]
        except (OSError, UnicodeDecodeError) as exc:
            raise UsageError(f"the password file {name} cannot be read: {exc}", hint="check its path and mode") from exc
    password = text.rstrip("\r\n")
    if not password:
        raise UsageError(f"the password file {name} holds no password", hint="put the password on its first line")
    return Secret(password)


def make_connect_options(options: HostOptions) -> ConnectOptions:
    """Return how to connect, the same for every host of the run."""
    from pfremote.transport import ConnectOptions

    return ConnectOptions(
        host_key_checking=options.host_key_checking,
        connect_timeout=float(options.timeout),
        private_key=options.private_key,
        user=options.user,
        ssh_config=options.ssh_config,
        password=_ask("SSH password: ", "--private-key") if options.ask_pass else None,
    )
