"""Ten whole machines behind one jump host: five of them in trouble, the other five served all the same."""

from __future__ import annotations

import base64
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab, Machine
from tests.machine.conftest import ALL
from tests.support.operator import Operator
from tests.support.running import Running
from tests.support.sshd import SshServer, make_key

pytestmark = pytest.mark.machine

CLIENT = "10.0.1.20"
CUT, STOPPED, IMPOSTOR, LOCKED, HANGING = ALL[:5]
SERVED = ALL[5:]
#: On the PATH before the real one: any command as root goes to sleep in the middle.
SLEEPING_SUDO = "#!/bin/sh\nexec sleep 3600\n"
SUDO = "/usr/local/bin/sudo"
#: What `probe`, the first call of the agent, may take (asking.VERB_SECONDS), and some for a busy machine.
PROBE_LIMIT = 60
SLACK = 35


@pytest.fixture(scope="module")
def bastion(ten: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """Return an sshd with a default MaxStartups at 10.0.1.1, in the namespace that has the bridge."""
    folder = tmp_path_factory.mktemp("bastion")
    server = ten.call(SshServer, folder, address="10.0.1.1", client_key=ten.private_key)
    server.trust()
    ten.call(server.start)
    yield server
    server.stop()


def write_config(path: Path, lab: Lab, bastion: SshServer, *first: str) -> Path:
    """Write an ssh_config that leads to every machine through the jump host; ``first`` goes before."""
    blocks = [*first, bastion.describe("gate"), "Host mx*\n  ProxyJump gate", f"Match all\nInclude {lab.ssh_config}"]
    path.write_text("\n".join(blocks) + "\n")
    return path


@pytest.fixture
def operator(ten: Lab, bastion: SshServer, tmp_path: Path) -> Operator:
    """Return an operator whose every way leads through the jump host."""
    return Operator(ten, tmp_path, write_config(tmp_path / "config", ten, bastion))


@pytest.fixture
def troubled(ten: Lab, bastion: SshServer, tmp_path: Path) -> Iterator[Operator]:
    """Bring the first five machines into trouble, each another one, and mend them afterwards."""
    impostor = make_key(tmp_path / "impostor").with_suffix(".pub").read_text().split()
    wrong = tmp_path / "wrong_known_hosts"
    wrong.write_text(f"{ten.machines[IMPOSTOR].address} {impostor[0]} {impostor[1]}\n")
    config = write_config(
        tmp_path / "config",
        ten,
        bastion,
        f"Host {IMPOSTOR}\n  UserKnownHostsFile {wrong}",
        f"Host {LOCKED}\n  User opspw",
    )
    ten.machines[CUT].cable("down")
    ten.machines[STOPPED].run(["postfix", "stop"])
    hang(ten.machines[HANGING])
    yield Operator(ten, tmp_path, config)
    ten.machines[CUT].cable("up")
    ten.machines[STOPPED].run(["postfix", "start"])
    wake(ten.machines[HANGING])


def hang(machine: Machine) -> None:
    """Let every command that needs root hang from now on."""
    machine.write(SUDO, SLEEPING_SUDO)
    machine.run(["chmod", "755", SUDO])


def wake(machine: Machine) -> None:
    """Let commands end again, and end those that hang."""
    machine.run(["rm", SUDO])
    machine.run(["pkill", "-x", "sleep"], check=False)


def moment(event: dict[str, Any]) -> float:
    """Return when an event was, as epoch seconds."""
    return datetime.fromisoformat(event["time"]).timestamp()


def first(window: Running, kind: str, host: str) -> dict[str, Any]:
    """Return the first event of a kind about a host."""
    return next(event for event in window.events if event["event"] == kind and event.get("host") == host)


def main_cf(lab: Lab) -> dict[str, str]:
    """Return every machine's main.cf."""
    return {name: machine.read("/etc/postfix/main.cf") for name, machine in lab.machines.items()}


def test_five_in_trouble_do_not_keep_the_other_five_waiting(ten: Lab, troubled: Operator, tmp_path: Path) -> None:
    before = main_cf(ten)
    began = time.time()
    options = ["--peer", CLIENT, "--minutes", "10s", "-f", "10", "-T", "6"]
    window = troubled.start(*ALL, *options, "--out", str(tmp_path / "run"), "--tree", str(tmp_path / "tree"))
    armed: set[str] = set()
    while armed != set(SERVED):
        armed.add(window.wait_for("armed")["host"])
    for name in SERVED:
        ten.client.fail_auth(ten.machines[name])
    code, hosts = window.finish(timeout=PROBE_LIMIT + 60)
    took = time.time() - began

    assert code == 4
    assert list(hosts) == list(ALL)
    for name in SERVED:
        flags = [hosts[name][flag] for flag in ("armed", "reverted", "drained", "complete")]
        assert (hosts[name]["state"], flags, hosts[name]["sessions"]) == ("clean", [True] * 4, 1), hosts[name]
    wanted = {CUT: "unreachable", STOPPED: "not-running", IMPOSTOR: "host-key", LOCKED: "become", HANGING: "deadline"}
    assert {name: hosts[name]["error"]["code"] for name in wanted} == wanted
    assert {hosts[name]["state"] for name in wanted} == {"untouched"}
    assert main_cf(ten) == before
    assert {path.name for path in (tmp_path / "tree").iterdir()} == set(ALL)

    # The hanging host had its whole limit, and nobody waited for it: not the served ones, nor the failed.
    assert took < PROBE_LIMIT + SLACK
    hung = moment(first(window, "failed", HANGING))
    for name in SERVED:
        assert moment(first(window, "collected", name)) < hung - 5
    for name in (CUT, STOPPED, IMPOSTOR, LOCKED):
        assert moment(first(window, "failed", name)) < began + SLACK
    late = [event for event in window.events if event.get("code") == "straggler"]
    assert any(event["hosts"].get(HANGING, {}).get("doing") == "arming" for event in late)
    assert all(later >= earlier + 9.9 for earlier, later in zip(map(moment, late), map(moment, late[1:]), strict=False))


def test_a_second_interrupt_names_who_is_left_and_until_when(ten: Lab, operator: Operator, tmp_path: Path) -> None:
    names, lost = SERVED[:3], SERVED[2]
    before = main_cf(ten)
    window = operator.start(*names, "--peer", CLIENT, "--minutes", "30s", "--out", str(tmp_path / "run"))
    armed: dict[str, dict[str, Any]] = {}
    while set(armed) != set(names):
        event = window.wait_for("armed")
        armed[event["host"]] = event
    hang(ten.machines[lost])
    try:
        window.process.send_signal(signal.SIGINT)
        for _ in names[:2]:
            assert window.wait_for("collected")["host"] in names[:2]
        asked = time.time()
        window.process.send_signal(signal.SIGINT)
        code, hosts = window.finish(timeout=30)
        assert time.time() - asked < 10
    finally:
        wake(ten.machines[lost])
    assert code == 5
    assert [hosts[name]["state"] for name in names] == ["clean", "clean", "unknown"]
    deadline = datetime.fromisoformat(armed[lost]["deadline"]).timestamp()
    said = hosts[lost]["error"]["hint"].partition("ends the lease by ")[2].partition(";")[0]
    until = datetime.strptime(said, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    assert abs(until.timestamp() - (deadline + 5)) <= 2
    while "debug_peer" in ten.machines[lost].read("/etc/postfix/main.cf"):
        assert time.time() < deadline + 5, "the guard did not keep what was promised"
        time.sleep(0.2)
    assert main_cf(ten) == before
    assert operator.run("revert", lost)[0] == 0


def test_no_level_of_v_shows_a_secret(ten: Lab, operator: Operator, tmp_path: Path) -> None:
    """The sudo password and a captured AUTH, with -vvvv, in all that is said and all that is kept."""
    machine = ten.machines[SERVED[3]]
    secret = tmp_path / "password"
    secret.touch(mode=0o600)
    secret.write_text(machine.sudo_password + "\n")
    words = ["-vvvv", "-u", "opspw", "--become-password-file", str(secret), "--peer", CLIENT, "--minutes", "2"]
    kept = ["--out", str(tmp_path / "run"), "--tree", str(tmp_path / "tree"), "--stop-after", "1"]
    process = subprocess.Popen(
        operator.words("debug", machine.name, *words, *kept),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=operator.environment(),
    )
    said = ""
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if "armed until" in line:
                assert ten.client.log_in(machine) == 235
    assert process.returncode == 0, said
    assert "< payload evidence" in said
    assert "captured=1" in said
    files = [path for folder in ("run", "tree") for path in (tmp_path / folder).rglob("*") if path.is_file()]
    everything = said.encode() + b"".join(path.read_bytes() for path in files)
    password = machine.users["alice"]
    for planted in (machine.sudo_password, password):
        assert planted.encode() not in everything
        assert base64.b64encode(planted.encode()).rstrip(b"=") not in everything
    assert base64.b64encode(f"\0alice\0{password}".encode()) not in everything
