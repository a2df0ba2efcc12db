"""Render ``{{ … }}`` in inventory values with Jinja2's sandbox; only those values that pfremote needs. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pfremote.errors import ConfigError
from pfremote.inventory.graph import Variables
from pfremote.inventory.values import PASSWORD_VARIABLES, Encrypted, Origin, Unsafe
from pfremote.inventory.vault_keys import NO_KEYS, VaultKeys, note_secrets
from pfremote.model.secret import KNOWN_SECRETS

_MARKS = ("{{", "{%", "{#")
_UNDEFINED = re.compile(r"'(\w+)' is undefined")
_NO_ENTRY = re.compile(r"'pfremote\.inventory\.hostvars\.(\w+) object' has no attribute '(.*)'")
#: Classes of pfremote.inventory.hostvars -> what it means that they lack a name.
_LACK = {
    "OneHost": "that host has no variable {}",
    "HostVars": "{} is no host of the inventory",
    "Members": "{} is no group of the inventory",
}
#: What templates call that only Ansible has.
_LOOKUPS = frozenset({"lookup", "query", "q", "ansible_facts", "vars"})


def is_template(value: object) -> bool:
    """Tell whether a value is a text with a template in it."""
    return isinstance(value, str) and not isinstance(value, Unsafe) and any(mark in value for mark in _MARKS)


def explain_lack(said: str) -> str:
    """Return in our words what Jinja says of a name that ``hostvars`` or ``groups`` lacks; else the empty text."""
    lack = _NO_ENTRY.match(said)
    return _LACK[lack[1]].format(lack[2]) if lack else ""


class Renderer:
    """Renders the variables of one host. ``magic`` are names such as ``inventory_hostname``.

    ``secret`` tells whether anything that was encrypted has been rendered so far.
    """

    def __init__(self, variables: Variables, magic: Mapping[str, object], keys: VaultKeys = NO_KEYS) -> None:
        self.secret = False
        self._variables = variables
        self._magic = magic
        self._keys = keys
        self._pending: list[str] = []

    def value(self, name: str) -> object:
        """Return a variable with its templates rendered and its secrets decrypted.

        Raises:
            HostConfigError: it is encrypted without a password for it, or its template cannot be rendered.
            ConfigError: it cannot be decrypted; with where it was written.
            KeyError: there is no such variable.
        """
        if name in self._magic:
            return self._magic[name]
        value = self._variables.values[name]
        origin = self._variables.origins[name]
        if name in self._pending:
            chain = " → ".join([*self._pending, name])
            raise origin.refuse(f"{name} needs itself: {chain}", "Give one of them a value without a template.")
        self.secret = self.secret or origin.secret
        self._pending.append(name)
        try:
            return self._render(value, name, origin)
        finally:
            self._pending.pop()

    def has(self, name: str) -> bool:
        """Tell whether there is such a variable."""
        return name in self._magic or name in self._variables.values

    def names(self) -> list[str]:
        """Return the names of all variables."""
        return [*self._variables.values, *self._magic]

    def _render(self, value: object, name: str, origin: Origin) -> object:
        if isinstance(value, Encrypted):
            return self._unlock(value, name, origin)
        if isinstance(value, list):
            return [self._render(item, name, origin) for item in value]
        if isinstance(value, dict):
            return {key: self._render(item, name, origin) for key, item in value.items()}
        return self._render_text(str(value), name, origin) if is_template(value) else value

    def _unlock(self, value: Encrypted, name: str, origin: Origin) -> str:
        instead = f"-e {name}=VALUE replaces the value"
        if name in PASSWORD_VARIABLES:
            instead = "-K asks for the sudo password instead"
        plain = self._keys.unlock(value.ciphertext, name, origin, instead)
        self.secret = True
        note_secrets(plain)
        return plain

    def _render_text(self, text: str, name: str, origin: Origin) -> str:
        # Imported here: few inventories have a template, and jinja2 would cost every run its start-up time.
        from pfremote.inventory.sandbox import FAULTS, compile_text, run_bounded

        try:
            function, wanted = compile_text(text)
            known = {need: self.value(need) for need in sorted(wanted) if self.has(need)}
            rendered = str(run_bounded(function, **known))
        except FAULTS as exc:
            raise self._explain(exc, name, origin) from exc
        if self.secret and name in PASSWORD_VARIABLES:
            note_secrets(rendered)
        return rendered

    def _explain(self, exc: Exception, name: str, origin: Origin) -> ConfigError:
        said = KNOWN_SECRETS.mask(str(getattr(exc, "message", None) or exc))
        missing = _UNDEFINED.match(said)
        if lack := explain_lack(said):
            return origin.refuse(f"{name} cannot be rendered: {lack}", f"Correct it, or give -e {name}=VALUE.")
        if missing is None:
            return origin.refuse(
                f"{name} cannot be rendered: {said if not self.secret else type(exc).__name__}",
                "Ansible's own filters and lookups are not known here; write the plain value for pfremote.",
            )
        if missing[1] in _LOOKUPS:
            hint = f"Lookups are Ansible's alone; give the value with -e {name}=VALUE, or write it plainly."
            return origin.refuse(f"{name} cannot be rendered: {missing[1]} is not known here", hint)
        where = ", ".join(self._variables.sealed)
        if where:
            hint = "Open it with: -J, or --vault-password-file FILE"
            hint += ", -K asks for the sudo password instead." if name in PASSWORD_VARIABLES else "."
            said = f"{missing[1]} is not set; it may be in the encrypted {where}"
            return origin.refuse(f"{name} cannot be rendered: {said}", hint)
        hint = f"Set it in the inventory, or with -e {missing[1]}=VALUE."
        return origin.refuse(f"{name} cannot be rendered: {missing[1]} is not set", hint)
