"""The report as one JSON object, for programs (docs/reference.md, "Report")."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import fields
from typing import Any

from pfremote.report.model import HostView, Report
from pfremote.store.encode import to_json

_quote = json.encoder.encode_basestring_ascii


def write_json(report: Report) -> Iterator[str]:
    """Yield the report by the fields of :mod:`pfremote.report.model`, what is long in it item by item.

    Only ASCII is written, so that nothing in it steers a terminal that it is shown on. Bytes that were not
    UTF-8 are written as the four characters ``\\xff``.
    """
    yield '{\n "schema": 1,'
    yield from _write_fields(report, "\n ")
    yield "\n}\n"


def _write_fields(value: Report | HostView, begin: str) -> Iterator[str]:
    """Yield the fields, each on a line that begins like this."""
    before = ""
    for field in fields(value):
        yield f"{before}{begin}{_quote(field.name)}: "
        yield from _write(getattr(value, field.name), begin)
        before = ","


def _write(value: object, begin: str) -> Iterator[str]:
    if isinstance(value, HostView):
        yield "{"
        yield from _write_fields(value, f"{begin} ")
        yield f"{begin}}}"
    elif isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping | Set):
        before = "["
        for item in value:
            yield f"{before}{begin} "
            yield from _write(item, f"{begin} ")
            before = ","
        yield "[]" if before == "[" else f"{begin}]"
    else:
        yield _show(to_json(value), begin)


def _show(value: Any, begin: str) -> str:
    """Return what ``json.dumps(value, indent=1)`` does, in half the time; its lines begin like this."""
    if isinstance(value, str):
        return _quote(value)
    if type(value) is int:
        return str(value)
    if isinstance(value, dict) and value:
        inner = f"{begin} "
        return f"{{{','.join([f'{inner}{_quote(key)}: {_show(item, inner)}' for key, item in value.items()])}{begin}}}"
    if isinstance(value, list) and value:
        inner = f"{begin} "
        return f"[{','.join([f'{inner}{_show(item, inner)}' for item in value])}{begin}]"
    return json.dumps(value)
