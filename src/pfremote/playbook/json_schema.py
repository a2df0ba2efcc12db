"""The JSON Schema of playbooks (draft 2020-12), made from the definitions that the reader goes by."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from pfremote.playbook.schema import Play

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def playbook_schema() -> dict[str, Any]:
    """Return the schema of a whole file."""
    plays: TypeAdapter[list[Play]] = TypeAdapter(Annotated[list[Play], Field(min_length=1)])
    body = _tidy(plays.json_schema())
    return {
        "$schema": DIALECT,
        "title": "pfremote playbook",
        "description": "A list of plays, run in their order by: pfremote run FILE",
        **body,
    }


def _tidy(value: Any) -> Any:
    """Leave out what is noise in an editor: titles made of names, and defaults that say nothing."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = isinstance(value.get("properties"), dict)
    kept = {
        key: _tidy(item)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str)) and not (key == "default" and item is None)
    }
    if named:
        kept["properties"] = {name: _tidy(item) for name, item in value["properties"].items()}
    return kept
