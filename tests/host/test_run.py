"""Playbooks on a real Postfix behind a real sshd: batches, limits, conditions, questions, hooks."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost, traffic
from tests.support.playing import Stage, converse, listening_webhook

pytestmark = pytest.mark.host

PEER = "127.0.0.7"
DEBUG = f"debug: {{peers: {PEER}, level: 1, minutes: 3s, drain: 10s}}"


@pytest.fixture
def stage(loopback_host: LoopbackHost, tmp_path: Path) -> Iterator[Stage]:
    """Return a stage on a host whose main.cf must be the same, byte for byte, when the test is over."""
    before = loopback_host.main_cf.read_bytes()
    yield Stage(loopback_host, tmp_path)
    assert loopback_host.main_cf.read_bytes() == before


def untouched(stage: Stage) -> int:
    """Return what changes with every link to main.cf and every swap; the inode comes back."""
    return stage.host.main_cf.stat().st_ctime_ns


def test_a_play_from_its_start_to_the_report(stage: Stage) -> None:
    stage.write_inventory("mx1")
    playbook = stage.write_playbook("""
- name: one client
  hosts: mx1
  debug: {peers: "{{ peer }}", level: 1, minutes: 1, stop_after: {sessions: 1}}
  reason: ticket 7
  report: {format: [json, txt]}
""")
    run = stage.start(playbook, "-e", f"peer={PEER}")
    assert run.wait_for("armed")["play"] == "one client"
    assert traffic.fail_auth_over_starttls(stage.host, source_ip=PEER) == 535
    code, hosts = run.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["sessions"]) == (0, "clean", 1)
    assert next(event for event in run.events if event["event"] == "reverted")["why"] == "stop-after"
    kept = stage.run_json()
    assert [(host["host"], host["play"]) for host in kept["hosts"]] == [("mx1", "one client")]
    assert (kept["request"]["reason"], kept["request"]["peers"]) == ("ticket 7", [PEER])
    names = {path.name for path in (stage.folder / "run").iterdir()}
    assert names == {"run.json", "mx1", "report.json", "report.txt"}


def test_pseudonyms_stand_for_hosts_and_users_in_all_that_is_kept_or_told(stage: Stage) -> None:
    stage.write_inventory("secretive-mx")
    told = stage.folder / "told"
    playbook = stage.write_playbook(f"""
- name: one client
  hosts: secretive-mx
  debug: {{peers: "{PEER}", minutes: 1, stop_after: {{sessions: 1}}}}
  report: {{format: [json, html]}}
  notify: {{finish: [{{command: [/bin/sh, -c, 'cat > "$0"', "{told}"]}}]}}
""")
    run = stage.start(playbook, "--pseudonymise")
    run.wait_for("armed")
    assert traffic.fail_auth_over_starttls(stage.host, source_ip=PEER) == 535
    code, hosts = run.finish()
    ((name, result),) = hosts.items()
    assert (code, result["state"], result["sessions"]) == (0, "clean", 1)
    kept = [path for path in (stage.folder / "run").rglob("*") if path.is_file()]
    assert stage.folder / "run" / name / "evidence.log" in kept
    for text in (json.dumps(run.events), told.read_text(), *(path.read_text() for path in kept)):
        assert "secretive" not in text
        assert "alice" not in text
    assert name in told.read_text()


def test_what_is_not_wanted_is_not_kept(stage: Stage) -> None:
    playbook = stage.write_playbook(
        f"- {{hosts: mx1, {DEBUG}, collect: {{main_cf: false, transcripts: false, keep_on_host: true}}}}"
    )
    run = stage.start(playbook)
    lease = run.wait_for("armed")["lease"]
    traffic.fail_auth_over_starttls(stage.host, source_ip=PEER)
    _code, hosts = run.finish()
    folder = Path(hosts["mx1"]["out"])
    assert hosts["mx1"]["sessions"] == 1
    assert not list(folder.glob("main.cf*"))
    assert not list((folder / "transcripts").iterdir())
    assert list(Path("/var/lib/pfremote").glob(f"*/leases/{lease}"))


def test_a_batch_that_failed_as_a_whole_stops_the_rest(stage: Stage) -> None:
    stage.write_inventory("b-mx", dead=("a-dead",))
    inode = untouched(stage)
    run = stage.start(stage.write_playbook(f"- {{hosts: all, serial: 1, {DEBUG}}}"))
    code, hosts = run.finish()
    assert code == 4
    assert hosts["a-dead"]["error"]["code"] == "unreachable"
    assert (hosts["b-mx"]["state"], hosts["b-mx"]["error"]["code"]) == ("untouched", "not-begun")
    assert "1 of 1 hosts of the batch before failed" in hosts["b-mx"]["error"]["message"]
    assert untouched(stage) == inode
    assert not [event for event in run.events if event["event"] == "plan"]


@pytest.mark.parametrize(("percentage", "begun"), [("49", False), ("50", True)])
def test_the_limit_of_failures_decides_whether_the_next_batch_begins(
    percentage: str, begun: bool, stage: Stage
) -> None:
    stage.write_inventory("b-mx", "c-mx", dead=("a-dead",))
    playbook = stage.write_playbook(f"- {{hosts: all, serial: 1, max_fail_percentage: 90, {DEBUG}}}")
    run = stage.start(playbook, "--serial", "2,1", "--max-fail-percentage", percentage)
    code, hosts = run.finish()
    assert (code, hosts["b-mx"]["state"]) == (4, "clean")
    assert hosts["c-mx"]["state"] == ("clean" if begun else "untouched")
    assert (run.codes("failed", "c-mx") == ["not-begun"]) is not begun


def test_one_failure_is_fatal_where_the_play_says_so_for_later_plays_too(stage: Stage) -> None:
    stage.write_inventory("b-mx", dead=("a-dead",))
    run = stage.start(
        stage.write_playbook(f"""
