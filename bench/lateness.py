"""How late a host ends debugging by itself: its controller is killed and its cable pulled as soon as it is armed.

Measured from outside the machine: main.cf on its disk has the bytes of before again, against the lease's deadline (a whole
second by the host's clock).
"""

from __future__ import annotations

import json
import random
import signal
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import Lab, Machine
from tests.support.operator import Operator

from bench.measure import Row, parse_arguments, report, say

TARGET_MEDIAN, TARGET_MAX = 1.0, 5.0
_POLL = 0.005


def main() -> None:
    """Boot two machines and measure."""
    parser = parse_arguments((__doc__ or "").split("\n")[0], rounds=25)
    parser.add_argument("--seed", type=int, default=1, help="of the lengths of the windows (default: %(default)s)")
    arguments = parser.parse_args()
    say("lateness: booting two machines")
    with Lab(machines=2) as lab, tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:

        def measure(machine: Machine) -> list[float]:
            operator = Operator(lab, Path(folder) / machine.name)
            operator.home.mkdir()
            choice = random.Random(f"{arguments.seed}/{machine.name}")  # noqa: S311 - lengths of windows
            return [_late(operator, machine, choice.randint(2, 5)) for _ in range(arguments.rounds)]

        late = sorted(value for values in pool.map(measure, lab.machines.values()) for value in values)
    say(f"  seconds after the deadline: {' '.join(f'{value:.2f}' for value in late)}")
    report(_rows(late))


def _late(operator: Operator, machine: Machine, seconds: int) -> float:
    """Arm one lease, kill the controller, and return how long after the deadline debugging was off."""
    main_cf = machine.root / "etc/postfix/main.cf"
    before = main_cf.read_bytes()
    window = operator.start(machine.name, "--peer", "10.0.1.20", "--minutes", f"{seconds}s")
    armed = window.wait_for("armed")
    machine.cable("down")
    window.process.send_signal(signal.SIGKILL)
    window.leave()
    assert b"debug_peer_list" in main_cf.read_bytes(), json.dumps(armed)
    spec = machine.root / f"var/lib/pfremote/etc-postfix/leases/{armed['lease']}/spec"
    deadline = next(int(line[9:]) for line in spec.read_text().splitlines() if line.startswith("deadline="))
    while main_cf.read_bytes() != before:
        assert time.time() < deadline + 60
        time.sleep(_POLL)
    late = time.time() - deadline
    machine.cable("up")
    machine.run(["sh", "-c", "while pgrep -f '/[a]gent watch' >/dev/null; do sleep 0.1; done"])
    return late


def _rows(late: list[float]) -> list[Row]:
    p95 = statistics.quantiles(late, n=20)[-1]
    what = f"off after the deadline, controller dead, {len(late)} leases"
    return [
        Row("lateness", f"{what}: min", late[0], "s"),
        Row("lateness", f"{what}: median", statistics.median(late), "s", target=TARGET_MEDIAN),
        Row("lateness", f"{what}: p95", p95, "s"),
        Row("lateness", f"{what}: max", late[-1], "s", target=TARGET_MAX),
    ]


if __name__ == "__main__":
    main()
