"""The report as one JSON object, for programs (docs/reference.md, "Report")."""

from __future__ import annotations

import json

from pfremote.report.model import Report
from pfremote.store.encode import to_json


def render_json(report: Report) -> str:
    """Return the report by the fields of :mod:`pfremote.report.model`.

    Only ASCII is written, so that nothing in it steers a terminal that it is shown on. Bytes that were not
    UTF-8 are written as the four characters ``\\xff``.
    """
    return json.dumps({"schema": 1, **to_json(report)}, ensure_ascii=True, indent=1) + "\n"