- {{name: first, hosts: all, any_errors_fatal: true, {DEBUG}}}
- {{name: second, hosts: b-mx, {DEBUG}}}
""")
    )
    code, hosts = run.finish()
    assert code == 4
    assert "any_errors_fatal" in hosts["b-mx"]["error"]["message"]  # the worse of its two outcomes
    kept = {(host["play"], host["host"]): host["state"] for host in stage.run_json()["hosts"]}
    assert kept == {
        ("first", "a-dead"): "untouched",
        ("first", "b-mx"): "clean",
        ("second", "b-mx"): "untouched",
    }


def test_a_host_in_two_plays_has_one_result_and_two_records(stage: Stage) -> None:
    stage.write_inventory("mx1", peer=PEER)
    run = stage.start(
        stage.write_playbook(f"""
- {{name: good, hosts: mx1, {DEBUG.replace(PEER, '"{{ peer }}"')}}}
- {{name: also good, hosts: mx1, {DEBUG}}}
- {{name: refused, hosts: mx1, debug: {{peers: /nonexistent/peers, minutes: 3s}}}}
""")
    )
    for _ in range(2):
        run.wait_for("armed")
        traffic.fail_auth_over_starttls(stage.host, source_ip=PEER)
        run.wait_for("collected")
    code, hosts = run.finish()
    assert list(hosts) == ["mx1"]
    assert (hosts["mx1"]["sessions"], hosts["mx1"]["error"]["code"]) == (2, "missing-file")
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["reverted"]) == (4, "clean", True)
    records = stage.run_json()["hosts"]
    assert [record["play"] for record in records] == ["good", "also good", "refused"]
    assert len({record["folder"] for record in records}) == 3
    report = (stage.folder / "run" / "report.md").read_text()
    assert report.count("535 5.7.8") >= 2


def test_a_host_that_failed_is_left_out_of_later_plays(stage: Stage) -> None:
    stage.write_inventory("b-mx", dead=("a-dead",))
    run = stage.start(
        stage.write_playbook(f"""
- {{name: first, hosts: all, {DEBUG}}}
- {{name: second, hosts: all, {DEBUG}}}
""")
    )
    code, hosts = run.finish()
    assert (code, hosts["b-mx"]["state"], hosts["a-dead"]["error"]["code"]) == (4, "clean", "unreachable")
    assert run.codes("failed", "a-dead") == ["unreachable", "not-begun"]


def test_where_a_condition_is_false_the_host_is_left_alone_and_all_is_well(stage: Stage) -> None:
    stage.write_inventory("mx1")
    inode = untouched(stage)
    run = stage.start(
        stage.write_playbook(f"""
