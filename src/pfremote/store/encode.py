"""Values of this program as JSON, by their fields; times and odd text among them. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from pfremote.model.secret import KNOWN_SECRETS
from pfremote.text.times import format_time

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(value: object) -> Any:
    """Return ``value`` as what :mod:`json` writes: data classes by field, times as RFC 3339 text.

    Raises:
        TypeError: a value that has no business in a run folder, a :class:`~pfremote.model.secret.Secret` above all.
    """
    # What a transcript is made of comes first: it has a thousand of them.
    kind = type(value)
    if kind is str:
        return storable(value)  # type: ignore[arg-type]
    if value is None or kind is int or kind is float or kind is bool:
        return value
    if kind is datetime:
        return encode_time(value)
    if kind is dict:
        return {storable(str(key)): to_json(item) for key, item in value.items()}  # type: ignore[attr-defined]
    if kind is list or kind is tuple:
        return [to_json(item) for item in value]  # type: ignore[attr-defined]
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Enum):
        return to_json(value.value)
    return _object_to_json(value)


def _object_to_json(value: object) -> Any:
    kind: Any = type(value)
    if (names := _field_names(kind)) is not None:
        return {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, datetime):
        return encode_time(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, PurePath):
        return storable(str(value))
    if isinstance(value, bytes):
        return storable(value.decode("utf-8", "surrogateescape"))
    if isinstance(value, Mapping):
        return {storable(str(key)): to_json(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((to_json(item) for item in value), key=str)
    if isinstance(value, Sequence):
        return [to_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} is not stored")


@lru_cache
def _field_names(kind: type) -> tuple[str, ...] | None:
    """Return the fields of a data class; None of another."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


@lru_cache
def encode_time(time: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with microseconds, or None."""
    return None if time is None else format_time(time, "microseconds")


def decode_time(text: object) -> datetime | None:
    """Read what :func:`encode_time` wrote; any offset is accepted, none is not.

    Raises:
        ValueError, TypeError: it is no such time.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not a time")
    return _read_time(text)


@lru_cache
def _read_time(text: str) -> datetime:
    # Lines of one second follow each other.
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"time without offset {text!r}")
    return time.astimezone(UTC)


def storable(text: str) -> str:
    """Return ``text`` without known secrets, and without lone surrogates, which UTF-8 cannot hold: byte 0xff becomes
    ``\\xff``."""
    text = KNOWN_SECRETS.mask(text)
    return text if text.isascii() else _SURROGATE.sub(_name_surrogate, text)


def _name_surrogate(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
