"""Ten machines at once: arm, status and collect, near by and 50 ms away, beside ssh, ansible and pyinfra.

The peers of ``arm`` make the bare change (copy, three parameters, reload). The peers of ``status`` print the
three parameters and ask ``postfix status``. The peers of ``collect`` filter the same log on the host with
``grep`` and bring the lines home; pfremote also redacts them and proves it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.lab import Lab

from bench.distance import far_away
from bench.interpreter import give_python
from bench.measure import Row, Side, compare, interleave, parse_arguments, report, say
from bench.ours import Ours
from bench.peers import CHANGE, FETCH, LOOK, Peers

#: docs/benchmarks.md: only arming has any.
TARGETS = {"ssh": 1.0, "ansible-playbook": 0.5, "pyinfra": None}
_SESSIONS = 5


def main() -> None:
    """Boot the machines and measure."""
    parser = parse_arguments((__doc__ or "").split("\n")[0], rounds=5)
    parser.add_argument("--machines", type=int, default=10, help="how many (default: %(default)s)")
    parser.add_argument("--far", type=float, default=0.05, help="round trip in seconds; 0: only near by")
    parser.add_argument("--only", choices=("arm", "status", "collect"), help="one of the three")
    arguments = parser.parse_args()
    say(f"arm_ten: booting {arguments.machines} machines")
    with Lab(machines=arguments.machines) as lab, tempfile.TemporaryDirectory() as name:
        give_python(lab.machines.values())
        rows = lab.call(_measure, lab, Path(name), lab.ssh_config, lab.known_hosts, "", arguments)
        if arguments.far:
            rows += lab.call(_measure_far, lab, Path(name), arguments)
        report(rows)


def _measure_far(lab: Lab, folder: Path, arguments) -> list[Row]:  # type: ignore[no-untyped-def]
    with far_away(lab, folder, round_trip=arguments.far) as (ssh_config, known_hosts):
        where = f", {arguments.far * 1000:.0f} ms away"
        return _measure(lab, folder, ssh_config, known_hosts, where, arguments)


def _measure(lab: Lab, folder: Path, ssh_config: Path, known_hosts: Path, where: str, arguments) -> list[Row]:  # type: ignore[no-untyped-def]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        peers = Peers(lab, list(lab.machines), Path(name), ssh_config, known_hosts)
        ours = Ours(lab, list(lab.machines), Path(name), ssh_config)
        rows = []
        parts = {"arm": _arm, "status": _status, "collect": _collect}
        for part in [arguments.only] if arguments.only else parts:
            say(f"arm_ten: {part}{where}")
            medians = interleave(parts[part](lab, ours, peers), arguments.rounds)
            rows += compare(
                "arm_ten", f"{part}{where}", medians, "pfremote", TARGETS if part == "arm" else dict.fromkeys(TARGETS)
            )
        return rows


def _arm(lab: Lab, ours: Ours, peers: Peers) -> list[Side]:
    mine = Side("pfremote", ours.arm, ours.put_back)
    return [mine, *_sides(peers, "change", CHANGE, peers.put_back)]


def _status(lab: Lab, ours: Ours, peers: Peers) -> list[Side]:
    return [Side("pfremote", lambda: ours.run("status")), *_sides(peers, "look", LOOK, peers.end_ansible)]


def _collect(lab: Lab, ours: Ours, peers: Peers) -> list[Side]:
    """A window with some failed logins, reverted and left on the hosts; each round brings it home again."""
    ours.arm()
    for machine in lab.machines.values():
        for _ in range(_SESSIONS):
            lab.client.fail_auth(machine)
    ours.run("revert", "--drain", "5s")
    mine = Side("pfremote", lambda: ours.run("collect", "--keep"))
    return [mine, *_sides(peers, "fetch", FETCH, peers.end_ansible)]


def _sides(peers: Peers, play: str, commands: tuple[str, ...], reset: Callable[[], None]) -> list[Side]:
    sides = [Side("ssh", lambda: peers.ssh(commands), reset)]
    if peers.has_ansible:
        sides.append(Side("ansible-playbook", lambda: peers.ansible(play), reset))
    if peers.has_pyinfra:
        sides.append(Side("pyinfra", lambda: peers.pyinfra(commands), reset))
    return sides


if __name__ == "__main__":
    main()
