"""Read the value of a setting, as it stands in a file or in the environment."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from pfremote.config.keys import Kind
from pfremote.errors import UsageError
from pfremote.text.quantities import parse_duration

_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1", "y", "t"), True),
    **dict.fromkeys(("false", "no", "off", "0", "n", "f"), False),
}


def read_value(kind: Kind, value: object, folder: Path) -> Any:
    """Return the value; a relative path is taken from ``folder``.

    Raises:
        UsageError: it is not of this kind.
    """
    if kind == "flag":
        return _read_flag(value)
    if kind == "number":
        return _read_number(value)
    text = _read_text(value)
    if kind == "path":
        return _resolve(text, folder)
    if kind == "paths":
        return tuple(_resolve(part.strip(), folder) for part in text.split(",") if part.strip())
    if kind == "words":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind == "options":
        return _check_options(text)
    return parse_duration(text) if kind == "duration" else text


def _check_options(text: str) -> str:
    try:
        shlex.split(text)
    except ValueError as exc:
        hint = "Write it as you would type it to a shell, with both quotes."
        raise UsageError(f"{text!r} cannot be taken apart: {str(exc).lower()}", hint=hint) from exc
    return text


def _read_flag(value: object) -> bool:
    word = str(value).strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    raise UsageError(f"{value!r} is not yes or no", hint="Write yes or no.")


def _read_number(value: object) -> int:
    text = str(value).strip()
    if not isinstance(value, bool) and text.isdecimal() and 1 <= int(text) <= 10_000:
        return int(text)
    raise UsageError(f"{value!r} is no number from 1 on", hint="Write a whole number.")


def _read_text(value: object) -> str:
    """Ansible takes one pair of quotes off."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UsageError(f"{value!r} is no text", hint="Write a text in quotes.")
    text = str(value).strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text


def _resolve(text: str, folder: Path) -> str:
    """``{{CWD}}`` is the folder that the operator is in; ``~`` and ``$NAME`` count, as in Ansible."""
    text = os.path.expandvars(text.replace("{{CWD}}", str(Path.cwd())))
    return str((folder / Path(text).expanduser()).absolute())
