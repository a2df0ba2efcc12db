"""The collection as AWX starts it: ansible-runner, a survey's answers, a machine credential, a password for a prompt."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pfremote.loopback import LoopbackHost, traffic
from tests.support.agent import STATE_ROOT
from tests.support.collection import Ansible, demand_programs
from tests.support.hosts import skip_or_fail
from tests.support.sshd import SshServer
from tests.support.sudoer import Sudoer

pytestmark = pytest.mark.host

PEER = "127.0.0.7"
JOB = 7
LEASE = hashlib.sha256(str(JOB).encode()).hexdigest()[:12]
#: As docs/howto/ansible-awx.md says it.
LEASE_OF_THE_JOB = "{{ (tower_job_id | string | hash('sha256'))[:12] }}"
INVENTORY = "#! /usr/bin/env python3\nprint({!r})\n"


class Job:
    """The folder that AWX hands to ansible-runner: extra variables, passwords, key, an inventory that is a program.

    AWX marks the answers of a survey as unsafe, so that no template in them counts; what the job template says, and
    what AWX adds of its own, is not marked.
    """

    def __init__(self, ansible: Ansible, folder: Path, ssh_config: Path, **hostvars: object) -> None:
        self.folder = folder
        self._runner = ansible.programs / "ansible-runner"
        if not self._runner.exists():
            skip_or_fail("no ansible-runner beside ansible-core", variable="PFREMOTE_REQUIRE_HOST")
        environment = ansible.environment()
        self._environment = {**environment, "PATH": f"{ansible.programs}:{environment['PATH']}"}
        self._environment["ANSIBLE_SSH_ARGS"] = f"-F {ssh_config} -o ControlMaster=no"
        hosts = {"all": {"hosts": ["mx1"]}, "_meta": {"hostvars": {"mx1": hostvars}}}
        self.write("inventory/hosts", INVENTORY.format(json.dumps(hosts))).chmod(0o700)
        self.write("env/settings", json.dumps({"idle_timeout": 0, "job_timeout": 200}))

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def ask(self, survey: dict[str, object], template: dict[str, object]) -> None:
        """Write the extra variables; JSON is YAML, but for the mark."""
        answers = [
            f"!unsafe {json.dumps(name)}: " + (f"!unsafe {json.dumps(value)}" if isinstance(value, str) else f"{value}")
            for name, value in survey.items()
        ]
        known = {"awx_user_name": "operator7", "tower_job_id": JOB, "awx_job_id": JOB, **template}
        given = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in known.items()]
        self.write("env/extravars", "\n".join([*answers, *given]) + "\n")

    def start(self, command: str, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        argv = [str(self._runner), command, *words]
        return subprocess.Popen(argv, env=self._environment, stderr=subprocess.PIPE, **options)

    def end(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for a process to end well; return what it printed."""
        printed, errors = process.communicate(timeout=240)
        text = (printed or b"").decode() + errors.decode()
        assert process.returncode == 0, text[-3000:]
        return text

    def events(self) -> list[dict[str, Any]]:
        """Return what AWX would keep of the job, in its order."""
        found = [json.loads(path.read_bytes()) for path in (self.folder / "artifacts").rglob("job_events/*.json")]
        return sorted(found, key=lambda event: event["counter"])

    def result(self, task: str) -> dict[str, Any]:
        """Return what the task that ended well, or changed something, returned."""
        (event,) = [
            event
            for event in self.events()
            if event["event"] == "runner_on_ok" and event["event_data"]["task"].endswith(task)
        ]
        result: dict[str, Any] = event["event_data"]["res"]
        return result

    def kept(self) -> bytes:
        """Return all that is kept of the job."""
        return b"".join(path.read_bytes() for path in (self.folder / "artifacts").rglob("*") if path.is_file())


@pytest.fixture
def ansible(loopback_host: LoopbackHost, tmp_path: Path) -> Iterator[Ansible]:
    before = loopback_host.main_cf.read_bytes()
    programs = demand_programs(variable="PFREMOTE_REQUIRE_HOST")
    with Ansible(programs, tmp_path, loopback_host.ssh_config, {}) as found:
        yield found
    assert loopback_host.main_cf.read_bytes() == before


