"""Turn debugging on at one host: pfremote beside ssh and ansible-playbook doing the bare change.

pfremote also probes the host, arms the guard and sees it armed, reads back what is in force, and waits for
master's own reload line; the peers only copy, edit and reload. Each side connects anew; the library side
(``tasks.arm``) is measured on an open connection.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.lab import Lab

from bench.interpreter import give_python
from bench.measure import Row, Side, compare, interleave, parse_arguments, report, say
from bench.ours import ASK, Ours
from bench.peers import CHANGE, Peers
from pfremote import tasks
from pfremote.agent import client as asking
from pfremote.model.target import Target
from pfremote.transport import ConnectOptions

TARGET_SSH, TARGET_ANSIBLE = 0.5, 0.3


def main() -> None:
    """Boot one machine and measure."""
    rounds = parse_arguments((__doc__ or "").split("\n")[0], rounds=7).parse_args().rounds
    say("arm_one: booting one machine")
    with Lab(machines=1) as lab:
        give_python(lab.machines.values())
        report(lab.call(_measure, lab, rounds))


def _measure(lab: Lab, rounds: int) -> list[Row]:
    target = Target("mx1", "mx1")
    options = ConnectOptions(ssh_config=str(lab.ssh_config))
    with tempfile.TemporaryDirectory() as name, asking.open_host(target, options) as host:
        folder = Path(name)
        peers = Peers(lab, ["mx1"], folder, lab.ssh_config, lab.known_hosts)
        ours = Ours(lab, ["mx1"], folder, lab.ssh_config)
        sides = [
            Side("pfremote debug --detach", ours.arm, ours.put_back),
            Side("tasks.arm", lambda: tasks.arm(host, seconds=300, **ASK), ours.put_back),
            Side("ssh", lambda: peers.ssh(CHANGE), peers.put_back),
        ]
        if peers.has_ansible:
            sides.append(Side("ansible-playbook", lambda: peers.ansible("change"), peers.put_back))
        medians = interleave(sides, rounds)
    targets = {"ssh": TARGET_SSH, "ansible-playbook": TARGET_ANSIBLE}
    return [
        *compare("arm_one", "debug --detach", medians, "pfremote debug --detach", targets),
        *compare("arm_one", "tasks.arm, connection open", medians, "tasks.arm", targets),
    ]


if __name__ == "__main__":
    main()
