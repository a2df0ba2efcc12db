"""The collection on ten machines, beside the command line and beside plain tasks; and what each step costs.

The plain tasks are what a team would write: three times lineinfile, and a handler that reloads Postfix. They have
no deadline, no guard, no read-back and no way back. Costs are for each host: CPU of the control side, CPU on the host
(all its processes), bytes on the wire in both directions. A thousand inventory names
are in collection_names.
"""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lab import Lab
from tests.support.collection import Ansible, find_programs

from bench.interpreter import give_python
from bench.measure import Row, Side, compare, interleave, parse_arguments, report, run, say
from bench.ours import Ours
from bench.processes import adopt_orphans, count_orphans_cpu

PEER = "10.0.1.20"
LEASE = "0123456789ab"
PARAMETERS = {"debug_peer_list": PEER, "debug_peer_level": "2", "smtpd_tls_loglevel": "1"}
_TICK = 100  # Linux reports CPU times in hundredths of a second (proc(5), USER_HZ)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one step cost for each host: milliseconds of CPU on both sides, bytes on the wire."""

    control: float
    host: float
    wire: float


def main() -> None:
    """Boot the machines and measure."""
    parser = parse_arguments((__doc__ or "").split("\n")[0], rounds=3)
    parser.add_argument("--machines", type=int, default=10, help="how many (default: %(default)s)")
    arguments = parser.parse_args()
    programs = find_programs()
    if programs is None:
        raise SystemExit("there is no ansible-core with pfremote beside it: sh scripts/check-collection venv")
    adopt_orphans()
    say(f"collection: booting {arguments.machines} machines")
    with Lab(machines=arguments.machines) as lab, tempfile.TemporaryDirectory() as name:
        give_python(lab.machines.values())
        with Ansible(programs, Path(name), lab.ssh_config, {host: {} for host in lab.machines}) as ansible:
            report(lab.call(_measure, lab, Path(name), ansible, arguments.rounds))


def _measure(lab: Lab, folder: Path, ansible: Ansible, rounds: int) -> list[Row]:
    ansible.settings.update(
        {"ANSIBLE_PIPELINING": "1", "ANSIBLE_PYTHON_INTERPRETER": "auto_silent", "ANSIBLE_FORKS": "10"}
    )
    _write_plays(folder)
    ours = Ours(lab, list(lab.machines), folder, lab.ssh_config)
    saved = {name: machine.read("/etc/postfix/main.cf") for name, machine in lab.machines.items()}

    def play(name: str) -> None:
        run(ansible.words("ansible-playbook", f"{name}.json"), env=ansible.environment(), cwd=folder)

    def put_back() -> None:
        ansible.hang_up()
        ours.put_back()

    def restore() -> None:
        ansible.hang_up()
        for name, machine in lab.machines.items():
            machine.write("/etc/postfix/main.cf", saved[name])
            machine.run(["sh", "-c", "touch -d '1 minute ago' /etc/postfix/main.cf; postfix reload 2>/dev/null"])

    sides = [
        Side("collection", lambda: play("arm"), put_back),
        Side("command line", ours.arm, put_back),
        Side("lineinfile and handler", lambda: play("plain"), restore),
    ]
    medians = interleave(sides, rounds)
    what = f"arm {len(lab.machines)} machines"
    rows = compare("collection", what, medians, "collection", {side.name: None for side in sides[1:]})
    return rows + _measure_costs(lab, ours, play, put_back, restore)


def _measure_costs(
    lab: Lab, ours: Ours, play: Callable[[str], None], put_back: Callable[[], None], restore: Callable[[], None]
) -> list[Row]:
    """Take one window through its steps by both ways, and the plain tasks once."""
    costs = {"arm": _cost(lab, lambda: play("arm")), "look": _cost(lab, lambda: play("look"))}
    _make_traffic(lab)
    costs["revert and collect"] = _cost(lab, lambda: play("end"))
    put_back()
    line = {"arm": _cost(lab, ours.arm), "look": _cost(lab, lambda: ours.run("status"))}
    _make_traffic(lab)
    line["revert and collect"] = _cost(lab, lambda: (ours.run("revert"), ours.run("collect")))
    put_back()
    plain = _cost(lab, lambda: play("plain"))
    restore()
    rows = []
    for step, mine in costs.items():
        rows += _rows(step, mine, "command line", line[step])
    return rows + _rows("arm", costs["arm"], "lineinfile and handler", plain)


def _rows(step: str, mine: Cost, peer: str, theirs: Cost) -> list[Row]:
    return [
        Row("collection", f"{step}: control CPU, each host", mine.control, "ms", peer, theirs.control),
        Row("collection", f"{step}: CPU on the host", mine.host, "ms", peer, theirs.host),
        Row("collection", f"{step}: bytes on the wire", mine.wire / 1000, "kB", peer, theirs.wire / 1000),
    ]


def _make_traffic(lab: Lab) -> None:
    for machine in lab.machines.values():
        for _ in range(5):
            lab.client.fail_auth(machine)


def _cost(lab: Lab, work: Callable[[], object]) -> Cost:
    """Return what ``work`` cost; the host's guard goes on for a moment after it."""
    wire, hosts, control = _count_bytes(lab), _count_host_cpu(lab), _count_control_cpu()
    work()
    control = _count_control_cpu() - control
    time.sleep(2)
    number = len(lab.machines)
    return Cost(
        control / number * 1000,
        (_count_host_cpu(lab) - hosts) / number * 1000,
        (_count_bytes(lab) - wire) / number,
    )


def _count_control_cpu() -> float:
    """Sum what the programs used, with the ssh processes that Ansible keeps: these do the encryption."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime + count_orphans_cpu()


def _count_bytes(lab: Lab) -> int:
    shown = subprocess.run(["ip", "-s", "-j", "link"], capture_output=True, text=True, check=True).stdout
    counters = {link["ifname"]: link["stats64"] for link in json.loads(shown)}
    return sum(counters[name][way]["bytes"] for name in lab.machines for way in ("rx", "tx"))


def _count_host_cpu(lab: Lab) -> float:
    """Sum what the machines' processes used, those that are gone in what their parents waited for (proc(5))."""
    ticks = 0
    for machine in lab.machines.values():
        lines = machine.run(["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true"]).stdout.splitlines()
        ticks += sum(sum(map(int, line.rpartition(") ")[2].split()[11:15])) for line in lines)
    return ticks / _TICK


def _write_plays(folder: Path) -> None:
    prefix = "pfremote.postfix"
    arm = {"peers": [PEER], "level": 2, "smtpd_tls": 1, "minutes": 5, "lease": LEASE}
    plays: dict[str, list[dict[str, object]]] = {
        "arm": [{f"{prefix}.debug_window": arm}],
        "look": [{f"{prefix}.debug_info": {"facts": False}}],
        "end": [
            {f"{prefix}.debug_revert": {"lease": LEASE}},
            {f"{prefix}.debug_collect": {"lease": LEASE, "dest": str(folder / "evidence")}},
        ],
        "plain": [
            {
                "ansible.builtin.lineinfile": {
                    "path": "/etc/postfix/main.cf",
                    "regexp": f"^{key} =",
                    "line": f"{key} = {value}",
                },
                "notify": "reload",
            }
            for key, value in PARAMETERS.items()
        ],
    }
    handlers = [{"name": "reload", "ansible.builtin.command": "postfix reload"}]
    for name, tasks in plays.items():
        play = {"hosts": "all", "gather_facts": False, "become": True, "tasks": tasks, "handlers": handlers}
        (folder / f"{name}.json").write_text(json.dumps([play]))


if __name__ == "__main__":
    main()
