"""Render ``{{ … }}`` in inventory values with Jinja2's sandbox; only those values that pfremote needs."""

from __future__ import annotations

from collections.abc import Mapping

from pfremote.errors import ConfigError
from pfremote.inventory.graph import Variables
from pfremote.inventory.values import Encrypted, Origin, Unsafe

_MARKS = ("{{", "{%", "{#")


def is_template(value: object) -> bool:
    """Tell whether a value is a text with a template in it."""
    return isinstance(value, str) and not isinstance(value, Unsafe) and any(mark in value for mark in _MARKS)


class Renderer:
    """Renders the variables of one host. ``magic`` are names such as ``inventory_hostname``."""

    def __init__(self, variables: Variables, magic: Mapping[str, object]) -> None:
        self._variables = variables
        self._magic = magic
        self._pending: list[str] = []

    def value(self, name: str) -> object:
        """Return a variable with its templates rendered.

        Raises:
            ConfigError: it is encrypted, or its template cannot be rendered; with where it was written.
            KeyError: there is no such variable.
        """
        if name in self._magic:
            return self._magic[name]
        value = self._variables.values[name]
        origin = self._variables.origins[name]
        if name in self._pending:
            chain = " → ".join([*self._pending, name])
            raise _fail(f"{name} needs itself: {chain}", origin, "Give one of them a value without a template.")
        self._pending.append(name)
        try:
            return self._render(value, name, origin)
        finally:
            self._pending.pop()

    def _render(self, value: object, name: str, origin: Origin) -> object:
        if isinstance(value, Encrypted):
            raise _fail(
                f"{name} is encrypted, and pfremote has no vault password",
                origin,
                "-K asks for the become password, --private-key names a key file, ssh_config holds the rest.",
            )
        if isinstance(value, list):
            return [self._render(item, name, origin) for item in value]
        if isinstance(value, dict):
            return {key: self._render(item, name, origin) for key, item in value.items()}
        return self._render_text(str(value), name, origin) if is_template(value) else value

    def _render_text(self, text: str, name: str, origin: Origin) -> str:
        # Imported here: few inventories have a template, and jinja2 would cost every run its start-up time.
        from jinja2 import StrictUndefined, TemplateError, meta
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
        try:
            wanted = meta.find_undeclared_variables(environment.parse(text))
            known = {need: self.value(need) for need in sorted(wanted) if self._has(need)}
            return environment.from_string(text).render(known)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as exc:
            raise _fail(
                f"{name} cannot be rendered: {exc}",
                origin,
                "Ansible's own filters and lookups are not known here; write the plain value for pfremote.",
            ) from exc

    def _has(self, name: str) -> bool:
        return name in self._magic or name in self._variables.values


def _fail(message: str, origin: Origin, hint: str) -> ConfigError:
    return ConfigError(message, file=origin.file, line=origin.line, path=origin.path, hint=hint)
