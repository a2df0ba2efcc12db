"""The JSON Schema (draft 2020-12) of config.toml and of the section ``[pfremote]`` in ansible.cfg."""

from __future__ import annotations

from typing import Any

from pfremote.config.keys import OWN, Kind

_KINDS: dict[Kind, dict[str, Any]] = {
    "text": {"type": "string", "minLength": 1},
    "path": {"type": "string", "minLength": 1},
    "number": {"type": "integer", "minimum": 1, "maximum": 500},
    "flag": {"type": "boolean"},
    "duration": {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": r"^(?=[0-9])([0-9]+|([0-9]+h)?([0-9]+m)?([0-9]+s)?)$"},
        ]
    },
}


def config_schema() -> dict[str, Any]:
    """Return the schema of a whole file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pfremote settings",
        "description": "config.toml below ~/.config/pfremote, or the section [pfremote] of ansible.cfg",
        "type": "object",
        "properties": {name: {"description": key.meaning, **_KINDS[key.kind]} for name, key in OWN.items()},
        "additionalProperties": False,
    }
