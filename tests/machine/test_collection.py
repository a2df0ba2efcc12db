"""Ten whole machines without Python through ansible-playbook: batches, trouble, become by three ways, a dead controller."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.machine.conftest import ALL
from tests.support.collection import Ansible, demand_programs
from tests.support.outside import debugging, look, wait_for_look

pytestmark = pytest.mark.machine

CLIENT = "10.0.1.20"
EDITED, DEAD, WITH_PASSWORD, BY_SU = ALL[:4]
ROOT_PASSWORD = "invented-root-password"


@pytest.fixture
def ansible(ten: Lab, tmp_path: Path) -> Iterator[Ansible]:
    """Return Ansible at the controller; two machines are entered in other ways than by sudo without a password."""
    hosts: dict[str, dict[str, object]] = {name: {} for name in ALL}
    machine = ten.machines[WITH_PASSWORD]
    hosts[WITH_PASSWORD] = {"ansible_user": "opspw", "ansible_become_password": machine.sudo_password}
    hosts[BY_SU] = {"ansible_become_method": "su", "ansible_become_password": ROOT_PASSWORD}
    ten.machines[BY_SU].run(["chpasswd"], stdin=f"root:{ROOT_PASSWORD}\n")
    programs = demand_programs(variable="PFREMOTE_REQUIRE_LAB")
    before = ("ip", "netns", "exec", ten.controller_namespace)
    with Ansible(programs, tmp_path, ten.ssh_config, hosts, before) as found:
        found.settings["ANSIBLE_FORKS"] = str(len(ALL))
        yield found


def write_play(ansible: Ansible, **play: object) -> None:
    """Write a play of the role; ``variables`` are its own."""
    variables = {"debug_window_peers": [CLIENT], "debug_window_poll": 2, **play.pop("variables", {})}  # type: ignore[dict-item]
    written = {
        "hosts": "all",
        "gather_facts": False,
        "roles": ["pfremote.postfix.debug_window"],
        "vars": variables,
        **play,
    }
    (ansible.folder / "play.yml").write_text(json.dumps([written]))


def start(ansible: Ansible) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ansible.words("ansible-playbook", "play.yml"),
        cwd=ansible.folder,
        env=ansible.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_until_armed(ten: Lab, names: tuple[str, ...], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not all(debugging(ten.machines[name]) for name in names):
        assert time.monotonic() < deadline, "not armed"
        time.sleep(0.3)


def test_ten_hosts_in_batches_with_three_in_trouble(ten: Lab, ansible: Ansible) -> None:
    """One dead, one edited by another user, two with become passwords: each has its own fate, the others are served."""
    before = {name: look(ten.machines[name]) for name in ALL}
    assert "python" not in ten.machines[ALL[5]].run(["sh", "-c", "ls /usr/bin | grep python; true"]).stdout
    ten.machines[DEAD].cable("down")
    write_play(
        ansible, serial=5, variables={"debug_window_minutes": "25s", "debug_window_dest": str(ansible.folder / "ev")}
    )
    running = start(ansible)
    try:
        armed = tuple(name for name in ALL[:5] if name != DEAD)
        wait_until_armed(ten, armed, 60)
        ten.machines[EDITED].run(["postconf", "-e", "debug_peer_level=1"])
        for name in armed:
            ten.client.fail_auth(ten.machines[name])
        printed, _ = running.communicate(timeout=240)
    finally:
        running.kill()
        ten.machines[DEAD].cable("up")
    recap = {line.split()[0]: line for line in printed.partition("PLAY RECAP")[2].splitlines() if ":" in line}
    troubled = {EDITED: "failed=1", DEAD: "unreachable=1"}
    for name in ALL:
        expected = troubled.get(name, "failed=0")
        assert expected in recap[name], printed[-4000:]
    assert "debug_peer_level ours=2 theirs=1" in printed
    assert ROOT_PASSWORD not in printed and ten.machines[WITH_PASSWORD].sudo_password not in printed
    for name in ALL:
        if name not in troubled:
            wait_for_look(ten.machines[name], before[name], 20)
            (run,) = (ansible.folder / "ev" / name).iterdir()
            assert (run / name / "transcripts/001.txt").exists() == (name in ALL[:5]), name
    ten.machines[EDITED].run(["postconf", "-X", "debug_peer_level"])


def test_every_host_is_clean_at_its_deadline_when_the_controller_is_killed(ten: Lab, ansible: Ansible) -> None:
    names = tuple(name for name in ALL if name != EDITED)  # whose main.cf the test before has changed
    before = {name: look(ten.machines[name]) for name in names}
    write_play(ansible, hosts=list(names), variables={"debug_window_minutes": "30s"})
    running = start(ansible)
    wait_until_armed(ten, names, 60)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=20)
    killed = time.monotonic()
    for name in names:
        wait_for_look(ten.machines[name], before[name], max(1.0, 30 + 5 + 20 - (time.monotonic() - killed)))
    seen = ansible.run("ansible", ",".join(names), "-b", "-m", "pfremote.postfix.debug_info", "-a", "facts=false")
    assert seen.stdout.count('"state": "reverted"') == len(names), seen.stdout
    assert seen.stdout.count('"clean": true') == len(names)
