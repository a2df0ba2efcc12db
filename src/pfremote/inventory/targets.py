"""Turn the variables of a host into a Target."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from pfremote.errors import ConfigError
from pfremote.inventory.graph import Variables
from pfremote.inventory.option_names import OPTIONS
from pfremote.inventory.option_values import read_bool, read_name, read_option, read_port, read_word
from pfremote.inventory.templates import Renderer
from pfremote.inventory.values import PASSWORD_VARIABLES, Encrypted, Origin
from pfremote.secret import Secret
from pfremote.target import Target

T = TypeVar("T")

#: Of several names the last one that is set counts, as in Ansible's ssh and sudo plugins.
_HOST = ("ansible_host", "ansible_ssh_host")
_PORT = ("ansible_port", "ansible_ssh_port")
_USER = ("ansible_user", "ansible_ssh_user")
_KEY = ("ansible_private_key_file", "ansible_ssh_private_key_file")
_BECOME_USER = ("ansible_become_user", "ansible_sudo_user")
_BECOME_PASSWORD = ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass")
_ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args")
_SSH = frozenset({"ssh", "smart", "paramiko", "paramiko_ssh"})


class _Reading:
    """The variables of one host, rendered when asked for."""

    def __init__(self, variables: Variables, renderer: Renderer) -> None:
        self._variables = variables
        self._renderer = renderer

    def get(self, names: tuple[str, ...], read: Callable[[object], T]) -> T | None:
        """Return the value of the last of ``names`` that is set; an empty text counts as not set."""
        for name in reversed(names):
            if self._variables.values.get(name) not in (None, ""):
                return self.convert(name, read)
        return None

    def convert(self, name: str, read: Callable[[object], T]) -> T:
        value = self._renderer.value(name)
        try:
            return read(value)
        except ValueError as exc:
            shown = "its value" if name in PASSWORD_VARIABLES else repr(value)
            raise self.fail(name, f"{name}: {shown} {exc}", "Correct the value.") from exc

    def fail(self, name: str, message: str, hint: str) -> ConfigError:
        origin = self._variables.origins.get(name, Origin(""))
        return ConfigError(message, file=origin.file, line=origin.line, path=origin.path, hint=hint)


def make_target(name: str, host: str, variables: Variables, renderer: Renderer) -> Target:
    """Return the Target ``name``, whose address is ``host`` unless the variables name another.

    Raises:
        ConfigError: a value is wrong, encrypted, cannot be rendered, or asks for what pfremote has not.
    """
    reading = _Reading(variables, renderer)
    if host.startswith("-"):
        raise reading.fail(
            "", f"{host} cannot be a host name", "ssh would take it for an option; give it another name."
        )
    become_user = reading.get(_BECOME_USER, read_name)
    become_method = reading.get(("ansible_become_method",), read_word)
    return Target(
        name=name,
        host=reading.get(_HOST, read_name) or host,
        port=reading.get(_PORT, read_port),
        user=reading.get(_USER, read_name),
        connection=_read_connection(reading),
        private_key=reading.get(_KEY, read_word),
        ssh_common_args=_read_arguments(reading),
        become=reading.get(("ansible_become",), read_bool),
        become_user=become_user or "root",
        become_method=(become_method or "sudo").rpartition(".")[2],
        become_password=reading.get(_BECOME_PASSWORD, _read_password),
        instance=reading.get(("pfremote_instance",), read_word),
        vars=_read_vars(variables, reading),
    )


def _read_password(value: object) -> Secret:
    return Secret(str(value))


def _read_arguments(reading: _Reading) -> tuple[str, ...]:
    words: list[str] = []
    for name in _ARGUMENTS:
        words += reading.get((name,), lambda value: shlex.split(str(value))) or []
    return tuple(words)


def _read_connection(reading: _Reading) -> Literal["ssh", "local"]:
    name = "ansible_connection"
    value = reading.get((name,), read_word) or "ssh"
    kind = value.rpartition(".")[2]
    if kind in _SSH:
        return "ssh"
    if kind == "local":
        return "local"
    raise reading.fail(
        name, f"ansible_connection: pfremote has no connection of the kind {value}", "It has ssh and local."
    )


def _read_vars(variables: Variables, reading: _Reading) -> dict[str, object]:
    """Ours checked and converted, passwords as Secret, others as they were written, templates unrendered."""
    found: dict[str, object] = {}
    for name, value in variables.values.items():
        if name in OPTIONS:
            found[name] = reading.convert(name, partial(read_option, name))
        elif name in PASSWORD_VARIABLES and not isinstance(value, Encrypted):
            found[name] = Secret(str(value))
        else:
            found[name] = value
    return found