- {{name: new, hosts: mx1, when: ["running", "version is version('99', '>=')"], {DEBUG}}}
- {{name: other, hosts: mx1, when: "myhostname == 'absent.example.jp'", {DEBUG}}}
""")
    )
    code, hosts = run.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["error"]) == (0, "untouched", None)
    assert hosts["mx1"]["skipped"] == "when: myhostname == 'absent.example.jp'"
    assert run.codes("warning", "mx1") == ["skipped", "skipped"]
    assert untouched(stage) == inode


def test_a_condition_that_cannot_be_decided_is_an_error_before_the_first_contact(stage: Stage) -> None:
    inode = untouched(stage)
    run = stage.start(stage.write_playbook(f"- {{hosts: mx1, when: nosuch == 1, {DEBUG}}}"))
    code, hosts = run.finish()
    assert (code, hosts) == (2, {})
    assert any("nosuch" in str(event.get("message")) for event in run.events)
    assert untouched(stage) == inode


def test_a_condition_may_use_facts_variables_and_groups(stage: Stage) -> None:
    stage.write_inventory("mx1", site="tokyo")
    run = stage.start(
        stage.write_playbook(f"""
- hosts: mx1
  vars: {{oldest: "3.4", site: osaka}}
  when:
    - version is version(oldest, '>=')
    - site == 'tokyo' and 'ungrouped' in group_names
    - log.startswith('file:/') and config_directory.startswith('/')
    - wanted | bool
  {DEBUG}
"""),
        "--check",
        "-e",
        "wanted=yes",
    )
    code, hosts = run.finish()
    assert (code, hosts["mx1"]["skipped"]) == (0, None)


def test_check_with_diff_shows_what_would_change_and_why_not(stage: Stage) -> None:
    stage.write_inventory("b-mx", "c-mx", dead=("a-dead",), peer=PEER)
    inode = untouched(stage)
    playbook = stage.write_playbook(f"""
- name: look
  hosts: all
  serial: 1
  confirm: not asked
  when: inventory_hostname != 'c-mx'
  {DEBUG}
""")
    done = stage.run(playbook, "--check", "--diff")
    assert done.returncode == 4
    assert f"b-mx: debug_peer_list = {PEER}" in done.stdout
    assert f"b-mx: +debug_peer_list = {PEER}" in done.stdout
    heads = [line for line in done.stdout.splitlines() if line.startswith(("a-dead  ", "b-mx  ", "c-mx  "))]
    assert heads[0].startswith("a-dead  unreachable: ")
    assert heads[1:] == ["b-mx  ready", "c-mx  skipped: when: inventory_hostname != 'c-mx'"]
    assert "left alone" not in done.stderr and "error: " not in done.stderr
    assert untouched(stage) == inode


def test_a_confirmation_needs_a_terminal_or_yes(stage: Stage) -> None:
    inode = untouched(stage)
    playbook = stage.write_playbook(f"- {{name: careful, hosts: mx1, confirm: Is the window agreed?, {DEBUG}}}")
    done = stage.run(playbook)
    assert done.returncode == 2
    assert "Is the window agreed?" in done.stderr
    assert "--yes" in done.stderr
    assert untouched(stage) == inode
    code, hosts = stage.start(playbook, "--yes").finish()
    assert (code, hosts["mx1"]["state"]) == (0, "clean")


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("no\n", 3), ("\n", 3), ("\x03", 130)])
def test_the_answer_on_the_terminal_decides(answer: str, code: int, stage: Stage) -> None:
    inode = untouched(stage)
    playbook = stage.write_playbook(f"- {{hosts: mx1, confirm: 'Shall it be?', {DEBUG}}}")
    words = stage.words(str(playbook), "--out", str(stage.folder / "run"))
    assert words[0] == sys.executable
    exit_code, shown = converse(words, "Shall it be? (yes/no)", answer)
    assert exit_code == code, shown
    assert (untouched(stage) == inode) == (code != 0)


def test_hooks_hear_of_the_start_and_the_finish(stage: Stage) -> None:
    stage.write_inventory("mx1", relay_password="Kept-Back-9")
    told = stage.folder / "told"
    with listening_webhook() as (address, posted):
        run = stage.start(
            stage.write_playbook(f"""
- name: watched
  hosts: mx1
  {DEBUG}
  notify:
    start:
      - command: [/bin/sh, -c, 'cat > "$0"', "{{{{ told }}}}"]
      - webhook: {address}
    finish: [{{webhook: "{address}"}}]
    failure: [{{webhook: "{address}"}}]
