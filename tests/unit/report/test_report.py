"""The report built from a run folder's values: gathering, gaps, damage, the time line."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pfremote.errors import Reason
from pfremote.maillog.redact import masks
from pfremote.report.credentials import describe_times, name_account, summarise_exposures
from pfremote.report.exposure import TLS_KINDS
from pfremote.report.groups import group_exposures, group_findings
from pfremote.report.model import Line
from pfremote.report.timeline import MOST_ROWS, Timeline, lay_out
from pfremote.report.words import (
    describe_gap,
    describe_places,
    grade_gap,
    missing_sentences,
)
from tests.support.rendering import render_report
from tests.support.runs import (
    STARTED,
    HostData,
    host_from_log,
    make_exposure,
    make_finding,
    make_report,
    make_session,
)


def test_a_recorded_session_becomes_a_dialogue() -> None:
    report = make_report(host_from_log("mx1.example.jp", "sasl-bad-password-postfix-3.7.log"))
    (session,) = report.sessions
    assert session.anchor == "h1-s1"
    assert session.peer == "client.example.jp[192.0.2.10]"
    said = [turn.text for turn in session.turns if turn.side == "server"]
    assert said[0] == "220 mx.example.jp ESMTP Postfix"
    assert any(text.startswith("535 5.7.8") for text in said)
    assert [line.number for line in session.lines] == [record for record in range(1, len(session.lines) + 1)]


def test_every_line_of_the_evidence_is_in_the_report() -> None:
    host = host_from_log("mx1.example.jp", "postfix-3.7-debug.log")
    view = make_report(host).hosts[0]
    placed = {line.number for session in view.sessions for line in session.lines}
    followed = set(range(1, len(host.evidence) + 1)) - placed - {line.number for line in view.unplaced}
    assert not placed & {line.number for line in view.unplaced}
    assert all("postfix/" in host.evidence[number - 1] for number in followed)


class _Counted(tuple[str, ...]):
    """Evidence that counts how many of its lines were asked for."""

    asked = 0

    def __getitem__(self, place: Any) -> Any:
        self.asked += 1
        return super().__getitem__(place)


def test_a_report_as_text_makes_no_line_that_it_does_not_show() -> None:
    host = host_from_log("mx1.example.jp", "postfix-3.7-debug.log")
    evidence = _Counted(host.evidence)
    report = make_report(replace(host, evidence=evidence))
    assert "session 1" in render_report(report, "txt", 80)
    assert evidence.asked <= len(report.findings)
    assert len(report.sessions[0].lines) > 100
    first = report.sessions[0].lines[0]
    assert first == Line(first.number, host.evidence[first.number - 1])
    assert report.sessions[0].lines[1:3] == tuple(report.sessions[0].lines)[1:3]


def test_proven_findings_come_first() -> None:
    host = HostData("mx1", sessions=[make_session(("EHLO a", "250 b"))], evidence=("one", "two"))
    host.findings = [
        make_finding(certainty="likely", line=2),
        make_finding(certainty="proven"),
        make_finding(certainty="odd"),
    ]
    report = make_report(host)
    assert [finding.certainty for finding in report.findings] == ["proven", "likely", "unknown"]
    assert report.findings[0].proof is not None
    assert report.findings[0].proof.text == "one"
    assert report.findings[0].session == "h1-s1"
    assert report.sessions[0].findings == report.findings or len(report.sessions[0].findings) == 3


def test_a_finding_of_no_session_links_nowhere() -> None:
    host = HostData("mx1", findings=[make_finding(session=9, line=99)])
    (finding,) = make_report(host).findings
    assert finding.session == ""
    assert finding.proof is None


def test_equal_findings_are_one_with_its_places() -> None:
    hosts = [HostData(name, findings=[make_finding()] * 8, evidence=("a",)) for name in ("mx1", "mx2")]
    (group,) = group_findings(make_report(*hosts).findings)
    assert len(group.more) == 15
    assert describe_places(group).startswith("mx1 line 1, ")
    assert describe_places(group).endswith(" and 3 more")


def test_exposures_are_gathered_by_account_and_host() -> None:
    later = (STARTED + timedelta(seconds=90)).isoformat()
    host = HostData(
        "mx1",
        exposures=[
            make_exposure(),
            make_exposure(time=later),
            make_exposure(account="b@example.jp"),
            make_exposure(account="(unknown)"),
        ],
    )
    groups = group_exposures(make_report(host).exposures)
    assert [group.first.account for group in groups] == ["b@example.jp", "user@example.jp", "(unknown)"]
    assert describe_times(groups[1]) == "2 times, 2026-11-24 05:01:30 UTC to 2026-11-24 05:03:00 UTC"


def test_what_many_hosts_have_alike_is_one_line_at_the_end_of_a_run() -> None:
    hosts = [
        HostData(
            f"mx{number}",
            exposures=[make_exposure(time=(STARTED + timedelta(seconds=number)).isoformat())],
        )
        for number in range(1, 31)
    ]
    odd = HostData("mx99", exposures=[make_exposure(account="b@example.jp")])
    report = make_report(*hosts, odd)
    lines = list(summarise_exposures(report))
    assert [hosts for hosts, _ in lines] == [
        "mx99",
        ",".join(f"mx{n}" for n in range(1, 21)) + " and 10 more",
    ]
    assert "30 times, 2026-11-24 05:01:31 UTC to 2026-11-24 05:02:00 UTC" in lines[1][1]


def test_a_credential_is_named_only_where_there_is_one_to_change() -> None:
    key = make_exposure(account="(unknown)", kind="TLS ticket key", mechanism="", where="TLS manager")
    host = HostData("mx1", exposures=[key, make_exposure(account="(unknown)")])
    report = make_report(host)
    ((where, password),) = summarise_exposures(report)
    assert where == "mx1"
    assert password.startswith("change the credential of an account that the log does not name: password by PLAIN")
    assert list(summarise_exposures(make_report(HostData("mx1", exposures=[key])))) == []
    names = {name_account(group) for group in group_exposures(report.exposures)}
    assert names == {
        "no account: keys of TLS connections (nothing to change, Postfix makes new ones)",
        "an account that the log does not name",
    }


def test_the_kinds_of_tls_keys_are_those_of_the_redactor() -> None:
    assert {masks.TICKET_KEY, masks.TLS_SESSION} == TLS_KINDS


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        (masks.TICKET_KEY, "nothing"),
        (masks.EMPTY, "nothing"),
        (masks.HEADER, "nothing"),
        (masks.COMMAND, "judge"),
        (masks.PASSWORD, "change"),
        (masks.TOKEN, "change"),
        (masks.RESPONSE, "change"),
    ],
)
def test_what_is_to_be_done_is_told_by_the_redactors_kinds(kind: str, verdict: str) -> None:
    (exposure,) = make_report(HostData("mx1", exposures=[make_exposure(kind=kind)])).exposures
    assert exposure.verdict == verdict


def test_what_an_older_run_did_not_note_counts_as_not_refused() -> None:
    (old,) = make_report(HostData("mx1", exposures=[make_exposure()])).exposures
    (new,) = make_report(HostData("mx1", exposures=[make_exposure(refused=True)])).exposures
    assert (old.verdict, new.verdict) == ("change", "judge")


def test_what_is_missing_is_said() -> None:
    host = HostData("mx1", withheld=2)
    host.result = {
        "state": "unknown",
        "error": Reason("unreachable", "no answer", "look with: pfremote status mx1"),
    }
    (view,) = make_report(host).gaps
    assert missing_sentences(view) == (
        "no answer; look with: pfremote status mx1",
        "2 lines withheld, not proven free of secrets: a long word.",
    )


@pytest.mark.parametrize("damage", [{"sessions": [{}]}, {"sessions": [make_session(("a",), turns=[3])]}])
def test_damaged_sessions_leave_the_host_in_the_report(damage: dict[str, list[object]]) -> None:
    host = HostData("mx1")
    host.sessions = damage["sessions"]  # type: ignore[assignment]
    (view,) = make_report(host).hosts
    assert view.sessions == ()
    assert "damaged" in view.problem


def test_a_pause_is_named_after_whom_it_was_spent_waiting_for() -> None:
    session = make_session(("EHLO a", "250 b", "QUIT"))
    session["turns"][1]["gap"] = 6.25
    session["turns"][2] |= {"gap": 65.0, "who": "*"}
    turns = make_report(HostData("mx1", sessions=[session])).sessions[0].turns
    assert [grade_gap(turn.gap) for turn in turns] == [0, 2, 3]
    assert describe_gap(turns[1]) == "6.2 s waiting for the server"
    assert describe_gap(turns[2]) == "1 min 5 s waiting for the client"


def test_whole_second_stamps_do_not_make_a_pause_of_one_second() -> None:
    session = make_session(("EHLO a", "250 b"))
    for number, turn in enumerate(session["turns"]):
        turn |= {"time": (STARTED + timedelta(seconds=number)).isoformat(), "gap": 1.0 * number}
    turns = make_report(HostData("mx1", sessions=[session])).sessions[0].turns
    assert turns[1].gap == 0.0


def draw(*sessions: dict[str, Any]) -> Timeline | None:
    """Return the time line of these sessions of one host."""
    (host,) = make_report(HostData("mx1", sessions=list(sessions))).hosts
    return lay_out([(host, host.sessions)])


def test_the_time_line_stacks_what_overlaps() -> None:
    first = make_session(("a",))
    second = make_session(("b",), id=2, started=(STARTED + timedelta(milliseconds=500)).isoformat())
    third = make_session(
        ("c",),
        id=3,
        started=(STARTED + timedelta(seconds=2)).isoformat(),
        ended=(STARTED + timedelta(seconds=4)).isoformat(),
    )
    timeline = draw(first, second, third)
    assert timeline is not None
    (lane,) = timeline.lanes
    assert [(bar.row, bar.left, bar.width) for bar in lane.bars] == [
        (0, 0.0, 25.0),
        (1, 12.5, 12.5),
        (0, 50.0, 50.0),
    ]
    assert timeline.ticks[0] == (0.0, "05:01:30")
    assert len(timeline.ticks) <= 10


def test_the_time_line_has_a_highest_number_of_rows() -> None:
    sessions = [make_session(("a",), id=number) for number in range(1, 50)]
    timeline = draw(*sessions)
    assert timeline is not None
    assert timeline.lanes[0].rows == MOST_ROWS
    assert len(timeline.lanes[0].bars) == 49


def test_a_session_within_one_second_stamp_is_still_drawn() -> None:
    short = make_session(("a",), started=STARTED.isoformat(), ended=STARTED.isoformat())
    long = make_session(("b",), id=2, ended=(STARTED + timedelta(hours=1)).isoformat())
    late = (STARTED + timedelta(hours=1)).isoformat()
    last = make_session(("c",), id=3, started=late, ended=late)
    timeline = draw(short, long, last)
    assert timeline is not None
    for bar in timeline.lanes[0].bars:
        assert bar.width > 0
        assert bar.left + bar.width <= 100


def test_no_time_line_without_times() -> None:
    assert draw() is None
    timeless = make_session(("a",), started=None, ended=None)
    assert draw(timeless) is None


@pytest.mark.parametrize("days", [0, 1, 400])
def test_ticks_stay_few_however_long_it_took(days: int) -> None:
    long = make_session(("a",), ended=(STARTED + timedelta(days=days, seconds=1)).isoformat())
    timeline = draw(long)
    assert timeline is not None
    assert len(timeline.ticks) <= 10


def test_json_holds_the_whole_report() -> None:
    report = make_report(host_from_log("mx1.example.jp", "relay-denied-postfix-3.7.log"))
    data = json.loads(render_report(report, "json"))
    assert data["schema"] == 1
    assert data["hosts"][0]["name"] == "mx1.example.jp"
    assert len(data["hosts"][0]["sessions"][0]["lines"]) == len(report.sessions[0].lines)


def test_an_empty_and_an_unfinished_run_have_a_report_in_every_format() -> None:
    for report in (make_report(), make_report(HostData("mx1"), ended=None, exit_code=None)):
        assert "unfinished" in render_report(report, "txt") or report.ended
        assert render_report(report, "md").startswith("# pfremote run ")
        assert "</html>" in render_report(report, "html")
