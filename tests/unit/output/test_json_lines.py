"""The event stream: one JSON object a line, times in UTC, recap last."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta, timezone

from pfremote.errors import ExitCode, Reason, Refused, UsageError
from pfremote.model.result import HostResult
from pfremote.output.json_lines import EventStream
from pfremote.text.times import format_epoch, format_time

NOW = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)


def _lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_has_its_name_time_host_and_lease() -> None:
    out = io.StringIO()
    EventStream(out, now=lambda: NOW)("armed", "mx1", "0123456789ab", guard="systemd")
    assert _lines(out) == [
        {
            "event": "armed",
            "time": "2026-01-02T03:04:05.678Z",
            "host": "mx1",
            "lease": "0123456789ab",
            "guard": "systemd",
        }
    ]


def test_times_are_rfc_3339_in_utc() -> None:
    assert format_time(datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-02T03:04:05.000Z"
    assert format_epoch(0) == "1970-01-01T00:00:00Z"


def test_the_recap_is_last_whatever_comes_after_it() -> None:
    out = io.StringIO()
    stream = EventStream(out, now=lambda: NOW)
    stream.recap(ExitCode.OK, [HostResult("mx1", "clean", sessions=2)])
    stream("warning", "mx1", code="late")
    stream.recap(ExitCode.UNEXPECTED, ())
    (recap,) = _lines(out)
    assert (recap["event"], recap["exit_code"]) == ("recap", 0)
    hosts = recap["hosts"]
    assert isinstance(hosts, dict)
    assert set(hosts["mx1"]) >= {
        "state", "armed", "reverted", "drained", "complete", "sessions", "lines", "out", "error"
    }  # fmt: skip


def test_an_error_is_a_failed_event_and_each_refusal_one() -> None:
    out = io.StringIO()
    stream = EventStream(out, now=lambda: NOW)
    stream.fail(UsageError("no peer", hint="add --peer"))
    stream.fail(Refused((Reason("no-log", "first"), Reason("low-disk", "second", "do")), host="mx1"))
    usage, first, second = _lines(out)
    assert (usage["event"], usage["code"], usage["hint"]) == ("failed", "usage", "add --peer")
    assert (first["host"], first["code"], second["hint"]) == ("mx1", "no-log", "do")


def test_odd_text_from_a_host_cannot_break_a_line() -> None:
    out = io.StringIO()
    EventStream(out, now=lambda: NOW)("warning", "mx1", message="a\nb\u2028c\x85\udcffd")
    assert len(out.getvalue().splitlines()) == 1
    assert out.getvalue().isascii()
