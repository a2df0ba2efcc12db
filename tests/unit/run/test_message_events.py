"""The ways of messages over the hosts of a run, as programs see them."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pfremote.errors import ExitCode
from pfremote.maillog.capture import read_capture
from pfremote.model.result import HostResult
from pfremote.output.json_lines import EventStream
from pfremote.output.output import Output
from pfremote.report import read_report
from pfremote.run.finish import keep_run
from pfremote.store import RunStore, load_run

FIXTURES = Path(__file__).parents[2] / "fixtures"
STARTED = datetime(2026, 11, 24, 11, tzinfo=UTC)


def run_over(folder: Path, names: dict[str, str], *, armed: bool = True) -> list[dict[str, Any]]:
    """Store what was collected of hosts, by the name of their log, end the run and return its events."""
    store = RunStore.create(folder, command=["pfremote", "collect"], started=STARTED)
    results = []
    for host, log in names.items():
        evidence = (FIXTURES / "way" / f"{log}.log").read_bytes()
        capture = read_capture(evidence, now=STARTED, utc_offset=timedelta(), match=None)
        result = HostResult(host, "clean", armed=armed, reverted=True, sessions=len(capture.sessions))
        results.append(store.write_host(result, capture=capture, source="file:/var/log/mail.log"))
    told = io.StringIO()
    output = Output(json=True)
    output.stream = EventStream(told)
    keep_run(store, results, ExitCode.OK, output)
    output.recap(results, ExitCode.OK)
    return [json.loads(line) for line in told.getvalue().splitlines()]


def test_a_message_over_three_hosts_is_one_event_before_the_recap(tmp_path: Path) -> None:
    events = run_over(tmp_path / "run", {"mx1": "mx", "filter1": "filter", "mbox1": "mbox"})
    assert [event["event"] for event in events] == ["message", "recap"]
    hops = events[0]["hops"]
    assert {hop["host"] for hop in hops} == {"mx1", "filter1", "mbox1"}  # as the operator calls them
    assert events[0]["message_id"] == "<m1@example.net>"
    assert events[0]["fate"] == "bounced"
    assert "Messages" in (tmp_path / "run" / "report.html").read_text()


def test_a_stored_run_tells_the_same_later(tmp_path: Path) -> None:
    run_over(tmp_path / "run", {"mx1": "mx", "filter1": "filter", "mbox1": "mbox"})
    (story,) = read_report(load_run(tmp_path / "run")).stories
    assert len(story.hops) == 4


def test_where_nothing_was_armed_there_is_nothing_to_tell(tmp_path: Path) -> None:
    events = run_over(tmp_path / "run", {"mx1": "mx"}, armed=False)
    assert [event["event"] for event in events] == ["recap"]
