"""Turn the variables of a host into a Target. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from pfremote.inventory.graph import Variables
from pfremote.inventory.option_names import OPTIONS
from pfremote.inventory.option_values import read_bool, read_name, read_option, read_port, read_word
from pfremote.inventory.overrides import NO_OVERRIDES, Overrides
from pfremote.inventory.templates import Renderer
from pfremote.inventory.values import PASSWORD_VARIABLES, Encrypted, Origin
from pfremote.model.secret import Secret
from pfremote.model.target import Target

T = TypeVar("T")

#: Of several names the last one that is set counts, as in Ansible's ssh and sudo plugins.
_HOST = ("ansible_host", "ansible_ssh_host")
_PORT = ("ansible_port", "ansible_ssh_port")
_USER = ("ansible_user", "ansible_ssh_user")
_KEY = ("ansible_private_key_file", "ansible_ssh_private_key_file")
_BECOME_USER = ("ansible_become_user", "ansible_sudo_user")
_BECOME_PASSWORD = ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass")
_ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args")
_CORRECT = "Correct the value."
_SSH = frozenset({"ssh", "smart", "paramiko", "paramiko_ssh"})


class _Reading:
    """The variables of one host, rendered when asked for, below what the command line says."""

    def __init__(self, variables: Variables, renderer: Renderer, extra: Variables) -> None:
        self._variables = variables
        self._renderer = renderer
        self._extra = extra

    def get(self, names: tuple[str, ...], read: Callable[[object], T], typed: T | None = None) -> T | None:
        """Return what ``-e`` says, else what was ``typed``, else the last of ``names`` that is set and not empty."""
        if typed is not None and not any(name in self._extra.values for name in names):
            return typed
        for name in sorted(names, key=lambda name: (name in self._extra.values, names.index(name)), reverse=True):
            if self._variables.values.get(name) not in (None, ""):
                return self.convert(name, read)
        return None

    def convert(self, name: str, read: Callable[[object], T]) -> T:
        self._renderer.secret = False
        value = self._renderer.value(name)
        try:
            return read(value)
        except ValueError as exc:
            hidden = name in PASSWORD_VARIABLES or self._renderer.secret
            raise self.origin(name).fail(f"{name}: {'its value' if hidden else repr(value)} {exc}", _CORRECT) from None

    def origin(self, name: str) -> Origin:
        return self._variables.origins.get(name, Origin(""))


def make_target(
    name: str, host: str, variables: Variables, renderer: Renderer, overrides: Overrides = NO_OVERRIDES
) -> Target:
    """Return the Target ``name``, whose address is ``host`` unless the variables name another.

    Raises:
        HostConfigError: a value is encrypted or cannot be rendered, or asks for a connection that pfremote has not.
        ConfigError: a value is wrong.
    """
    reading = _Reading(variables, renderer, overrides.extra)
    below = overrides.fallbacks
    if host.startswith("-"):
        raise Origin("").fail(f"{host} cannot be a host name", "ssh would take it for an option; give it another name.")
    connection = _read_connection(reading)
    become_user = reading.get(_BECOME_USER, read_name, overrides.become_user) or below.become_user
    become_method = reading.get(("ansible_become_method",), read_word) or below.become_method
    become = reading.get(("ansible_become",), read_bool, True if overrides.become else None)
    return Target(
        name=name,
        host=reading.get(_HOST, read_name) or host,
        port=reading.get(_PORT, read_port),
        user=reading.get(_USER, read_name, overrides.user) or below.user,
        connection=connection,
        private_key=reading.get(_KEY, read_word, overrides.private_key) or below.private_key,
        ssh_common_args=_read_arguments(reading, below.ssh_args),
        become=below.become if become is None else become,
        become_user=become_user or "root",
        become_method=(become_method or "sudo").rpartition(".")[2],
        become_password=_read_become_password(reading, overrides),
        instance=reading.get(("pfremote_instance",), read_word, overrides.instance),
        vars=_read_vars(variables, reading),
    )


def _read_become_password(reading: _Reading, overrides: Overrides) -> Secret | None:
    """The inventory's password stays closed where the operator gives another."""
    typed = Secret("") if overrides.has_become_password else None
    found = reading.get(_BECOME_PASSWORD, _read_password, typed)
    return None if found is typed else found


def _read_password(value: object) -> Secret:
    return Secret(str(value))


def _read_arguments(reading: _Reading, below: tuple[str, ...]) -> tuple[str, ...]:
    words = list(below)
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
    raise reading.origin(name).refuse(
        f"pfremote has no connection of the kind {value}", "It has ssh and local; leave the host out."
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
