"""The plain values of a playbook: how each is read, and what JSON Schema says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from pydantic_core.core_schema import ValidationInfo

from pfremote.errors import UsageError
from pfremote.inventory.option_values import GUARDS
from pfremote.inventory.templates import is_template
from pfremote.playbook.condition import FACTS
from pfremote.text.quantities import parse_duration, parse_percent, parse_size

#: The validation context in which a template stands for a value that is not known yet.
DRAFT = "draft"

_TEMPLATE = {"type": "string", "pattern": r"\{\{|\{%", "description": "a template"}
_DURATION = r"^(?=[0-9])([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
_MINUTES = r"^(?=[0-9])([0-9]+|([0-9]+h)?([0-9]+m)?([0-9]+s)?)$"


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: typing wants a hash
class Scalar:
    """Marks a field of the schema: ``read`` returns the value or raises UsageError."""

    read: Callable[[object], object]
    schema: Mapping[str, Any]
    template: bool = True

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let :meth:`read` alone decide, whatever the annotated type."""
        return core_schema.with_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the description, a template being allowed beside it."""
        if not self.template or self.schema == TEXT.schema:
            return dict(self.schema)
        return {"anyOf": [dict(self.schema), _TEMPLATE]}

    def _check(self, value: object, info: ValidationInfo) -> object:
        if self.template and info.context == DRAFT and is_template(value):
            return value
        try:
            return self.read(value)
        except UsageError as exc:
            raise PydanticCustomError("playbook", "{message}", {"message": exc.message, "hint": exc.hint}) from exc


@dataclass(frozen=True, slots=True)
class BatchSize:
    """An item of ``serial``: a number of hosts, or a percentage of the play's hosts."""

    number: int
    percent: bool = False


def read_text(value: object) -> str:
    """Return a text that is not empty; a number is taken as written."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and value.strip():
        if all(char.isprintable() or char in "\n\t" for char in value):
            return value
        raise UsageError("there is a control character in this text", hint="Remove it.")
    raise UsageError(f"{_show(value)} is no text", hint="Write a text that is not empty, in quotes.")


def read_flag(value: object) -> bool:
    """Return a truth value; ``yes`` and the like from a variable count."""
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise UsageError(f"{_show(value)} is neither true nor false", hint="Write true or false.")


def read_number(low: int, high: int) -> Callable[[object], int]:
    """Return a reader of whole numbers from ``low`` to ``high``."""

    def read(value: object) -> int:
        text = str(value).strip()
        if not isinstance(value, bool) and re.fullmatch(r"[0-9]{1,9}", text) and low <= int(text) <= high:
            return int(text)
        wanted = f"a whole number from {low} to {high}" if high < 10**6 else f"a whole number from {low} on"
        raise UsageError(f"{_show(value)} is not {wanted}", hint=f"Write {wanted}.")

    return read


def read_seconds(value: object) -> int:
    """Return seconds from a duration in which a bare number means minutes."""
    return parse_duration(_plain(value))


def read_drain(value: object) -> int:
    """Return seconds. A bare number is refused: minutes with ``--drain``, it is seconds in an inventory."""
    text = _plain(value)
    if text.strip().isdecimal():
        raise UsageError(f"{text} lacks a unit", hint=f"Write {text}s or {text}m.")
    return parse_duration(text, cap=600)


def read_size(value: object) -> int:
    """Return bytes."""
    return parse_size(_plain(value))


def read_percent(value: object) -> int:
    """Return a whole percentage."""
    return parse_percent(_plain(value))


def read_share(value: object) -> float:
    """Return a percentage from 0 to 100, maybe with a fraction."""
    text = _plain(value).strip().removesuffix("%").strip()
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", text) and float(text) <= 100:
        return float(text)
    raise UsageError(f"{_show(value)} is no percentage", hint="Write a number from 0 to 100.")


def read_batch_size(value: object) -> BatchSize:
    """Return an item of ``serial``."""
    text = _plain(value).strip()
    number, percent = text.removesuffix("%").strip(), text.endswith("%")
    if re.fullmatch(r"[0-9]{1,6}", number) and 1 <= int(number) <= (100 if percent else 10**6):
        return BatchSize(int(number), percent)
    raise UsageError(f"{_show(value)} is no batch size", hint='Write a number of hosts such as 2, or "30%".')


def read_choice(*words: str) -> Callable[[object], str]:
    """Return a reader of one of ``words``."""

    def read(value: object) -> str:
        if value in words:
            return str(value)
        raise UsageError(f"{_show(value)} is none of {', '.join(words)}", hint="Write one of them.")

    return read


def read_webhook(value: object) -> str:
    """Return an address that a notice can be posted to."""
    text = read_text(value)
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or any(char.isspace() for char in text):
        raise UsageError("this is no http or https address", hint="Write https://HOST/PATH.")
    if "@" in parts.netloc:
        raise UsageError(
            "there is a user or password in this address",
            hint="Let a command send it: it can read the password from a file of its own.",
        )
    return text


def read_variable_name(value: object) -> str:
    """Return the name of a variable; those that pfremote or Ansible act on belong elsewhere."""
    if not isinstance(value, str) or not value.isidentifier():
        raise UsageError(f"{_show(value)} is no variable name", hint="Use letters, digits and underscores.")
    if value.startswith(("pfremote_", "ansible_")):
        raise UsageError(f"{value} has no effect in a playbook", hint="Set it in the inventory.")
    if value in FACTS:
        raise UsageError(f"{value} is the name of a fact", hint="Call the variable something else.")
    return value


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"{_show(value)} is no plain value", hint="Write a number or a text.")
    return str(value)


def _show(value: object) -> str:
    if value is None:
        return "an empty value"
    if isinstance(value, list | tuple):
        return "a list"
    return "a mapping" if isinstance(value, dict) else repr(value)


def _whole(low: int, high: int | None = None) -> dict[str, Any]:
    limits = {"minimum": low} if high is None else {"minimum": low, "maximum": high}
    return {"type": "integer", **limits}


TEXT = Scalar(read_text, {"type": ["string", "number"], "minLength": 1})
FLAG = Scalar(read_flag, {"type": "boolean"})
LEVEL = Scalar(read_number(1, 3), _whole(1, 3))
TLS_LEVEL = Scalar(read_number(0, 4), _whole(0, 4))
COUNT = Scalar(read_number(1, 10**9), _whole(1))
SECONDS = Scalar(read_number(1, 300), _whole(1, 300))
MINUTES = Scalar(read_seconds, {"anyOf": [_whole(1), {"type": "string", "pattern": _MINUTES}]})
DRAIN = Scalar(read_drain, {"type": "string", "pattern": _DURATION})
SIZE = Scalar(read_size, {"anyOf": [_whole(1), {"type": "string", "pattern": r"^[0-9]+\s*[KMGTkmgt]?(i?[Bb])?$"}]})
PERCENT = Scalar(read_percent, {"anyOf": [_whole(0, 99), {"type": "string", "pattern": r"^[0-9]{1,2}\s*%?$"}]})
SHARE = Scalar(
    read_share,
    {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 100},
            {"type": "string", "pattern": r"^[0-9.]+\s*%$"},
        ]
    },
)
BATCH = Scalar(read_batch_size, {"anyOf": [_whole(1), {"type": "string", "pattern": r"^[0-9]{1,3}\s*%$"}]})
GUARD = Scalar(read_choice(*GUARDS), {"enum": list(GUARDS)})
WEBHOOK = Scalar(read_webhook, {"type": "string", "pattern": "^https?://"})
VARIABLE_NAME = Scalar(read_variable_name, {"type": "string"}, template=False)
