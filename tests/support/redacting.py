"""Some lines through the redactor and the proof, as those of a log go."""

from __future__ import annotations

from collections.abc import Iterable

from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.table import RedactedTable, redact_table
from pfremote.maillog.record_table import RecordTable


def redact_and_prove(records: Iterable[Record]) -> RedactedTable:
    """Return what may be shown of these lines."""
    return redact_table(RecordTable.read(records))
