"""Playbooks on fake hosts: batches, limits, conditions, questions, hooks, and what is kept of them."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pfremote.agent.client import ALIKE
from pfremote.errors import ConfigError, ConfigErrors, UsageError
from pfremote.fleet.interrupts import Interrupts
from pfremote.output.console import Console
from pfremote.run.confirm import ask, can_ask
from tests.support.fake_fleet import FakeFleet, Outcome
from tests.support.fake_transport import Fault
from tests.support.playing import listening_webhook

DEBUG = "debug: {peers: 192.0.2.7, minutes: 60s}"
DOWN = partial(Fault, "connect", "lost")


def states(outcome: Outcome) -> dict[str, str]:
    """Return each host's state, and the code of its error where it has one."""
    return {
        name: f"{said['state']} {said['error']['code']}" if said["error"] else said["state"]
        for name, said in outcome.hosts.items()
    }


def add(fleet: FakeFleet, *names: str, down: tuple[str, ...] = ()) -> None:
    for name in names:
        fleet.add(name, *([DOWN()] if name in down else []))


def test_a_play_from_its_start_to_the_reports(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(20, host.visit)
    folder = fleet.folder / "run"
    outcome = fleet.play(f"- {{name: one, hosts: mx1, {DEBUG}, report: {{format: [json, txt]}}}}", out=folder)
    assert (outcome.code, states(outcome)) == (0, {"mx1": "clean"})
    assert {event.get("play") for event in outcome.events[:-1]} == {"one"}
    assert {path.name for path in folder.iterdir()} == {"run.json", "mx1", "report.json", "report.txt"}
    assert json.loads((folder / "run.json").read_text())["request"]["plays"][0]["requests"][0]["hosts"] == ["mx1"]


def test_what_is_not_wanted_is_not_kept(fleet: FakeFleet) -> None:
    host = fleet.add()
    fleet.at(20, host.visit)
    collect = "collect: {main_cf: false, transcripts: false, keep_on_host: true}"
    outcome = fleet.play(f"- {{hosts: mx1, {DEBUG}, {collect}}}")
    folder = Path(outcome.host["out"])
    assert not list(folder.glob("main.cf*")) and not list((folder / "transcripts").iterdir())
    assert list(host.leases) == [outcome.host["lease"]]


# Batches and limits.


def test_batches_come_one_after_the_other(fleet: FakeFleet) -> None:
    add(fleet, "a", "b", "c")
    outcome = fleet.play(f"- {{hosts: all, serial: [1, 2], {DEBUG}}}")
    assert outcome.code == 0
    assert "batch 1 of 2: a" in outcome.said and "batch 2 of 2: b, c" in outcome.said
    assert fleet.time.monotonic() == 120


@pytest.mark.parametrize(
    ("play", "serial", "down", "code", "expected"),
    [
        ("serial: 1", None, "a", 4, "a untouched unreachable, b untouched not-begun, c untouched not-begun"),
        ("serial: 2", None, "a", 4, "a untouched unreachable, b clean, c clean"),
        ("max_fail_percentage: 49", "2,1", "a", 4, "a untouched unreachable, b clean, c untouched not-begun"),
        ("max_fail_percentage: 50", "2,1", "a", 4, "a untouched unreachable, b clean, c clean"),
        ("serial: 2", "overridden", "a", 4, "a untouched unreachable, b clean, c untouched not-begun"),
        ("any_errors_fatal: true", "2", "b", 4, "a clean, b untouched unreachable, c untouched not-begun"),
        ("serial: 50%", None, "c", 4, "a clean, b clean, c untouched unreachable"),
    ],
)
def test_failures_decide_whether_the_next_batch_begins(
    play: str, serial: str | None, down: str, code: int, expected: str, fleet: FakeFleet
) -> None:
    add(fleet, "a", "b", "c", down=(down,))
    typed = {"serial": "2,1", "max_fail_percentage": "49"} if serial == "overridden" else {"serial": serial}
    outcome = fleet.play(f"- {{hosts: all, {play}, {DEBUG}}}", **typed)
    assert outcome.code == code
    assert ", ".join(f"{name} {state}" for name, state in states(outcome).items()) == expected


def test_what_failed_is_left_out_of_the_next_play_and_a_refusal_is_not(fleet: FakeFleet) -> None:
    add(fleet, "a", "b", "c", down=("a",))
    fleet.net.faults["b"].append(Fault("arm", "refused", 1))
    outcome = fleet.play(
        f"- {{name: first, hosts: all, {DEBUG}}}\n- {{name: second, hosts: all, {DEBUG}}}\n", serial=None
    )
    told = [(event["host"], event["play"], event["code"]) for event in outcome.events if event["event"] == "failed"]
    assert told == [("a", "first", "unreachable"), ("b", "first", "trouble"), ("a", "second", "not-begun")]
    assert states(outcome) == {"a": "untouched unreachable", "b": "clean trouble", "c": "clean"}
    assert outcome.code == 4


def test_ctrl_c_ends_the_batch_and_begins_no_other(fleet: FakeFleet) -> None:
    add(fleet, "a", "b")
    fleet.interrupt_at(30)
    outcome = fleet.play(f"- {{name: 1, hosts: all, serial: 1, {DEBUG}}}\n- {{name: 2, hosts: b, {DEBUG}}}")
    assert outcome.code == 130
    assert states(outcome) == {"a": "clean", "b": "untouched interrupted"}
    assert fleet.time.monotonic() < 35


# Conditions and checks.


def test_when_leaves_a_host_alone_or_cannot_tell(fleet: FakeFleet) -> None:
    add(fleet, "a", "b")
    outcome = fleet.play(f"- {{hosts: all, when: [wanted], {DEBUG}}}", inventory="a wanted=False\nb wanted=perhaps\n")
    assert outcome.code == 4
    assert (outcome.hosts["a"]["skipped"], outcome.hosts["a"]["error"]) == ("when: wanted", None)
    assert states(outcome)["b"] == "untouched when"


def test_a_name_in_when_that_one_host_lacks_is_said_before_the_first_contact(fleet: FakeFleet) -> None:
    add(fleet, "a", "b")
    with pytest.raises(ConfigError, match=r"\[0\]\.when\[0\]: site is no fact and no variable"):
        fleet.play(f"- {{hosts: all, when: ['site == \"tokyo\"'], {DEBUG}}}", inventory="a site=osaka\nb\n")
    assert fleet.net.asked == []


def test_check_asks_every_host_and_touches_none(fleet: FakeFleet) -> None:
    add(fleet, "a", "b", down=("a",))
    play = f"- {{hosts: all, serial: 1, confirm: Sure?, notify: {{start: [{{command: ['false']}}]}}, {DEBUG}}}"
    outcome = fleet.play(play, check=True, out=None)
    assert (outcome.code, states(outcome)) == (4, {"a": "untouched unreachable", "b": "untouched"})
    assert outcome.codes() == []
    assert [verb for _, verb in fleet.net.asked] == ["probe", "arm"]


# A run that is killed.


def test_a_run_that_is_killed_says_what_to_type_for_the_batch_that_it_was_at(fleet: FakeFleet) -> None:
    add(fleet, "a", "b", "c")
    record = fleet.folder / "run" / "run.json"
    left: list[dict[str, Any]] = []
    for moment in (20, 80):
        fleet.at(moment, lambda: left.append(json.loads(record.read_text())))
    outcome = fleet.play(f"- {{hosts: all, serial: [1, 2], {DEBUG}}}", out=record.parent)
    leases = {name: said["lease"] for name, said in outcome.hosts.items()}
    first, second = left
    assert first["go_on"] == [f"pfremote {verb} a --lease {leases['a']}" for verb in ("collect", "revert")]
    assert first["leases"] == [["a", leases["a"]]]
    common = leases["b"][:ALIKE]
    assert second["go_on"] == [f"pfremote {verb} b,c --lease {common}" for verb in ("collect", "revert")]
    assert second["leases"] == [["b", leases["b"]], ["c", leases["c"]]]
    assert first["started"] < first["over"] < second["over"]


def test_what_an_earlier_play_could_not_fetch_is_named_as_well(fleet: FakeFleet) -> None:
    fleet.add("a", Fault("collect", "lost"))
    add(fleet, "b")
    record = fleet.folder / "run" / "run.json"
    left: list[dict[str, Any]] = []
    fleet.at(250, lambda: left.append(json.loads(record.read_text())))
    second = "{name: 2, hosts: b, instance: out, debug: {peers: 192.0.2.7, minutes: 10m}}"
    fleet.play(f"- {{name: 1, hosts: all, {DEBUG}}}\n- {second}\n", out=record.parent)
    (said,) = left
    (kept, failed), (other, ours) = said["leases"]
    assert (kept, other) == ("a", "b") and failed[:ALIKE] != ours[:ALIKE]
    assert said["go_on"] == [
        f"pfremote collect a --lease {failed}",
        f"pfremote revert a --lease {failed}",
        f"pfremote collect b --instance out --lease {ours}",
        f"pfremote revert b --instance out --lease {ours}",
    ]


def test_a_record_that_cannot_be_written_anew_ends_no_run(fleet: FakeFleet) -> None:
    add(fleet, "a", "b")
    record = fleet.folder / "run" / "run.json"
    fleet.at(30, record.unlink)
    fleet.at(31, record.mkdir)
    outcome = fleet.play(f"- {{hosts: all, serial: 1, {DEBUG}}}", out=record.parent)
    assert states(outcome) == {"a": "clean", "b": "clean"}
    assert outcome.code == 1
    assert "if this run is killed, pfremote runs will not know this batch" in outcome.said


# Questions.


@pytest.fixture
def typed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the operator type the test's parameter."""
    reading, writing = os.pipe()
    os.write(writing, request.param.encode())
    os.close(writing)
    with os.fdopen(reading) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        yield


@pytest.mark.parametrize(
    ("typed", "begins"), [("yes\n", True), ("Y\n", True), ("no\n", False), ("", False)], indirect=["typed"]
)
def test_only_a_yes_begins_a_play(typed: None, begins: bool, fleet: FakeFleet) -> None:
    add(fleet, "a")
    outcome = fleet.play(f"- {{name: one, hosts: a, confirm: Begin now?, {DEBUG}}}")
    assert "Begin now? (yes/no)" in outcome.said
    assert not can_ask()  # the operator's words come from a pipe here
    assert outcome.code == (0 if begins else 3)
    assert states(outcome)["a"] == ("clean" if begins else "untouched declined")


def test_yes_beforehand_asks_nothing(fleet: FakeFleet) -> None:
    add(fleet, "a")
    outcome = fleet.play(f"- {{hosts: a, confirm: Begin now?, {DEBUG}}}", yes=True)
    assert outcome.code == 0
    assert "Begin now?" not in outcome.said


@pytest.mark.parametrize("typed", ["yes\n"], indirect=True)
def test_ctrl_c_is_no_yes(typed: None, fleet: FakeFleet) -> None:
    """Whether it comes before the question, or while it is asked."""
    add(fleet, "a", "b")
    fleet.interrupt_at(59.9)
    outcome = fleet.play(f"- {{hosts: a, {DEBUG}}}\n- {{hosts: b, confirm: Sure?, {DEBUG}}}")
    assert (outcome.code, states(outcome)["b"]) == (130, "untouched interrupted")
    interrupts = Interrupts()
    interrupts.request()
    assert ask("Sure?", Console(out=io.StringIO(), err=io.StringIO()), interrupts) is False


# Hooks.


def notices(play: str, fleet: FakeFleet) -> tuple[Outcome, list[dict[str, Any]]]:
    """Run a play whose hooks append to a file, and return what they were told."""
    told = fleet.folder / "told"
    hook = f'[{{command: [/bin/sh, -c, \'cat >>"$0"; echo >>"$0"\', {told}]}}]'
    outcome = fleet.play(play.replace("HOOK", hook))
    return outcome, [json.loads(line) for line in told.read_text().splitlines()]


def test_hooks_are_told_of_start_finish_and_failure(fleet: FakeFleet) -> None:
    add(fleet, "a", "b", down=("b",))
    outcome, told = notices(
        f"- {{name: one, hosts: all, notify: {{start: HOOK, finish: HOOK, failure: HOOK}}, {DEBUG}}}", fleet
    )
    assert [notice["event"] for notice in told] == ["start", "finish", "failure"]
    assert (told[0]["hosts"], told[0]["playbook"], told[0]["play"]) == (["a", "b"], "play.yml", "one")
    assert (told[1]["exit_code"], told[1]["results"]["b"]["error"]) == (4, "unreachable")
    assert outcome.codes() == ["no-match-yet", "no-session"]


def test_a_hook_whose_program_is_missing_is_said_before_the_first_contact(fleet: FakeFleet) -> None:
    add(fleet, "a")
    with pytest.raises(ConfigError, match=r"notify\.start\[0\]\.command: there is no program /no/such/program"):
        fleet.play(f"- {{hosts: a, notify: {{start: [{{command: [/no/such/program]}}]}}, {DEBUG}}}")
    assert fleet.net.asked == []


@pytest.mark.parametrize(
    ("hook", "problem"),
    [
        ("command: ['false']", "it ended with status 1"),
        ("command: [sleep, '60'], timeout: 1", "no end within 1 seconds"),
        ("webhook: 'http://127.0.0.1:1/x'", "Connection refused"),
    ],
)
def test_a_hook_that_fails_is_a_warning_and_no_more(hook: str, problem: str, fleet: FakeFleet) -> None:
    add(fleet, "a")
    outcome = fleet.play(f"- {{hosts: a, notify: {{start: [{{{hook}}}]}}, {DEBUG}}}")
    assert outcome.code == 0
    (warning,) = [event for event in outcome.events if event.get("code") == "notify"]
    assert problem in warning["message"]


def test_a_hook_whose_program_goes_away_is_a_warning_too(fleet: FakeFleet) -> None:
    add(fleet, "a")
    program = fleet.folder / "hook"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    outcome = fleet.play(f"- {{hosts: a, notify: {{start: [{{command: [{program}]}}]}}, {DEBUG}}}")
    (warning,) = [event for event in outcome.events if event.get("code") == "notify"]
    assert (outcome.code, "No such file or directory" in warning["message"]) == (0, True)


@pytest.mark.parametrize(("status", "problem"), [(200, ""), (302, "it answered 302"), (500, "it answered 500")])
def test_a_webhook_gets_the_notice_and_its_path_is_told_to_nobody(status: int, problem: str, fleet: FakeFleet) -> None:
    add(fleet, "a")
    with listening_webhook(status) as (address, posted):
        outcome = fleet.play(f"- {{hosts: a, notify: {{start: [{{webhook: '{address}'}}]}}, {DEBUG}}}")
    assert [notice["event"] for notice in posted] == ["start"]
    warnings = [event["message"] for event in outcome.events if event.get("code") == "notify"]
    assert [problem in warning and "quiet-part" not in warning for warning in warnings] == ([True] if problem else [])


# Before anything is contacted.


def test_all_that_is_wrong_is_said_at_once(fleet: FakeFleet) -> None:
    add(fleet, "a", "b")
    with pytest.raises(ConfigErrors) as raised:
        fleet.play(f"- {{hosts: all, debug: {{peers: '{{{{ gone }}}}'}}}}\n- {{hosts: 'nothere*', {DEBUG}}}")
    found = [str(error).partition("].")[2] for error in raised.value.errors]
    assert found == ["debug.peers: gone is not set", "hosts: nothere* matches no host and no group"]
    assert fleet.net.asked == []


WRONG_IN_EACH_WAY = """\
- hosts: all
  tasks: []
  debug:
    peers: 192.0.2.300
    level: 9
- hosts: [all, nothere]
  debug: {peers: 192.0.2.7}
- hosts: all
  when: nofact
  debug: {peers: "{{ gone }}", minutes: 9}
- hosts: all
  debug: {peers: 0.0.0.0/0, all_peers: perhaps}
- hosts: all
  vars: [x]
  debug: {peers: "{{ x }}"}
"""


def test_what_the_schema_finds_does_not_hide_what_the_hosts_show(fleet: FakeFleet) -> None:
    """What may follow from another mistake is not said: the last two plays are looked at when they can be read."""
    add(fleet, "a", "b")
    with pytest.raises(ConfigErrors) as raised:
        fleet.play(WRONG_IN_EACH_WAY)
    found = [(error.line, str(error).partition(": [")[2]) for error in raised.value.errors]
    assert found == [
        (2, "0].tasks: there is no key tasks"),
        (4, "0].debug.peers[0]: 192.0.2.300: this is not an IP address"),
        (5, "0].debug.level: 9 is not a whole number from 1 to 3"),
        (6, "1].hosts: nothere is in no inventory"),
        (9, "2].when[0]: nofact is no fact and no variable"),
        (10, "2].debug.peers: gone is not set"),
        (12, "3].debug.all_peers: 'perhaps' is neither true nor false"),
        (14, "4].vars: a mapping is wanted here"),
    ]
    assert fleet.net.asked == []


@pytest.mark.parametrize(("limit", "names"), [("b", {"b"}), ("!b", {"a", "c"}), ("nothere*", set()), ("a:!a", set())])
def test_a_limit_leaves_hosts_out(limit: str, names: set[str], fleet: FakeFleet) -> None:
    add(fleet, "a", "b", "c")
    play = f"- {{name: one, hosts: all, {DEBUG}}}\n- {{name: two, hosts: c, {DEBUG}}}"
    if not names:
        with pytest.raises(UsageError, match="no host"):
            fleet.play(play, limit=limit)
        return
    outcome = fleet.play(play, limit=limit)
    assert (outcome.code, set(outcome.hosts)) == (0, names)
    assert ("no host of this play is left by --limit" in outcome.said) is ("c" not in names)


def test_a_window_longer_than_a_host_allows_is_the_playbooks_mistake(fleet: FakeFleet) -> None:
    add(fleet, "a")
    with pytest.raises(ConfigError, match="debugged for 1m at most"):
        fleet.play("- {hosts: a, debug: {peers: 192.0.2.7, minutes: 5}}", inventory="a pfremote_max_minutes=1\n")


def test_plays_of_one_name_and_hosts_of_one_request(fleet: FakeFleet) -> None:
    add(fleet, "a", "b")
    folder = fleet.folder / "run"
    play = "- {hosts: all, instance: /etc/postfix-out, debug: {peers: '{{ peer }}', minutes: 60s}}\n"
    inventory = "a peer=192.0.2.7\nb peer=192.0.2.8\n"
    outcome = fleet.play(play * 2, inventory=inventory, out=folder, volatile_guard=True)
    assert outcome.code == 0
    plays = json.loads((folder / "run.json").read_text())["request"]["plays"]
    assert [entry["name"] for entry in plays] == ["all", "all (play 2)"]
    assert [request["hosts"] for request in plays[0]["requests"]] == [["a"], ["b"]]


def test_a_run_that_cannot_be_finished_on_disk_still_says_what_became_of_the_hosts(fleet: FakeFleet) -> None:
    add(fleet, "a")
    folder = fleet.folder / "run"
    fleet.at(59, lambda: fleet.spoil(folder))
    outcome = fleet.play(f"- {{hosts: a, {DEBUG}}}", out=folder)
    assert (outcome.code, states(outcome)) == (4, {"a": "clean not-collected"})