"""),
            *("-e", f"told={told}", "-e", "also_password=Kept-Back-9"),
        )
        code, _hosts = run.finish()
    assert code == 0
    start = json.loads(told.read_text())
    assert (start["event"], start["play"], start["hosts"]) == ("start", "watched", ["mx1"])
    assert [notice["event"] for notice in posted] == ["start", "finish"]
    assert posted[1]["run"] == stage.run_json()["id"]
    assert (posted[1]["exit_code"], posted[1]["results"]["mx1"]["state"]) == (0, "clean")
    assert "Kept-Back" not in told.read_text() + json.dumps(posted)
    assert str(stage.folder) not in json.dumps(posted)


def test_a_hook_that_fails_is_a_warning_and_changes_nothing(stage: Stage) -> None:
    stage.write_inventory("a-mx", dead=("b-dead",))
    hook = stage.folder / "hook"  # a program that is there, and that cannot be run
    hook.write_text("#!/nonexistent/interpreter\n")
    hook.chmod(0o755)
    with listening_webhook(status=302) as (address, posted):
        run = stage.start(
            stage.write_playbook(f"""
- hosts: all
  {DEBUG}
  notify:
    start:
      - command: [{hook}]
      - command: ["false"]
      - {{command: [sleep, "60"], timeout: 1}}
      - webhook: http://127.0.0.1:1/refused
      - webhook: {address}
    failure: [{{webhook: "{address}"}}]
""")
        )
        began = time.monotonic()
        code, hosts = run.finish()
    assert time.monotonic() - began < 50
    assert (code, hosts["a-mx"]["state"]) == (4, "clean")
    warnings = [event["message"] for event in run.events if event.get("code") == "notify"]
    assert len(warnings) == 6
    for words in ("No such file", "status 1", "no end within 1 seconds", "refused", "answered 302"):
        assert any(words in warning for warning in warnings), (words, warnings)
    assert not any("quiet-part" in warning for warning in warnings)
    assert [notice["event"] for notice in posted] == ["start", "failure"]  # and no redirect was followed
    assert posted[1]["results"]["b-dead"]["error"] == "unreachable"


def test_an_interrupt_reverts_and_begins_nothing_more(stage: Stage) -> None:
    stage.write_inventory("a-mx", "b-mx")
    run = stage.start(
        stage.write_playbook(f"""
- {{name: first, hosts: all, serial: 1, debug: {{peers: {PEER}, minutes: 10}}}}
- {{name: second, hosts: a-mx, {DEBUG}}}
""")
    )
    run.wait_for("armed")
    run.process.send_signal(signal.SIGINT)
    code, hosts = run.finish()
    assert (code, hosts["a-mx"]["state"], hosts["a-mx"]["reverted"]) == (130, "clean", True)
    assert hosts["b-mx"]["error"]["code"] == "interrupted"
    first = next(host for host in stage.run_json()["hosts"] if host["play"] == "first")
    assert (first["host"], first["state"], first["reverted"]) == ("a-mx", "clean", True)


def test_limit_and_list_hosts(stage: Stage) -> None:
    stage.write_inventory("a-mx", "b-mx", "c-mx")
    playbook = stage.write_playbook(f"""
- {{name: first, hosts: "a-mx,b-mx", {DEBUG}}}
- {{name: second, hosts: "b-mx,c-mx", {DEBUG}}}
""")
    assert stage.run(playbook, "--list-hosts").stdout.split() == ["a-mx", "b-mx", "c-mx"]
    assert stage.run(playbook, "--list-hosts", "-l", "c-mx").stdout.split() == ["c-mx"]
    code, hosts = stage.start(playbook, "-l", "c-mx", "--check").finish()
    assert (code, list(hosts)) == (0, ["c-mx"])
    assert stage.run(playbook, "--list-hosts", "-l", "c-mx:!c-mx").returncode == 2


def test_everything_wrong_is_said_before_anything_is_touched(stage: Stage) -> None:
    stage.write_inventory("mx1", pfremote_max_minutes=5)
    inode = untouched(stage)
    playbook = stage.write_playbook("""
- hosts: mx1
  debug: {peers: "{{ peer }}", minutes: 6, level: "{{ level }}"}
- hosts: nosuch-group-*
  debug: {peers: 127.0.0.7}
""")
    done = stage.run(playbook)
    assert done.returncode == 2
    assert f"{playbook}:3: [0].debug.peers: peer is not set" in done.stderr
    assert f"{playbook}:3: [0].debug.level: level is not set" in done.stderr
    assert f"{playbook}:4: [1].hosts: " in done.stderr
    done = stage.run(playbook, "-e", "peer=127.0.0.7", "-e", "level=9")
    assert f"{playbook}:3: [0].debug.level: '9' is not a whole number from 1 to 3" in done.stderr
    done = stage.run(playbook, "-e", "peer=127.0.0.7", "-e", "level=1")
    assert f"{playbook}:3: [0].debug.minutes: mx1 is debugged for 5m at most" in done.stderr
    assert untouched(stage) == inode
