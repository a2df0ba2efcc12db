"""Variables and ``{{ … }}`` of a playbook, in Jinja2's sandbox. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Undefined, meta, nodes

from pfremote.errors import ConfigError, UsageError
from pfremote.inventory.graph import Variables
from pfremote.inventory.sandbox import FAULTS, Compiled, compile_text, run_bounded, sandbox
from pfremote.inventory.templates import Renderer, explain_lack, is_template
from pfremote.inventory.values import Origin
from pfremote.inventory.vault_keys import NO_KEYS, VaultKeys
from pfremote.model.secret import KNOWN_SECRETS
from pfremote.playbook.tree import Place

#: A text that is one expression and nothing else keeps the type of its value: a number, a list.
_WHOLE = re.compile(r"\s*\{\{-?((?:(?!\{\{|\}\}|\{%).)+?)-?\}\}\s*", re.DOTALL)


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Compiled:
    """Return an expression as a function of variables, and the names that it asks for.

    Raises:
        TemplateError: it is no expression.
    """
    compiled = sandbox().compile_expression(text, undefined_to_none=False)
    return compiled, frozenset(meta.find_undeclared_variables(parse_expression(text)))


def parse_expression(text: str) -> nodes.Template:
    """Return the tree of an expression that can be compiled; of any other text it may be that of something else."""
    return sandbox().parse("{{ (" + text + "\n) }}")


def compile_template(text: str) -> Compiled:
    """Return a text with templates in it as a function of variables, and the names that it asks for.

    Raises:
        TemplateError: its syntax is wrong.
    """
    whole = _WHOLE.fullmatch(text)
    return compile_expression(whole[1].strip()) if whole else compile_text(text)


class Values:
    """The variables of one host, or of a play as a whole. Later layers win."""

    def __init__(
        self, *layers: Variables, magic: Mapping[str, object] | None = None, keys: VaultKeys = NO_KEYS
    ) -> None:
        self._variables = Variables()
        for layer in layers:
            self._variables.update(layer)
        self._renderer = Renderer(self._variables, dict(magic or {}), keys)

    def has(self, name: str) -> bool:
        """Tell whether there is such a variable."""
        return self._renderer.has(name)

    def names(self) -> list[str]:
        """Return the names of all variables."""
        return self._renderer.names()

    def find_fault(self, name: str) -> ConfigError | None:
        """Return what keeps a variable from being rendered."""
        try:
            self._renderer.value(name)
        except ConfigError as exc:
            return exc
        return None

    def render(self, text: str) -> object:
        """Return what a text with templates comes to; a lone ``{{ name }}`` keeps its value's type.

        Raises:
            UsageError: a variable is not set, or the template is wrong.
            ConfigError: the template of a variable that it needs is wrong, or its value is encrypted.
        """
        return self._call(compile_template, text, {})

    def evaluate(self, text: str, facts: Mapping[str, object]) -> object:
        """Return the value of an expression over the variables and ``facts``, which go first.

        Raises:
            UsageError, ConfigError: as :meth:`render`.
        """
        return self._call(compile_expression, text, facts)

    def _call(self, compiler: Callable[[str], Compiled], text: str, facts: Mapping[str, object]) -> object:
        try:
            function, names = compiler(text)
            values = {name: self._renderer.value(name) for name in sorted(names - facts.keys()) if self.has(name)}
            values |= {name: facts[name] for name in names & facts.keys()}
            result = run_bounded(function, **values)
            return str(result) if isinstance(result, Undefined) else result
        except FAULTS as exc:
            said = KNOWN_SECRETS.mask(str(getattr(exc, "message", None) or exc))
            missing = re.match(r"'(\w+)' is undefined", said)
            hint = f"Set it with -e {missing[1]}=VALUE or below vars." if missing else "Check the template."
            shown = f"{missing[1]} is not set" if missing else f"this cannot be rendered: {explain_lack(said) or said}"
            raise UsageError(shown, hint=hint) from exc


def layer(values: Mapping[str, object], origin: Callable[[str], Origin]) -> Variables:
    """Return variables as a layer; ``origin`` says where each was written."""
    return Variables(dict(values), {name: origin(name) for name in values})


def has_template(value: object) -> bool:
    """Tell whether there is a template anywhere in ``value``."""
    if isinstance(value, dict):
        return any(has_template(item) for item in value.values())
    return any(has_template(item) for item in value) if isinstance(value, list) else is_template(value)


Fault = tuple[Place, UsageError | ConfigError]


def render_deep(value: object, place: Place, values: Values, faults: list[Fault]) -> Any:
    """Return ``value`` with its templates rendered; what cannot be goes to ``faults`` and stays as it is."""
    if isinstance(value, dict):
        return {key: render_deep(item, (*place, key), values, faults) for key, item in value.items()}
    if isinstance(value, list):
        return [render_deep(item, (*place, number), values, faults) for number, item in enumerate(value)]
    if not isinstance(value, str) or not is_template(value):
        return value
    try:
        return values.render(value)
    except (UsageError, ConfigError) as exc:
        faults.append((place, exc))
        return value
