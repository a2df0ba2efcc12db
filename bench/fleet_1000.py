"""A thousand inventory names in one run of ``pfremote status``: time, and what it costs the control side.

All names lead to one real sshd and one real Postfix on loopback, so the hosts' side is this machine as well and
bounds the hosts per second: a real fleet answers faster. CPU and memory are those of the pfremote process and
its children alone (wait4(2)). The peer is ``ssh NAME true``, a process for each contact.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Row, parse_arguments, report, say
from pfremote.loopback import LoopbackHost

MEMORY_TARGET, CPU_TARGET = 300.0, 30.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the clock and of the CPU, and the largest resident size in MB."""

    seconds: float
    cpu: float
    memory: float


def main() -> None:
    """Start the host and measure."""
    parser = parse_arguments((__doc__ or "").split("\n")[0], rounds=1)
    parser.add_argument("--hosts", type=int, default=1000, help="names (default: %(default)s)")
    parser.add_argument("--forks", type=int, default=20, help="at a time (default: %(default)s)")
    arguments = parser.parse_args()
    say("fleet_1000")
    with LoopbackHost() as host, tempfile.TemporaryDirectory() as name:
        rows = []
        for _ in range(arguments.rounds):
            rows = _measure(host, Path(name), arguments.hosts, arguments.forks)
        report(rows)


def _measure(host: LoopbackHost, folder: Path, hosts: int, forks: int) -> list[Row]:
    config = folder / "ssh_config"
    config.write_text(host.ssh_config.read_text().replace("Host mx1\n", "Host *\n"))
    inventory = folder / "hosts.ini"
    inventory.write_text(f"[fleet]\nh[0001:{hosts:04d}] pfremote_instance={host.config_directory}\n")
    program = Path(sys.executable).with_name("pfremote")
    words = [program, "status", "fleet", "-i", inventory, "-f", str(forks), "--ssh-config", config, "--json"]
    ours = _run(words, folder)
    # sshd drops some of more than ten at once (MaxStartups), and ssh does not try again
    theirs = _contact_with_ssh(config, folder, hosts // 10, min(forks, 8))
    say(f"  {ours}; ssh: {theirs}")
    what = f"status of {hosts} names, forks {forks}"
    each = ours.cpu / hosts * 1000
    return [
        Row("fleet_1000", f"{what}: time", ours.seconds, "s"),
        Row("fleet_1000", "hosts per second", hosts / ours.seconds, "1/s"),
        Row("fleet_1000", "peak memory", ours.memory, "MB", target=MEMORY_TARGET),
        Row("fleet_1000", "CPU per contact, control side", each, "ms", target=CPU_TARGET),
        Row("fleet_1000", "the same", each, "ms", "ssh NAME true", theirs.cpu / (hosts // 10) * 1000),
    ]


def _contact_with_ssh(config: Path, folder: Path, hosts: int, forks: int) -> Cost:
    names = folder / "names"
    names.write_text("".join(f"h{number:04d}\n" for number in range(1, hosts + 1)))
    return _run(["xargs", "-a", names, "-P", str(forks), "-I{}", "ssh", "-F", config, "{}", "true"], folder)


def _run(words: Sequence[str | Path], folder: Path) -> Cost:
    environment = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    began = time.perf_counter()
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{words[0]} ended with {process.returncode}: {(folder / 'err').read_text()[-1500:]}")
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


if __name__ == "__main__":
    main()