def wait_until_on(host: LoopbackHost, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while "debug_peer" not in host.main_cf.read_text():
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)


def test_a_job_with_a_survey_and_a_machine_credential(
    ansible: Ansible, loopback_host: LoopbackHost, tmp_path: Path
) -> None:
    """The lease is that of the job, its owner who launched it; the key comes by the agent that ansible-runner starts."""
    config = tmp_path / "ssh_config"
    lines = loopback_host.ssh_config.read_text().splitlines()
    config.write_text("\n".join(line for line in lines if "Identit" not in line) + "\n")
    known = {
        "pfremote_instance": str(loopback_host.config_directory),
        "debug_window_allow_volatile_guard": True,
        "debug_window_poll": 1,
    }
    job = Job(ansible, tmp_path / "job", config, **known)
    job.write("env/ssh_key", loopback_host.private_key.read_text())
    job.write("project/debug.yml", "- import_playbook: pfremote.postfix.sasl_failures\n")
    survey = {"peer": PEER, "minutes": 2, "reason": "{{ 6 * 7 }}: it's asked for", "where": "all"}
    job.ask(survey, {"debug_window_lease": LEASE_OF_THE_JOB, "dest": str(tmp_path / "evidence"), "sessions": 2})
    running = job.start("run", str(job.folder), "-p", "debug.yml", "--ident", str(JOB), stdout=subprocess.PIPE)
    wait_until_on(loopback_host, running)
    time.sleep(1)
    traffic.log_in(loopback_host, source_ip=PEER)
    assert traffic.fail_auth_over_starttls(loopback_host, source_ip=PEER) == 535
    printed = job.end(running)
    assert (tmp_path / "evidence/mx1" / LEASE / "mx1/transcripts/001.txt").exists(), printed
    armed, seen = job.result("Arm the window"), job.result("Wait until it is over")
    assert (armed["lease"], 100 < armed["seconds"] <= 120) == (LEASE, True)
    lease = next(item for item in seen["leases"] if item["id"] == LEASE)
    assert (lease["owner"], lease["reason"], lease["peers"]) == ("operator7", "{{ 6 * 7 }}: it's asked for", [PEER])
    for password in loopback_host.users.values():
        assert password.encode() not in job.kept() + printed.encode()


def test_a_job_that_is_sent_to_another_node_and_asked_for_a_password(
    ansible: Ansible, loopback_host: LoopbackHost, tmp_path: Path
) -> None:
    """As AWX sends a job through its mesh: transmit, worker, process. sudo's password answers Ansible's own prompt."""
    with Sudoer("ALL=(ALL) ALL") as user, SshServer(tmp_path / "sshd") as server:
        server.trust()
        known = {"pfremote_instance": str(loopback_host.config_directory)}
        job = Job(ansible, tmp_path / "job", server.write_config(user=user.name), **known)
        job.write("env/cmdline", "--become --ask-become-pass --check --diff")
        job.write("env/passwords", json.dumps({r"BECOME password.*:\s*?$": user.password}))
        job.write("project/debug.yml", "- import_playbook: pfremote.postfix.sasl_failures\n")
        survey = {"peer": PEER, "minutes": 2, "reason": "", "where": "all"}
        job.ask(survey, {"debug_window_allow_volatile_guard": True, "dest": str(tmp_path / "evidence")})
        send = job.start("transmit", str(job.folder), "-p", "debug.yml", stdout=subprocess.PIPE)
        node = tmp_path / "node"
        node.mkdir()
        work = job.start("worker", "--private-data-dir", str(node), stdin=send.stdout, stdout=subprocess.PIPE)
        receive = job.start("process", str(job.folder), stdin=work.stdout, stdout=subprocess.PIPE)
        printed = job.end(receive)
        for process in (work, send):
            process.communicate(timeout=60)
        planned = job.result("Arm the window")
        assert (planned["state"], planned["changed"]) == ("untouched", True)
        assert f"+debug_peer_list = {PEER}" in printed
        assert user.password.encode() not in job.kept() + printed.encode()
        assert not list(STATE_ROOT.glob(f"*{loopback_host.root.name}*"))
        assert list(node.iterdir())
