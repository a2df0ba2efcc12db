"""The collection through a real ansible-core, against a private Postfix behind a real sshd, beside the command line."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pfremote.agent.install import make_helper
from pfremote.loopback import LoopbackHost, traffic
from tests.support.agent import STATE_ROOT
from tests.support.collection import CHECKOUT, COLLECTION, Ansible, demand_programs
from tests.support.sshd import SshServer
from tests.support.sudoer import Sudoer

pytestmark = pytest.mark.host

PEER = "127.0.0.7"
LEASE = "0123456789ab"
#: A connection plugin like ansible-core's "local", but for what EngineConnection needs.
WITHOUT_STDIN = """
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = "{name: mute, short_description: for a test, description: feeds no stdin, options: {}}"


class Connection(Local):
    transport = "mute"
    has_pipelining = False
"""


def enter(host: LoopbackHost, folder: Path, **variables: object) -> Ansible:
    """Return Ansible with the private host in its inventory."""
    known = {"pfremote_instance": str(host.config_directory), **variables}
    return Ansible(demand_programs(variable="PFREMOTE_REQUIRE_HOST"), folder, host.ssh_config, {"mx1": known})


@contextmanager
def enter_as(user: Sudoer, host: LoopbackHost, folder: Path, **variables: object) -> Iterator[Ansible]:
    """Return Ansible that logs in as ``user``, by an sshd that every user can pass."""
    known = {"pfremote_instance": str(host.config_directory), **variables}
    programs = demand_programs(variable="PFREMOTE_REQUIRE_HOST")
    with SshServer(folder / "sshd") as server:
        server.trust()
        config = server.write_config(user=user.name)
        with Ansible(programs, folder, config, {"mx1": known}) as found:
            yield found


@pytest.fixture
def ansible(loopback_host: LoopbackHost, tmp_path: Path) -> Iterator[Ansible]:
    """Return Ansible for a host whose main.cf must be the same, byte for byte, when the test is over."""
    before = loopback_host.main_cf.read_bytes()
    with enter(loopback_host, tmp_path) as found:
        yield found
    assert loopback_host.main_cf.read_bytes() == before


def pfremote(host: LoopbackHost, command: str, *words: str) -> list[dict[str, Any]]:
    """Run the command line on the host and return its events."""
    options = ["--ssh-config", str(host.ssh_config), "--instance", str(host.config_directory), "--json"]
    argv = [sys.executable, "-m", "pfremote", command, host.name, *words, *options]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def arm(ansible: Ansible, *options: str, **arguments: Any) -> dict[str, Any]:
    return ansible.task("debug_window", *options, peers=[PEER], allow_volatile_guard=True, **arguments)


def debugging(host: LoopbackHost) -> bool:
    return "debug_peer" in host.main_cf.read_text()


def wait_until_off(host: LoopbackHost, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while debugging(host):
        assert time.monotonic() < deadline, "debugging is still on"
        time.sleep(0.2)


def test_a_runbook_from_arming_to_the_report_keeps_no_password(ansible: Ansible, loopback_host: LoopbackHost) -> None:
    """The role does the whole course; neither what it stores nor what Ansible prints at -vvv has the password."""
    ansible.write_inventory(
        {
            "mx1": {
                "pfremote_instance": str(loopback_host.config_directory),
                "debug_window_allow_volatile_guard": True,
                "debug_window_poll": 1,
            }
        }
    )
    words = ansible.words("ansible-playbook", "pfremote.postfix.sasl_failures", "-vvv")
    words += ["-e", json.dumps({"where": "all", "peer": PEER, "sessions": 2, "dest": str(ansible.folder / "evidence")})]
    with subprocess.Popen(
        words,
        cwd=ansible.folder,
        env=ansible.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        deadline = time.monotonic() + 60
        while not debugging(loopback_host):
            assert running.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(1)
        assert traffic.fail_auth_over_starttls(loopback_host, source_ip=PEER) == 535
        traffic.log_in(loopback_host, source_ip=PEER)
        printed, _ = running.communicate(timeout=120)
    assert running.returncode == 0, printed[-3000:]
    (run,) = (ansible.folder / "evidence" / "mx1").iterdir()
    assert {"run.json", "report.html", "report.md", "mx1"} <= {path.name for path in run.iterdir()}
    assert "C: " in (run / "mx1/transcripts/001.txt").read_text()
    assert run.stat().st_mode & 0o777 == 0o700
    stored = b"".join(path.read_bytes() for path in run.rglob("*") if path.is_file()) + printed.encode()
    for user, password in loopback_host.users.items():
        for secret in (password, base64.b64encode(f"\0{user}\0{password}".encode()).decode()):
            assert secret.encode() not in stored
    assert "AUTH PLAIN" not in printed
    seen = ansible.task("debug_info")
    assert (seen["state"], seen["leases"], seen["left_on"]) == ("clean", [], [])


def test_the_command_line_takes_over_what_the_collection_armed(ansible: Ansible, loopback_host: LoopbackHost) -> None:
    window = arm(ansible, minutes="2", reason="a test", smtpd_tls=1, lease=LEASE)
    assert (window["status"], window["lease"], window["state"]) == ("CHANGED", LEASE, "armed")
    assert window["guard"] and 100 < window["seconds"] <= 120
    assert window["in_force"]["debug_peer_list"] == PEER and window["in_force"]["smtpd_tls_loglevel"] == "1"
    assert any("smtpd_tls_loglevel affects all peers" in item["message"] for item in window["notes"])

    seen = next(event for event in pfremote(loopback_host, "status") if event["event"] == "armed")
    assert (seen["lease"], seen["reason"], seen["peers"]) == (LEASE, "a test", [PEER])
    extended = next(e for e in pfremote(loopback_host, "extend", "--minutes", "9") if e["event"] == "armed")
    assert extended["seconds"] > 500
    assert ansible.task("debug_info", facts=False, lease=LEASE)["leases"][0]["seconds"] > 500

    traffic.log_in(loopback_host, source_ip=PEER)
    pfremote(loopback_host, "revert", "--lease", LEASE)
    out = ansible.folder / "by-hand"
    collected = next(e for e in pfremote(loopback_host, "collect", "--out", str(out)) if e["event"] == "collected")
    assert collected["sessions"] == 1
    assert ansible.task("debug_info")["leases"] == []


def test_the_collection_takes_over_what_the_command_line_armed(ansible: Ansible, loopback_host: LoopbackHost) -> None:
    armed = pfremote(
        loopback_host,
        "debug",
        "--peer",
        PEER,
        "--detach",
        "--minutes",
        "2",
        "--allow-volatile-guard",
        "--reason",
        "by hand",
    )
    lease = next(event["lease"] for event in armed if event["event"] == "armed")
    seen = ansible.task("debug_info")
    assert [(item["id"], item["reason"], item["state"]) for item in seen["leases"]] == [(lease, "by hand", "armed")]
    assert seen["facts"]["config_directory"] == str(loopback_host.config_directory)
    assert seen["facts"]["parameters"]["debug_peer_list"] == PEER

    extended = ansible.task("debug_window", lease=lease, extend=True, minutes="9")
    assert extended["changed"] and extended["seconds"] > 500, extended
    traffic.log_in(loopback_host, source_ip=PEER)
    ended = ansible.task("debug_revert", "--diff", lease=lease)
    assert (ended["changed"], ended["clean"], ended["conflicts"]) == (True, True, [])
    assert f"-{lease} armed {PEER}" in ended["printed"]
    assert not ansible.task("debug_revert", all=True)["changed"]

    collected = ansible.task("debug_collect", all=True, dest="evidence")
    assert (collected["changed"], collected["leases"], collected["sessions"]) == (True, [lease], 1)
    assert collected["complete"] and collected["out"] == [str(ansible.folder / "evidence/mx1" / lease)]
    assert "alice" in collected["exposed"]
    again = ansible.task("debug_collect", lease=lease, dest="evidence")
    assert not again["changed"]
    same = ("out", "sessions", "findings", "complete", "exposed", "missing")
    assert {key: again[key] for key in same} == {key: collected[key] for key in same}
    report = [sys.executable, "-m", "pfremote", "report", collected["out"][0], "--format", "json"]
    assert json.loads(subprocess.run(report, capture_output=True, check=True).stdout)["hosts"]


def test_the_owner_is_who_launched_the_job_in_rundeck(ansible: Ansible) -> None:
    ansible.settings["RD_JOB_USERNAME"] = "operator7"
    arm(ansible, minutes="5", lease=LEASE)
    assert ansible.task("debug_info", facts=False)["leases"][0]["owner"] == "operator7"
    ansible.task("debug_revert", lease=LEASE)


@pytest.mark.parametrize("mark", ["", "!unsafe "])
def test_the_owner_and_the_lease_are_those_of_the_task_in_semaphore(ansible: Ansible, mark: str) -> None:
    """Its extra variables are JSON, or YAML in which every text is marked as unsafe; the id is a number."""
    variables = ansible.folder / "extra.yml"
    variables.write_text(f'semaphore_vars: {{task_details: {{id: 41, username: {mark}"operator7"}}}}\n')
    lease = "{{ (semaphore_vars.task_details.id | string | hash('sha256'))[:12] }}"
    window = arm(ansible, "-e", f"@{variables}", minutes="5", lease=lease)
    assert window["lease"] == hashlib.sha256(b"41").hexdigest()[:12]
    assert ansible.task("debug_info", facts=False)["leases"][0]["owner"] == "operator7"
    ansible.task("debug_revert", lease=window["lease"])


def test_check_mode_changes_nothing_and_shows_what_would(ansible: Ansible, loopback_host: LoopbackHost) -> None:
    planned = arm(ansible, "--check", "--diff", minutes="1")
    assert planned["changed"] and planned["lease"] is None and planned["state"] == "untouched"
    assert f"+debug_peer_list = {PEER}" in planned["printed"]
    assert not debugging(loopback_host) and not list(STATE_ROOT.glob(f"*{loopback_host.root.name}*"))

    arm(ansible, minutes="1", lease=LEASE)
    assert ansible.task("debug_revert", "--check", lease=LEASE)["changed"]
    assert ansible.task("debug_window", "--check", lease=LEASE, extend=True, minutes="9")["seconds"] <= 60
    assert ansible.task("debug_collect", "--check", all=True, dest="evidence")["leases"] == [LEASE]
    assert debugging(loopback_host) and not (ansible.folder / "evidence").exists()
    ansible.task("debug_revert", lease=LEASE)


def test_a_lease_is_armed_once(ansible: Ansible, loopback_host: LoopbackHost) -> None:
    assert arm(ansible, minutes="5", lease=LEASE)["changed"]
    again = arm(ansible, minutes="5", lease=LEASE)
    assert (again["changed"], again["lease"], again["state"]) == (False, LEASE, "armed")
    assert again["in_force"]["debug_peer_list"] == PEER
    other = arm(ansible, minutes="5", lease=LEASE, level=1)
    assert other["status"] == "FAILED!" and other["reasons"][0]["code"] == "lease-differs"
    peers = ["127.0.0.8"]
    other = ansible.task("debug_window", peers=peers, allow_volatile_guard=True, minutes="5", lease=LEASE)
    assert other["status"] == "FAILED!" and "other peers" in other["reasons"][0]["message"]
    ansible.task("debug_revert", lease=LEASE)
    over = arm(ansible, minutes="5", lease=LEASE)
    assert not over["changed"] and over["notes"][0]["code"] == "lease-over"
    assert not debugging(loopback_host)
    late = ansible.task("debug_window", lease=LEASE, extend=True)
    assert late["reasons"][0]["code"] == "lease-over"


def test_anothers_edit_is_left_alone_and_said(loopback_host: LoopbackHost, tmp_path: Path) -> None:
    with enter(loopback_host, tmp_path) as ansible:
        arm(ansible, minutes="5", lease=LEASE)
        loopback_host.postconf("-e", "debug_peer_level=1")
        ended = ansible.task("debug_revert", lease=LEASE)
        assert ansible.task("debug_collect", lease=LEASE, dest="evidence")["conflicts"] == ended["conflicts"]
        assert ended["status"] == "FAILED!" and ended["changed"]
        assert ended["conflicts"] == ["debug_peer_level ours=2 theirs=1"]
        assert "debug_peer_level ours=2 theirs=1" in ended["msg"]
        assert loopback_host.postconf("-h", "debug_peer_level").strip() == "1"


def test_the_host_ends_the_window_when_the_controller_is_killed(ansible: Ansible, loopback_host: LoopbackHost) -> None:
    variables = {"debug_window_peers": [PEER], "debug_window_minutes": "20s", "debug_window_allow_volatile_guard": True}
    play = [{"hosts": "all", "gather_facts": False, "roles": ["pfremote.postfix.debug_window"], "vars": variables}]
    (ansible.folder / "play.yml").write_text(json.dumps(play))
    running = subprocess.Popen(
        ansible.words("ansible-playbook", "play.yml"),
        cwd=ansible.folder,
        env=ansible.environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if "Wait until it is over" in line:
            break
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    running.stdout.close()
    assert debugging(loopback_host)
    wait_until_off(loopback_host, 20 + 5)
    assert ansible.task("debug_info", facts=False)["clean"]


@pytest.mark.parametrize(("minutes", "code"), [("90", "usage"), ("1", "all-peers")])
def test_what_is_not_allowed_is_refused_in_the_words_of_a_playbook(
    ansible: Ansible, loopback_host: LoopbackHost, minutes: str, code: str
) -> None:
    ansible.write_inventory(
        {"mx1": {"pfremote_instance": str(loopback_host.config_directory), "pfremote_max_minutes": 60}}
    )
    peers = [PEER] if code == "usage" else ["0.0.0.0/0"]
    refused = ansible.task("debug_window", peers=peers, minutes=minutes, allow_volatile_guard=True)
    assert refused["status"] == "FAILED!" and refused["reasons"][0]["code"] == code
    assert "--" not in refused["msg"]
    assert ("pfremote_max_minutes" if code == "usage" else "all_peers: true") in refused["msg"]


def test_a_delegated_task_keeps_to_the_variables_of_the_host_that_it_goes_to(
    ansible: Ansible, loopback_host: LoopbackHost
) -> None:
    known = {
        "pfremote_instance": "{{ where }}",
        "where": str(loopback_host.config_directory),
        "pfremote_max_minutes": 30,
    }
    ansible.write_inventory({"mx1": known, "here": {"ansible_connection": "local", "pfremote_max_minutes": 60}})
    task = {
        "pfremote.postfix.debug_window": {
            "peers": [PEER],
            "minutes": "{{ wanted }}",
            "allow_volatile_guard": True,
            "lease": LEASE,
        },
        "delegate_to": "{{ item }}",
        "loop": ["mx1"],
    }
    play = json.dumps([{"hosts": "here", "gather_facts": False, "tasks": [task]}])
    refused = ansible.play(play, wanted=45)
    assert refused.returncode == 2 and "mx1 is debugged for 30m at most" in refused.stdout, refused.stdout
    done = ansible.play(play, wanted=20)
    assert done.returncode == 0, done.stdout
    assert debugging(loopback_host)
    assert ansible.task("debug_revert", lease=LEASE)["clean"]


def test_wrong_parameters_are_named_before_the_host_is_asked(ansible: Ansible) -> None:
    ansible.write_inventory({"mx1": {"ansible_host": "127.0.0.1", "ansible_port": 1}})
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"peers": []}, "peers"),
        ({"peers": [PEER], "minutes": "soon"}, "soon"),
        ({"peers": [PEER], "lease": "x"}, "lease"),
        ({"peers": [PEER], "stop_after": 0}, "stop_after"),
        ({"peers": [PEER], "reason": "two\nlines"}, "reason"),
        ({"peers": [PEER], "levels": 1}, "levels"),
    )
    for arguments, word in wrong:
        failed = ansible.task("debug_window", **arguments)
        assert failed["status"] == "FAILED!" and word in failed["msg"], (arguments, failed)
    others: tuple[tuple[str, dict[str, Any]], ...] = (("debug_revert", {}), ("debug_collect", {"dest": "x"}))
    for name, more in others:
        failed = ansible.task(name, lease=LEASE, all=True, **more)
        assert failed["status"] == "FAILED!" and "lease" in failed["msg"]
    gone = ansible.task("debug_window", peers=[PEER])
    assert gone["status"] == "UNREACHABLE!"


def test_the_raw_log_is_not_brought_where_ansible_would_write_it_down(ansible: Ansible) -> None:
    ansible.settings["ANSIBLE_DEBUG"] = "1"
    words = ("mx1", "-m", "pfremote.postfix.debug_collect", "-a", json.dumps({"all": True, "dest": "evidence"}))
    done = ansible.run("ansible", *words)
    assert done.returncode != 0 and "ANSIBLE_DEBUG is on" in done.stdout


def test_a_controller_without_pfremote_is_told_so(ansible: Ansible) -> None:
    programs = Path(os.environ.get("PFREMOTE_ANSIBLE_BIN") or CHECKOUT / ".venv-ansible/bin")
    if not (programs / "ansible").exists():
        pytest.skip("no ansible-core without pfremote beside it")
    ansible.programs = programs
    failed = ansible.task("debug_info", facts=False)
    assert failed["status"] == "FAILED!" and "pip install --upgrade pfremote" in failed["msg"]


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_become_password_reaches_sudo_and_nothing_else(
    loopback_host: LoopbackHost, tmp_path: Path, pipelining: bool
) -> None:
    with Sudoer("ALL=(ALL) ALL") as user:
        become = {"ansible_become": True, "ansible_become_password": user.password, "ansible_pipelining": pipelining}
        with enter_as(user, loopback_host, tmp_path, **become) as ansible:
            window = arm(ansible, "-vvv", minutes="5", lease=LEASE)
            assert (window["status"], window["state"]) == ("CHANGED", "armed"), window
            assert user.password not in window["printed"]
            assert ansible.task("debug_revert", lease=LEASE)["clean"]
            for wrong in ("not it", None):
                known = {**ansible.hosts["mx1"], "ansible_become_password": wrong}
                ansible.write_inventory({"mx1": {key: value for key, value in known.items() if value is not None}})
                failed = ansible.task("debug_info", facts=False)
                assert failed["status"] == "FAILED!" and failed["reasons"][0]["code"] == "become", failed
                assert "assword" in failed["msg"]


def test_one_line_in_sudoers_is_enough_with_an_installed_agent(loopback_host: LoopbackHost, tmp_path: Path) -> None:
    helper = Path("/usr/local/sbin") / f"pfremote-agent-{loopback_host.root.name}"
    try:
        helper.write_bytes(make_helper())
        helper.chmod(0o755)
        with Sudoer(f"ALL=(root) NOPASSWD: {helper}") as user:
            with enter_as(user, loopback_host, tmp_path, pfremote_helper=str(helper)) as ansible:
                seen = ansible.task("debug_info")
                assert seen["status"] == "SUCCESS" and seen["state"] == "clean", seen
            with enter_as(user, loopback_host, tmp_path / "without") as ansible:
                failed = ansible.task("debug_info")
                assert failed["reasons"][0]["code"] == "not-root" and "become" in failed["msg"]
    finally:
        helper.unlink(missing_ok=True)


def test_the_audit_passes_where_nothing_is_on_and_names_what_is(ansible: Ansible, loopback_host: LoopbackHost) -> None:
    audit = COLLECTION / "playbooks" / "left_on.yml"
    done = ansible.play(audit)
    assert done.returncode == 0, done.stdout + done.stderr
    before = loopback_host.main_cf.read_bytes()
    loopback_host.postconf("-e", "debug_peer_list=192.0.2.77")
    done = ansible.play(audit)
    loopback_host.main_cf.write_bytes(before)
    assert done.returncode == 2
    assert "192.0.2.77" in done.stdout, done.stdout


def test_the_machine_itself_needs_no_ssh(ansible: Ansible, loopback_host: LoopbackHost) -> None:
    ansible.write_inventory(
        {"mx1": {"pfremote_instance": str(loopback_host.config_directory), "ansible_connection": "local"}}
    )
    assert arm(ansible, minutes="5", lease=LEASE)["state"] == "armed"
    assert ansible.task("debug_revert", all=True)["clean"]


def test_a_connection_that_feeds_no_stdin_is_refused_in_words(ansible: Ansible) -> None:
    """As paramiko_ssh is, which ansible-core has no more from 2.21 on."""
    (ansible.folder / "plugins").mkdir()
    (ansible.folder / "plugins/mute.py").write_text(WITHOUT_STDIN)
    ansible.settings["ANSIBLE_CONNECTION_PLUGINS"] = str(ansible.folder / "plugins")
    ansible.write_inventory({"mx1": {"ansible_connection": "mute"}})
    failed = ansible.task("debug_info")
    assert failed["status"] == "FAILED!" and "ansible_connection: ssh" in failed["msg"]


@pytest.mark.parametrize("missing", ["pfremote", "click_option_group"])
def test_what_is_missing_on_the_controller_is_named(missing: str, ansible: Ansible, tmp_path: Path) -> None:
    shadows = tmp_path / "shadows"
    shadows.mkdir()
    (shadows / f"{missing}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{missing}'\")\n")
    ansible.settings["PYTHONPATH"] = str(shadows)
    result = arm(ansible)
    assert result["status"] == "FAILED!"
    assert (
        f"lacks something that it needs, or is too old for this collection (ModuleNotFoundError: No module named '{missing}')"
        in result["msg"]
    )
