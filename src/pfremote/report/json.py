"""The report as one JSON object, for programs (docs/reference.md, "Report")."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import fields

from pfremote.report.model import HostView, Report
from pfremote.store.encode import to_json

_encode = json.JSONEncoder(indent=1).encode


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
        yield f'{before}{begin}"{field.name}": '
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
        # JSON writes a line break that belongs to a text as \n, so each that is found here begins a line.
        yield _encode(to_json(value)).replace("\n", begin)
