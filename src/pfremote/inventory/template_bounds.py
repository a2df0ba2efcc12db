"""What the parts of a template may come to: sizes are reckoned before anything is made, all work is counted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sized
from contextvars import ContextVar
from typing import Any

from jinja2.exceptions import SecurityError

#: Characters or items of any value on the way to the result. A host's longest variable is some hundred.
MAX_SIZE = 1_000_000
#: Bits of a whole number.
MAX_BITS = 10_000
#: Work of one template: a step for each turn of a loop and each call of a macro, and the size of all values between.
MAX_WORK = 10_000_000
#: What it costs to look at one item.
_LOOK = 4
WORK_LEFT: ContextVar[int] = ContextVar("work", default=MAX_WORK)
#: A width or precision in a format; with four digits it is longer than any line of a log.
_WIDTH = re.compile(r"[0-9]{5,}|\*")
_NUMBER = re.compile(r"[0-9]+")
TOO_LONG = "the value is too long"
TOO_SLOW = "it takes too long"


def spend(work: int) -> None:
    """Take work off what the template has left.

    Raises:
        SecurityError: there is none left.
    """
    left = WORK_LEFT.get() - work
    if left < 0:
        raise SecurityError(TOO_SLOW)
    WORK_LEFT.set(left)


def check(value: Any) -> Any:
    """Return the value, if it is not too large with all that is in it, however often a part is in it."""
    size = steps = 0
    waiting = [value]
    while waiting:
        part = waiting.pop()
        steps += _LOOK
        if isinstance(part, str | bytes):
            size += len(part)
        elif isinstance(part, list | tuple | set):
            size += len(part)
            waiting += part if size <= MAX_SIZE else ()
        elif isinstance(part, dict):
            size += len(part)
            waiting += [*part, *part.values()] if size <= MAX_SIZE else ()
        if size > MAX_SIZE:
            raise SecurityError(TOO_LONG)
    spend(size + steps)
    return value


def check_operation(operator: str, left: Any, right: Any) -> None:
    """Raise SecurityError where an operation would make too large a value."""
    if operator == "*":
        for many, number in ((left, right), (right, left)):
            if isinstance(many, Sized) and isinstance(number, int) and len(many) * number > MAX_SIZE:
                raise SecurityError(TOO_LONG)
    if operator == "%" and isinstance(left, str):
        check_format(left)
    whole = isinstance(left, int) and isinstance(right, int)
    if operator == "**" and whole and left.bit_length() * abs(right) > MAX_BITS:
        raise SecurityError(TOO_LONG)
    if operator == "*" and whole and left.bit_length() + right.bit_length() > MAX_BITS:
        raise SecurityError(TOO_LONG)


def check_format(text: str) -> None:
    """Raise SecurityError where a format has widths that come to too much."""
    if _WIDTH.search(text) or sum(map(int, _NUMBER.findall(text))) > MAX_SIZE:
        raise SecurityError(TOO_LONG)


def check_arguments(values: tuple[Any, ...], owner: Any) -> None:
    """Raise SecurityError where a method of ``owner`` would make too large a value of these arguments."""
    for value in values:
        check(value)
    if isinstance(owner, str | bytes | int):
        _check_numbers(values)
    if isinstance(owner, str):
        check_product(owner.count("\t"), max((value for value in values if isinstance(value, int)), default=0))
        # A part of one may come in for each character of the other: replace, join, translate, format.
        check_product(len(owner), max(map(measure, values), default=0))
        if "{" in owner:
            check_product(owner.count("{"), max((value for value in values if isinstance(value, int)), default=0))


def _check_numbers(values: Iterable[Any]) -> None:
    if any(isinstance(value, int) and abs(value) > MAX_SIZE for value in values):
        raise SecurityError(TOO_LONG)


def measure(value: Any) -> int:
    """Return the size of a value that was checked: characters, and items with all that is in them."""
    if isinstance(value, str | bytes | range):
        return len(value)
    if isinstance(value, dict):
        return sum(map(measure, (*value, *value.values()))) + len(value)
    return sum(map(measure, value)) + len(value) if isinstance(value, list | tuple | set) else 0


def check_product(one: int, other: int) -> None:
    """``'aaa'.replace('a', LONG)`` and ``LONG.join('aaa')`` make a text as long as the product."""
    if one * other > MAX_SIZE * 10:
        raise SecurityError(TOO_LONG)


def check_sizes(values: list[Any], *, indenting: bool) -> None:
    """Raise SecurityError where a filter would; its number counts for each line or item where it is ``indenting``."""
    _check_numbers(values)
    # The environment and the like come first with some filters.
    first, *others = [value for value in values if isinstance(value, str | list | tuple | dict | set | range)] or [""]
    check_product(measure(first) + 1, max(map(measure, others), default=0))
    if indenting:
        check_product(measure(first) + 1, max((value for value in values if isinstance(value, int)), default=0))
    for text in (value for value in values if isinstance(value, str)):
        check_format(text if "%" in text else "")


def join_parts(parts: Iterable[str]) -> str:
    """Return the text of a template's parts, if it is not too long."""
    kept: list[str] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > MAX_SIZE:
            raise SecurityError(TOO_LONG)
        kept.append(part)
    return "".join(kept)
