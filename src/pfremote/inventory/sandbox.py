"""Jinja2's sandbox with bounds: what a template comes to, and how long that takes.

The sandbox of Jinja2 keeps a template from reaching into Python, but ``{{ 'a' * 10 ** 10 }}`` would take all memory.
Every operation that can make a value larger is looked at before it is done, and all operations of one template
together may do so much work and no more. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache, partial, wraps
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateError, meta, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from pfremote.inventory.template_bounds import (
    MAX_WORK,
    WORK_LEFT,
    check,
    check_arguments,
    check_format,
    check_operation,
    check_product,
    check_sizes,
    join_parts,
    measure,
    spend,
)

#: Work of one turn of a loop, and of one call of a macro.
_STEP = 100

#: What a template may raise.
FAULTS = (
    *(TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError),
    *(AssertionError, MemoryError),
)

#: A template or expression as a function of variables, and the names that it asks for.
Compiled = tuple[Callable[..., object], frozenset[str]]

_TICK = "__tick__"
#: Filters whose numbers or texts say how large the result is.
_GROWING = (
    *("batch", "center", "format", "indent", "replace", "slice", "tojson", "truncate", "wordwrap", "round"),
    *("join", "urlize"),
)
#: Those whose number counts once for each line or item.
_INDENTING = ("indent", "tojson")
#: The filter that operands of ``in`` are sent through: a list is looked at from its beginning each time.
_SIZED = "__sized__"


class Sandbox(ImmutableSandboxedEnvironment):
    """The one environment of inventories and playbooks; unknown variables are errors."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, keep_trailing_newline=True, finalize=check)
        self.concat = join_parts  # type: ignore[method-assign]
        self.globals.pop("lipsum", None)
        self.globals[_TICK] = partial(spend, _STEP)
        for name, function in self.filters.items():
            self.filters[name] = _guard(function, growing=name in _GROWING, indenting=name in _INDENTING)
        self.filters[_SIZED] = check
        self.filters["sum"] = _guard_sum(self.filters["sum"])
        for name, test in self.tests.items():
            self.tests[name] = _guard(cast("Callable[..., Any]", test))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Make every concatenation a bounded one, and count every turn of a loop."""
        tree: nodes.Template = _Bounding().visit(super()._parse(source, name, filename))
        return tree

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Do one operation, if its result is not too large."""
        check_operation(operator, left, right)
        check(right)
        return check(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805  as in Jinja2
        """Call a method or function with arguments that are not too large."""
        check_arguments((*args, *kwargs.values()), getattr(__obj, "__self__", None))
        return check(super().call(__context, __obj, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return the bounded ``format`` of a text."""
        wrapped = super().wrap_str_format(value)
        return None if wrapped is None else _guard_format(wrapped, value.__self__)


class _Bounding(NodeTransformer):
    """Turns ``a ~ b`` into the filter ``join``, and lets loops and macros call :data:`_TICK` first."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  the name is Jinja2's
        items = [self.visit(part) for part in node.nodes]
        made: nodes.Node = nodes.Filter(nodes.List(items), "join", [], [], None, None, lineno=node.lineno)
        return made

    def visit_Operand(self, node: nodes.Operand) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if node.op in ("in", "notin"):
            node.expr = nodes.Filter(node.expr, _SIZED, [], [], None, None, lineno=node.lineno)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        return self._count(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        return self._count(node)

    def _count(self, node: nodes.For | nodes.Macro) -> nodes.Node:
        self.generic_visit(node)
        call = nodes.Call(nodes.Name(_TICK, "load"), [], [], None, None, lineno=node.lineno)
        node.body.insert(0, nodes.ExprStmt(call, lineno=node.lineno))
        return node


@cache
def sandbox() -> Sandbox:
    """Return the one environment of the process."""
    return Sandbox()


@lru_cache(maxsize=1024)
def compile_text(text: str) -> Compiled:
    """Return a text with templates in it as a function of variables, and the names that it asks for.

    Raises:
        TemplateError: its syntax is wrong.
    """
    names = meta.find_undeclared_variables(sandbox().parse(text))
    return sandbox().from_string(text).render, frozenset(names)


def _guard_format(function: Callable[..., str], text: str) -> Callable[..., str]:
    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> str:
        check_format(text)
        return function(*args, **kwargs)

    return guarded


def _guard(function: Callable[..., Any], *, growing: bool = False, indenting: bool = False) -> Callable[..., Any]:
    """Return a filter or test that looks at its arguments first, and at its result."""

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        values = [*args, *kwargs.values()]
        for value in values:
            check(value)
        if growing:
            check_sizes(values, indenting=indenting)
        return check(function(*args, **kwargs))

    return guarded


def _guard_sum(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``sum``, which adds lists one to the other and copies all of them each time."""

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            if isinstance(value, list | tuple) and any(isinstance(item, list | tuple | str) for item in value):
                check_product(len(value), measure(value))
        return function(*args, **kwargs)

    return guarded


def run_bounded(function: Callable[..., object], **values: object) -> object:
    """Call a compiled template or expression.

    Raises:
        TemplateError: it fails, takes too long, or its result is too long.
    """
    token = WORK_LEFT.set(MAX_WORK)
    try:
        return check(function(**values))
    finally:
        WORK_LEFT.reset(token)
