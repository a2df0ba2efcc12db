"""What a host's log shows is told when its window ends: on the screen, as events, in files and to hooks."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import partial
from typing import Any

from pfremote.output.host_files import describe_result
from pfremote.store import load_run
from tests.support.fake_fleet import FakeFleet, Outcome
from tests.support.fake_transport import Fault

FINDING = "code certainty title meaning next_step host session line account sender recipient answer".split()  # noqa: SIM905


def pick(outcome: Outcome, kind: str) -> list[dict[str, Any]]:
    """Return the events of a kind about what came home."""
    return [event for event in outcome.events if event["event"] == kind and "seen" not in event]


def test_a_finding_and_a_session_are_events_as_explain_has_them(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(10, partial(host.visit, "198.51.100.1"))  # another's line, which is not kept
    fleet.at(20, host.refuse)
    outcome = fleet.debug(out=fleet.folder / "run")
    (session,), (finding,) = pick(outcome, "session"), pick(outcome, "finding")
    assert (session["id"], session["outcome"], session["sender"]) == (1, "rejected", "a@example.jp")
    assert (session["recipients"], session["user"]) == (["b@example.net"], None)
    assert {"time": None, "who": "C", "text": "QUIT"} in [{**turn, "time": None} for turn in session["transcript"]]
    assert set(FINDING) <= set(finding)
    assert (finding["certainty"], finding["session"], finding["host"]) == ("proven", 1, "mx1")
    assert (finding["sender"], finding["recipient"]) == ("a@example.jp", "b@example.net")
    assert finding["answer"] == "554 5.7.1 <b@example.net>: Relay access denied"
    lines = (fleet.folder / "run" / "mx1" / "evidence.log").read_text().splitlines()
    assert "NOQUEUE: reject: " in lines[finding["line"] - 1]


def test_a_host_that_is_done_is_told_before_the_slowest_is(fleet: FakeFleet) -> None:
    fleet.at(10, fleet.add("mx1").refuse)
    fleet.add("mx2")
    outcome = fleet.debug("--stop-after", "1")
    (finding,), recap = pick(outcome, "finding"), outcome.events[-1]
    waited = datetime.fromisoformat(recap["time"]) - datetime.fromisoformat(finding["time"])
    assert waited.total_seconds() > 30
    assert outcome.shown.index("mx1: [proven]") < outcome.shown.index("RECAP")


def test_the_screen_has_a_line_for_each_finding_and_each_session(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(10, host.visit)
    fleet.at(20, host.refuse)
    first, second, third = fleet.debug().shown.splitlines()[:3]
    assert first.startswith("mx1: [proven] policy.relay-denied: ")
    assert "; from a@example.jp, to b@example.net; answered: 554 5.7.1 <b@example.net>: Relay access" in first
    assert first.endswith("; session 2")
    assert second.startswith("mx1: session 1: smtpd client.example.jp[192.0.2.7], ended; ")
    assert third.startswith(
        "mx1: session 2: smtpd client.example.jp[192.0.2.7], rejected; from a@example.jp, RCPT from "
    )


def test_many_sessions_are_bounded_and_what_is_left_out_is_counted(fleet: FakeFleet) -> None:
    host = fleet.add()
    for number in range(12):
        fleet.at(10 + number, partial(host.refuse, f"b{number}@example.net"))
    shown = fleet.debug(out=fleet.folder / "run").shown.splitlines()
    assert sum(": session " in line for line in shown) == 8
    assert f"mx1: and 4 more sessions (4 rejected): {fleet.folder}/run/mx1/transcripts" in shown
    assert sum("[proven]" in line for line in shown) == 1
    assert "to b0@example.net, b1@example.net, b2@example.net and 9 more" in shown[0]
    assert "(and 11 other answers)" in shown[0]
    assert "sessions 1, 2, 3 and 9 more" in shown[0]


def test_what_is_followed_is_not_told_again_at_the_end(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(20, host.refuse)
    shown = fleet.debug(follow=True).shown
    assert shown.count("session 1") == 3  # it begins, it is over, and the finding names it
    assert "[proven]" in shown


def test_what_could_not_be_followed_is_told_at_the_end(fleet: FakeFleet) -> None:
    host = fleet.add("mx1", Fault("tail", "refused"))
    fleet.at(20, host.refuse)
    outcome = fleet.debug(follow=True)
    assert "not-followed" in outcome.codes()
    assert "mx1: session 1: smtpd client.example.jp[192.0.2.7], rejected; " in outcome.shown
    assert "times are in UTC" in outcome.said


def test_a_tree_and_the_run_folder_carry_the_findings(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(20, host.refuse)
    fleet.debug(out=fleet.folder / "run")
    (record,) = load_run(fleet.folder / "run").hosts
    (finding,) = record.result.findings
    assert (finding.certainty, finding.recipient, record.result.outcomes) == (
        "proven",
        "b@example.net",
        (("rejected", 1),),
    )
    written: Any = describe_result(record.result)
    assert written["findings"] == [finding.as_json()]


def test_the_hooks_of_a_play_carry_the_findings(fleet: FakeFleet) -> None:
    fleet.at(20, fleet.add("a").refuse)
    told = fleet.folder / "told"
    hook = f"[{{command: [/bin/sh, -c, 'cat >\"$0\"', {told}]}}]"
    fleet.play(f"- {{hosts: a, notify: {{finish: {hook}}}, debug: {{peers: 192.0.2.7, minutes: 60s}}}}")
    result = json.loads(told.read_text())["results"]["a"]
    assert [finding["recipient"] for finding in result["findings"]] == ["b@example.net"]
    assert result["outcomes"] == {"rejected": 1}


def test_what_has_become_untrue_is_taken_back(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(40, host.visit)
    outcome = fleet.debug(out=fleet.folder / "run")
    assert outcome.codes() == ["no-match-yet"]
    assert "1 matching session so far: what was said of no match is over" in outcome.said
    (record,) = load_run(fleet.folder / "run").hosts
    assert record.result.warnings == ()


def test_it_is_taken_back_for_the_host_that_it_was_about_only(fleet: FakeFleet) -> None:
    fleet.at(40, fleet.add("mx1").visit)
    fleet.add("mx2")
    outcome = fleet.debug()
    end = outcome.shown.partition("RECAP")[0]
    assert "mx2: warning: no connection at all since the host is armed" in outcome.said + end
    assert "mx1,mx2" not in outcome.said + end


def test_a_run_that_is_killed_says_what_to_type(fleet: FakeFleet) -> None:
    host = fleet.add()
    begun: list[list[str]] = []
    path = fleet.folder / "run" / "run.json"
    fleet.at(20, lambda: begun.append(json.loads(path.read_text())["go_on"]))
    outcome = fleet.debug(out=path.parent)
    lease = outcome.host["lease"]
    assert begun == [[f"pfremote collect mx1 --lease {lease}", f"pfremote revert mx1 --lease {lease}"]]
    assert not host.leases


def test_the_stored_exit_code_is_the_one_that_the_command_ended_with(fleet: FakeFleet) -> None:
    fleet.add()
    fleet.at(50, (fleet.folder / "run" / "report.html").mkdir)  # no report can be written there
    outcome = fleet.debug(out=fleet.folder / "run")
    assert outcome.code == 1
    assert load_run(fleet.folder / "run").exit_code == 1


def test_how_to_look_with_ssh_is_said_for_the_host_that_it_is_about(fleet: FakeFleet) -> None:
    fleet.add("mx1", Fault("probe", "noise"))
    assert "hint: A login script or a forced command there says something else. Look with: ssh mx1 true\n" in (
        fleet.debug().said
    )


def test_of_several_hosts_one_is_named_for_ssh(fleet: FakeFleet) -> None:
    fleet.add("mx1", Fault("probe", "noise"))
    fleet.add("mx2", Fault("probe", "noise"))
    fleet.add("mx3", Fault("probe", "noise"))
    outcome = fleet.debug()
    commands = re.findall(r"Look with: (.*)", outcome.said + outcome.shown)
    assert commands and set(commands) <= {"ssh mx1 true", "ssh mx2 true"}
