"""The options of every command that contacts hosts, named as in Ansible, and what they select."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from pfremote.config import NO_SETTINGS, Settings
from pfremote.errors import UsageError
from pfremote.options.complete import complete_files, complete_hosts
from pfremote.options.sections import HOSTS, RESULTS, SAFETY, choice
from pfremote.options.settings import current_settings, was_typed
from pfremote.options.typed import note_typed
from pfremote.options.vault import VAULT_CHOICES, VaultOptions

if TYPE_CHECKING:
    pass


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
    no_inventory_check: bool = False
    ask_vault_pass: bool = False
    vault_ids: tuple[str, ...] = ()
    vault_password_files: tuple[str, ...] = ()
    settings: Settings = field(default=NO_SETTINGS, repr=False)

    @property
    def vault(self) -> VaultOptions:
        """Where vault passwords come from."""
        return VaultOptions(self.ask_vault_pass, self.vault_ids, self.vault_password_files)


MAX_FORKS = 500
MAX_TIMEOUT = 600

HOST_CHOICES = (
    choice(
        HOSTS,
        "-i",
        "--inventory",
        multiple=True,
        metavar="SOURCE",
        shell_complete=complete_files,
        help="Inventory file, folder or program; repeats.",
    ),
    choice(
        HOSTS,
        "-l",
        "--limit",
        metavar="PATTERN",
        shell_complete=complete_hosts,
        help="Only those of the hosts that match this pattern too.",
    ),
    choice(
        HOSTS,
        "-f",
        "--forks",
        type=click.IntRange(1, MAX_FORKS),
        default=5,
        show_default=True,
        metavar="N",
        help="Hosts at a time.",
    ),
    choice(HOSTS, "-u", "--user", metavar="NAME", help="Log in as this user."),
    choice(HOSTS, "--private-key", type=click.Path(exists=True, dir_okay=False), help="Log in with this key."),
    choice(HOSTS, "-k", "--ask-pass", is_flag=True, help="Ask for the password of the SSH login."),
    choice(HOSTS, "-b", "--become", is_flag=True, help="Become root with sudo, also where it seems not needed."),
    choice(HOSTS, "--become-user", metavar="NAME", help="Become this user instead of root."),
    choice(HOSTS, "-K", "--ask-become-pass", is_flag=True, help="Ask for the sudo password."),
    choice(
        HOSTS,
        "--become-password-file",
        metavar="FILE",
        shell_complete=complete_files,
        help="Read the sudo password from a file that only you can read, or from stdin with -.",
    ),
    choice(
        HOSTS,
        "-T",
        "--timeout",
        type=click.IntRange(1, MAX_TIMEOUT),
        default=15,
        show_default=True,
        metavar="N",
        help="Seconds to connect, for each hop.",
    ),
    choice(
        HOSTS,
        "--ssh-config",
        type=click.Path(exists=True, dir_okay=False),
        help="Use this instead of ~/.ssh/config.",
    ),
    choice(HOSTS, "--instance", metavar="NAME|DIR", help="The Postfix instance, where a host has more than one."),
    choice(
        HOSTS,
        "-e",
        "--extra-vars",
        multiple=True,
        metavar="K=V",
        help="Set a variable, or those of @FILE; repeats.",
    ),
    *VAULT_CHOICES,
    choice(
        HOSTS,
        "--no-inventory-check",
        is_flag=True,
        help="Take a name that is in no inventory, or a group of one that lies here, for a host.",
    ),
    choice(HOSTS, "--list-hosts", is_flag=True, help="Only list the hosts that this would be done on."),
    choice(
        RESULTS,
        "-t",
        "--tree",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        expose_value=False,
        callback=lambda *args: _set_tree(*args),
        help="Write what became of each host to a file of its name in this folder, as JSON.",
    ),
    choice(
        RESULTS,
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=lambda *args: set_verbosity(*args),
        help="Say more: -v the way to each host, -vv each call, -vvv the protocol, -vvvv SSH itself.",
    ),
    choice(RESULTS, "--json", is_flag=True, expose_value=False, help="JSON Lines on stdout, one event a line."),
    choice(
        SAFETY,
        "--host-key-checking",
        type=click.Choice(["strict", "accept-new"]),
        default="strict",
        show_default=True,
        help="What to do with an unknown host key; a changed one is always refused.",
    ),
)


def host_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a command that has :data:`HOST_CHOICES` their values as one ``hosts`` value."""

    @wraps(function)
    def call(**words: Any) -> Any:
        mine = {name: words.pop(name) for name in HostOptions.__dataclass_fields__ if name != "settings"}
        refuse_empty({"PATTERN": words.get("patterns", ()), **mine})
        note_typed(words.get("patterns", ()))
        return function(hosts=lay_over(HostOptions(**mine), current_settings()), **words)

    return call


def lay_over(typed: HostOptions, settings: Settings) -> HostOptions:
    """Return the options with the settings in place of what was not typed."""
    asks = typed.ask_become_pass or typed.become_password_file is not None
    password_file = None if asks else settings.get("become_password_file")
    return replace(
        typed,
        inventory=typed.inventory or settings.get("inventory", ()),
        forks=typed.forks if was_typed("forks") else min(settings.get("forks", typed.forks), MAX_FORKS),
        timeout=typed.timeout if was_typed("timeout") else min(settings.get("timeout", typed.timeout), MAX_TIMEOUT),
        become_password_file=typed.become_password_file or password_file,
        ask_become_pass=typed.ask_become_pass
        or (settings.get("become_ask_pass", False) and not asks and not password_file),
        settings=settings,
    )


def list_warnings(options: HostOptions) -> tuple[str, ...]:
    """Return what the operator should know of the settings before hosts are contacted, one sentence each."""
    settings = options.settings
    if settings.get("host_key_checking", True) is False and options.host_key_checking == "strict":
        return (
            f"host_key_checking = False ({settings.source('host_key_checking')}) does not count here: an unknown host "
            "key is refused; --host-key-checking accept-new records it",
        )
    return ()


def refuse_empty(given: dict[str, Any]) -> None:
    """An empty word is a shell variable that is not set: it must not mean every host, or the default instance."""
    for name, value in given.items():
        if any(isinstance(word, str) and not word.strip() for word in (value if isinstance(value, tuple) else [value])):
            shown = name if name.isupper() else f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{shown} is empty", hint="Perhaps a variable of your shell is not set. Leave it out, or name one."
            )


def set_verbosity(ctx: click.Context, _parameter: click.Parameter, value: int) -> None:
    """Take ``-v``, which may come several times."""
    if ctx.obj is not None and value and not ctx.resilient_parsing:
        from pfremote.output.log_handler import show_log  # not for --help

        ctx.obj.console.verbosity = value
        show_log(ctx.obj.console, value)


def _set_tree(ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if ctx.obj is not None and value is not None and not ctx.resilient_parsing:
        from pfremote.output.host_files import ResultFiles  # not for --help

        ctx.obj.files = ResultFiles(value)
        ctx.obj.files.prepare()
