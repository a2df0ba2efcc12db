"""Variables and ``{{ … }}`` of a playbook, in Jinja2's sandbox. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, Undefined, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pfremote.errors import ConfigError, UsageError
from pfremote.inventory.graph import Variables
from pfremote.inventory.templates import Renderer, is_template
from pfremote.inventory.values import Origin
from pfremote.playbook.tree import Place

#: A text that is one expression and nothing else keeps the type of its value: a number, a list.
_WHOLE = re.compile(r"\s*\{\{-?((?:(?!\{\{|\}\}|\{%).)+?)-?\}\}\s*", re.DOTALL)
_FAULTS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)

Compiled = tuple[Callable[..., object], frozenset[str]]


@cache
def environment() -> ImmutableSandboxedEnvironment:
    """Return the one sandbox of all playbooks."""
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Compiled:
    """Return an expression as a function of variables, and the names that it asks for.

    Raises:
        TemplateError: it is no expression.
    """
    # The parser is asked for the names first, and would read what follows a closing brace as a template.
    compiled = environment().compile_expression(text, undefined_to_none=False)
    return compiled, frozenset(meta.find_undeclared_variables(environment().parse("{{ (" + text + "\n) }}")))


@lru_cache(maxsize=1024)
def compile_template(text: str) -> Compiled:
    """Return a text with templates in it as a function of variables, and the names that it asks for.

    Raises:
        TemplateError: its syntax is wrong.
    """
    if whole := _WHOLE.fullmatch(text):
        return compile_expression(whole[1].strip())
    names = meta.find_undeclared_variables(environment().parse(text))
    return environment().from_string(text).render, frozenset(names)


class Values:
    """The variables of one host, or of a play as a whole. Later layers win."""

    def __init__(self, *layers: Variables, magic: Mapping[str, object] | None = None) -> None:
        self._variables = Variables()
        for layer in layers:
            self._variables.update(layer)
        self._magic = dict(magic or {})
        self._renderer = Renderer(self._variables, self._magic)

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
            known = {name: self._renderer.value(name) for name in sorted(names - facts.keys()) if self._has(name)}
            result = function(**known, **{name: facts[name] for name in names & facts.keys()})
            return str(result) if isinstance(result, Undefined) else result
        except _FAULTS as exc:
            missing = re.match(r"'(\w+)' is undefined", str(exc))
            hint = f"Set it with -e {missing[1]}=VALUE or below vars." if missing else "Check the template."
            shown = f"{missing[1]} is not set" if missing else f"this cannot be rendered: {exc}"
            raise UsageError(shown, hint=hint) from exc

    def _has(self, name: str) -> bool:
        return name in self._magic or name in self._variables.values


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
