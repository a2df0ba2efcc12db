"""The JSON report is written in pieces, and is byte for byte what json.dumps makes of the whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pfremote.errors import Reason
from pfremote.maillog.capture import read_capture
from pfremote.maillog.messages.collect import collect_hops
from pfremote.model.result import HostResult
from pfremote.report import Report, build_report, write_report
from pfremote.store.capture import encode_lazily
from pfremote.store.encode import to_json
from pfremote.store.run import HostFolder, HostRecord, Run
from tests.support.rendering import render_report
from tests.support.runs import (
    FIXTURES,
    HOSTILE,
    STARTED,
    HostData,
    host_from_log,
    hosts_of_a_way,
    make_exposure,
    make_finding,
    make_hostile_host,
    make_report,
)

LOGS = sorted(FIXTURES.glob("*-postfix-3.10.log"))


def report_of_log(path: Path) -> Report:
    """Return the report of a log whose parts are made when they are asked for."""
    capture = read_capture(path.read_bytes(), now=STARTED, utc_offset=timedelta(), match=None)
    record = HostRecord(HostResult("mx.example.jp", "read", lines=len(capture.records)), source=f"file:{path.name}")
    run = Run("of logs", Path(), ("pfremote", "explain"), STARTED, hosts=(record,))
    content = encode_lazily(capture, collect_hops("", capture.records))
    return build_report(run, [HostFolder(content, [capture.show_line(at) for at in range(len(capture.records))])])


def dump(report: Report) -> str:
    return json.dumps({"schema": 1, **to_json(report)}, ensure_ascii=True, indent=1) + "\n"


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_the_report_of_each_recording_is_what_the_whole_would_be(path: Path) -> None:
    report = report_of_log(path)
    assert report.sessions or report.hosts[0].unplaced
    assert render_report(report, "json") == dump(report)


@pytest.mark.parametrize("text", HOSTILE)
def test_so_is_one_with_hostile_text_in_every_place(text: str) -> None:
    report = make_report(make_hostile_host(text))
    assert render_report(report, "json") == dump(report)


def test_so_is_one_with_something_in_every_field_and_one_with_nothing() -> None:
    host = host_from_log("mx1.example.jp", "postfix-3.7-debug.log")
    host.findings, host.exposures, host.withheld = [make_finding()], [make_exposure()], 2
    host.result["error"] = Reason("unreachable", "no answer", "try again")
    host.result["refusals"] = (Reason("tls-global", "global"),)
    full = make_report(host, HostData("mx2"), *hosts_of_a_way())
    for report in (replace(full, notes=("one", "two")), make_report(), make_report(ended=None, exit_code=None)):
        assert render_report(report, "json") == dump(report)


def test_it_comes_in_pieces_of_whole_lines() -> None:
    report = report_of_log(FIXTURES / "postfix-3.7-debug.log")
    pieces = list(write_report(report, "json"))
    assert len(pieces) > 3
    assert all(piece.endswith("\n") for piece in pieces)
    assert max(map(len, pieces)) < 200_000
