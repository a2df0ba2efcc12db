"""A table of lines gives back what was put into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.prove import Lesson
from pfremote.maillog.proof.table import redact_table
from pfremote.maillog.record_table import RecordTable, list_numbers
from pfremote.maillog.sessions.build import build_sessions

LOGS = sorted((Path(__file__).parents[2] / "fixtures").glob("*.log"))[::7]


def read_records(path: Path) -> list[Record]:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    return list(parse_evidence(path.read_bytes(), now=now, utc_offset=timedelta()))


@pytest.mark.parametrize("step", [1, 3])
def test_lines_come_back_in_order_by_place_by_piece_and_by_number(step: int) -> None:
    records = read_records(LOGS[0])[::step]
    table = RecordTable.read(iter(records))
    assert list(table) == records
    assert (table[0], table[-1], table[2:5]) == (records[0], records[-1], tuple(records[2:5]))
    assert [record for piece in table.pieces(7) for record in piece] == records
    some = [records[5], records[1], records[5]]
    rows = table.find(record.number for record in some)
    assert rows == some
    assert list(list_numbers(rows)) == list(list_numbers(some))


def test_another_table_of_the_same_lines_has_other_texts_alone() -> None:
    records = read_records(LOGS[0])
    table = RecordTable.read(records)
    shown = [record.with_text(f"{record.number % 3}") for record in records]
    other = table.with_texts([shown[:10], shown[10:]])
    assert list(other) == shown
    assert list(table) == records
    assert table.find([3, 4]).of(other) == shown[2:4]


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_table_is_redacted_and_sorted_as_a_list_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pfremote.maillog.proof.table.PIECE", 20)
    monkeypatch.setattr("pfremote.maillog.sessions.build.PIECE", 20)
    records = read_records(path)
    table = RecordTable.read(records)
    whole, clean = Lesson(), redact_table(table)
    whole.learn(records)
    whole.settle()
    shown, withheld = whole.show(records)
    assert (list(clean.records), clean.exposures, clean.withheld) == (shown, whole.exposures(), tuple(withheld))
    assert build_sessions(table) == build_sessions(records)
