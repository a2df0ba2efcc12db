"""``when``: a condition over a host's facts and variables, decided in Jinja2's sandbox. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from jinja2 import TemplateError, nodes

from pfremote.errors import UsageError
from pfremote.inventory.sandbox import sandbox
from pfremote.model.facts import Facts
from pfremote.playbook.templates import Values, compile_expression, parse_expression

#: What a condition may ask of a host, and what it means. The same on every operating system.
FACTS = {
    "version": "Postfix's mail_version, a text such as 3.7.11; compare it with the test version",
    "config_directory": "the instance's configuration directory",
    "myhostname": "Postfix's own host name",
    "log": "where this Postfix logs: journal, or file:/path",
    "guards": "list of the guards that the host has: systemd, cron, at, process",
    "running": "true where Postfix is running",
}

#: Tests and filters for a name that may be missing.
_ASKING = frozenset({"default", "d", "defined", "undefined"})
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    **{">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt},
    **{"==": operator.eq, "!=": operator.ne, "ge": operator.ge, "gt": operator.gt},
    **{"le": operator.le, "lt": operator.lt, "eq": operator.eq, "ne": operator.ne},
}
_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def read_condition(value: object) -> str:
    """Return a condition that can be compiled; ``true`` and ``false`` count as such.

    Raises:
        UsageError: it cannot.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str) or not value.strip():
        raise UsageError("this is no condition", hint="Write one such as: version is version('3.6', '>=').")
    if "{{" in value or "{%" in value:
        raise UsageError("a condition is an expression already", hint="Leave out the braces.")
    try:
        compile_expression(value)
    except TemplateError as exc:
        raise UsageError(f"this condition cannot be understood: {exc}", hint="Check its brackets and quotes.") from exc
    return value


def describe_facts(facts: Facts) -> dict[str, object]:
    """Return the values behind :data:`FACTS` for one host."""
    return {
        "version": facts.version,
        "config_directory": facts.config_directory,
        "myhostname": facts.myhostname,
        "log": facts.log,
        "guards": list(facts.guards),
        "running": facts.running,
    }


def find_false(conditions: Sequence[str], values: Values, facts: Mapping[str, object]) -> str:
    """Return the first condition that is false on this host, or an empty text where all hold.

    Raises:
        UsageError: one cannot be decided: an unknown name, or something that is neither true nor false.
    """
    for text in conditions:
        result = values.evaluate(text, facts)
        if not isinstance(result, bool):
            raise UsageError(
                f"when: {text} is neither true nor false but {result!r}",
                hint=f"Compare it with something, or write: {text} | bool.",
            )
        if not result:
            return text
    return ""


def find_names(text: str) -> frozenset[str]:
    """Return the names that a condition needs; one that it asks after (``is defined``, ``default``) may be missing.

    >>> sorted(find_names("a > 1 and (b | default(2)) and (c is not defined or c)"))
    ['a']
    """
    _, names = compile_expression(text)
    asked: set[str] = set()
    for found in parse_expression(text).find_all((nodes.Test, nodes.Filter)):
        if found.name in _ASKING and isinstance(found.node, nodes.Name):
            asked.add(found.node.name)
    return names - asked - sandbox().globals.keys()


def compare_versions(value: object, other: object, comparison: str = "==") -> bool:
    """Tell whether two versions of Postfix compare like that; a snapshot or candidate counts as its release.

    >>> compare_versions("3.10.2", "3.6", ">="), compare_versions("3.9-20240101", "3.9")
    (True, True)
    """
    if comparison not in _COMPARISONS:
        raise TemplateError(f"{comparison!r} is none of {', '.join(_COMPARISONS)}")
    pairs = tuple(zip_longest(_numbers(value), _numbers(other), fillvalue=0))
    return _COMPARISONS[comparison](tuple(mine for mine, _ in pairs), tuple(theirs for _, theirs in pairs))


def _numbers(value: object) -> tuple[int, ...]:
    found = re.match(r"[0-9]{1,9}(?:\.[0-9]{1,9})*", str(value))
    if found is None:
        raise TemplateError(f"{value!r} is no version")
    return tuple(int(number) for number in found[0].split("."))


def _read_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return _WORDS[str(value).strip().lower()]
    except KeyError as exc:
        raise TemplateError(f"{value!r} is neither true nor false") from exc


sandbox().tests["version"] = compare_versions
sandbox().filters["bool"] = _read_bool
