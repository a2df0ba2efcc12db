"""One run of ansible-playbook over a thousand inventory names, beside the command line: what each name costs.

All names lead to one real sshd and one real Postfix on loopback, so the hosts' side is this machine as well and bounds
the names per second. A window is armed and reverted on fewer names, which lead to several private Postfixes: each batch has
one name for each of them, since windows on one Postfix would wait for each other and share its main.cf.

The bench runs in a network namespace of its own, so that loopback carries nothing else: connections are what sshd
accepted, bytes are all that crossed loopback both ways. CPU of the controller is that of the program and its children, with
the ssh processes that Ansible leaves behind for ControlPersist; CPU of the host that of sshd and what it started. Memory is
the sum of the controller's processes' shares (Pss, proc_pid_smaps(5)) at its highest, and the largest process alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from tests.support.collection import Ansible, find_programs

from bench.measure import Row, parse_arguments, report, say
from bench.processes import adopt_orphans, count_orphans_cpu, list_orphans, list_processes
from pfremote.loopback import LoopbackHost

_INSIDE = "PFREMOTE_BENCH_NAMESPACE"
#: What docs/explanation/scale.md says to set, and Ansible's own default but for the compression.
_KEEP = "-o ControlMaster=auto -o ControlPersist=60s -o Compression=yes"
_HANG_UP = "-o ControlMaster=no"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost: seconds, CPU seconds of both sides, connections, bytes, bytes of memory."""

    seconds: float
    control: float
    host: float
    connections: int
    wire: int
    memory: int
    largest: int


def main() -> None:
    """Start the hosts and measure."""
    parser = parse_arguments((__doc__ or "").split("\n")[0], rounds=1)
    parser.add_argument("--names", type=int, default=1000, help="for one look (default: %(default)s)")
    parser.add_argument("--windows", type=int, default=40, help="names for a window (default: %(default)s)")
    parser.add_argument("--hosts", type=int, default=8, help="private Postfixes for the windows (default: %(default)s)")
    parser.add_argument("--forks", type=int, default=8, help="at a time (default: %(default)s)")
    arguments = parser.parse_args()
    programs = find_programs()
    if programs is None:
        raise SystemExit("there is no ansible-core with pfremote beside it: sh scripts/check-collection venv")
    _enter_namespace()
    adopt_orphans()
    rows = [row for _ in range(arguments.rounds) for row in _measure(arguments, programs)]
    report(rows)


def _enter_namespace() -> None:
    """Start this program again in a network namespace of its own, once."""
    if _INSIDE not in os.environ:
        words = ["unshare", "--net", sys.executable, "-m", "bench.collection_names", *sys.argv[1:]]
        raise SystemExit(subprocess.run(words, env={**os.environ, _INSIDE: "1"}, check=False).returncode)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def _measure(arguments: Namespace, programs: Path) -> list[Row]:
    rows = []
    if arguments.names:
        names, forks = arguments.names, arguments.forks
        with LoopbackHost() as host, tempfile.TemporaryDirectory() as folder:
            line = _look_by_command_line(host, Path(folder), names, forks)
        for what, ssh in (("connections kept", _KEEP), ("connections not kept", _HANG_UP)):
            with LoopbackHost() as host, tempfile.TemporaryDirectory() as folder:
                cost = _look_by_collection([host], programs, Path(folder), names, forks, ssh)
            rows += _rows(f"look at {names} names, {what}", cost, line, names)
    if arguments.windows:
        with ExitStack() as stack:
            hosts = [stack.enter_context(LoopbackHost()) for _ in range(arguments.hosts)]
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            steps = _take_windows(hosts, programs, Path(folder), arguments.windows)
        for step, cost in steps.items():
            rows += _rows(
                f"{step} on {arguments.windows} names of {len(hosts)} Postfixes", cost, None, arguments.windows
            )
    return rows


def _rows(what: str, cost: Cost, line: Cost | None, names: int) -> list[Row]:
    """Return what one name cost, of both sides."""
    units = (
        ("time, all", 1.0, "s"),
        ("CPU of the controller, each", 1000 / names, "ms"),
        ("CPU on the host, each", 1000 / names, "ms"),
        ("connections, each", 1 / names, ""),
        ("bytes, each", 1e-3 / names, "kB"),
        ("memory of all processes", 1e-6, "MB"),
        ("memory of the largest", 1e-6, "MB"),
    )
    theirs: Sequence[float | None] = astuple(line) if line else (None,) * len(units)
    peer = "command line" if line else ""
    return [
        Row("collection_names", f"{what}: {unit[0]}", ours * unit[1], unit[2], peer, other and other * unit[1])
        for unit, ours, other in zip(units, astuple(cost), theirs, strict=True)
    ]


def _look_by_command_line(host: LoopbackHost, folder: Path, names: int, forks: int) -> Cost:
    say(f"collection_names: pfremote status of {names} names")
    config = _write_ssh_config({"*": host}, folder)
    inventory = folder / "hosts.ini"
    inventory.write_text(f"[fleet]\nh[00001:{names:05d}] pfremote_instance={host.config_directory}\n")
    program = Path(sys.executable).with_name("pfremote")
    words = [program, "status", "fleet", "-i", inventory, "-f", str(forks), "--ssh-config", config, "--json"]
    environment = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    return _watch([host], lambda out: subprocess.Popen(words, stdout=out, stderr=out, env=environment), folder)


def _look_by_collection(
    hosts: Sequence[LoopbackHost], programs: Path, folder: Path, names: int, forks: int, ssh: str
) -> Cost:
    say(f"collection_names: debug_info on {names} names, {ssh}")
    (host,) = hosts
    known = {"pfremote_instance": str(host.config_directory)}
    config = _write_ssh_config({"*": host}, folder)
    with Ansible(programs, folder, config, {f"h{number:05d}": known for number in range(names)}) as ansible:
        ansible.settings.update({"ANSIBLE_FORKS": str(forks), "ANSIBLE_SSH_ARGS": f"-F {config} {ssh}"})
        _write_play(folder / "look.json", {"debug_info": {"facts": False}})
        return _play(ansible, hosts, "look.json")


def _take_windows(hosts: Sequence[LoopbackHost], programs: Path, folder: Path, windows: int) -> dict[str, Cost]:
    """Arm a window on each name and revert it, in batches of one name for each Postfix; return both steps' cost."""
    say(f"collection_names: arm and revert on {windows} names of {len(hosts)} Postfixes")
    names = {f"h{number:05d}": hosts[number % len(hosts)] for number in range(windows)}
    config = _write_ssh_config(names, folder)
    known = {name: {"pfremote_instance": str(host.config_directory)} for name, host in names.items()}
    costs: dict[str, list[Cost]] = {"arm": [], "revert": []}
    with Ansible(programs, folder, config, known) as ansible:
        ansible.settings.update({"ANSIBLE_FORKS": str(len(hosts)), "ANSIBLE_SSH_ARGS": f"-F {config} {_KEEP}"})
        arm = {"peers": ["192.0.2.40"], "minutes": 10, "allow_volatile_guard": True}
        _write_play(folder / "arm.json", {"debug_window": arm})
        _write_play(folder / "revert.json", {"debug_revert": {"all": True}})
        for first in range(0, windows, len(hosts)):
            batch = ",".join(list(names)[first : first + len(hosts)])
            for step, found in costs.items():
                found.append(_play(ansible, hosts, f"{step}.json", "--limit", batch))
    return {step: _sum(found) for step, found in costs.items()}


def _sum(costs: Sequence[Cost]) -> Cost:
    *added, memory, largest = zip(*(astuple(cost) for cost in costs), strict=True)
    return Cost(*map(sum, added), max(memory), max(largest))


def _write_ssh_config(names: Mapping[str, LoopbackHost], folder: Path) -> Path:
    """Write one entry for each name, or pattern; return the file."""
    config = folder / "ssh_config"
    texts = [host.ssh_config.read_text().replace("Host mx1\n", f"Host {name}\n") for name, host in names.items()]
    config.write_text("\n".join(texts))
    return config


def _write_play(path: Path, task: Mapping[str, object]) -> None:
    tasks = [{f"pfremote.postfix.{name}": value} for name, value in task.items()]
    path.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "become": True, "tasks": tasks}]))


def _play(ansible: Ansible, hosts: Sequence[LoopbackHost], play: str, *words: str) -> Cost:
    argv = ansible.words("ansible-playbook", play, *words)
    environment = ansible.environment()
    return _watch(
        hosts,
        lambda out: subprocess.Popen(argv, stdout=out, stderr=out, env=environment, cwd=ansible.folder),
        ansible.folder,
        ansible.hang_up,
    )


def _watch(
    hosts: Sequence[LoopbackHost],
    start: Callable[[object], subprocess.Popen[bytes]],
    folder: Path,
    hang_up: Callable[[], object] = lambda: None,
) -> Cost:
    """Run a program to its end, and ``hang_up``; return what all of it cost.

    What Ansible keeps is ended before it is counted, as it would be after its ControlPersist.
    """
    wire, accepted, served = _count_bytes(), _count_connections(hosts), _count_host_cpu(hosts)
    kept = count_orphans_cpu()
    began = time.perf_counter()
    with (folder / "printed").open("w+b") as out:
        process = start(out)
        with _watch_memory(process.pid) as memory:
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        if process.returncode != 0:
            out.seek(0)
            raise SystemExit(f"ended with {process.returncode}: {out.read().decode(errors='replace')[-1500:]}")
    hang_up()
    time.sleep(2)  # sshd counts a session's processes when they are gone
    cost = Cost(
        seconds=seconds,
        control=usage.ru_utime + usage.ru_stime + count_orphans_cpu() - kept,
        host=_count_host_cpu(hosts) - served,
        connections=_count_connections(hosts) - accepted,
        wire=_count_bytes() - wire,
        memory=max(memory, default=0),
        largest=usage.ru_maxrss * 1024,
    )
    say(f"  {cost}")
    return cost


@contextmanager
def _watch_memory(pid: int) -> Iterator[list[int]]:
    """Look every two seconds at the memory of a program and its ssh processes; the sums are in the list."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(2):
            seen.append(sum(map(_read_share, _list_controller(pid))))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _list_controller(pid: int) -> list[int]:
    """Return the program, what descends from it, and the ssh processes that outlived their parents."""
    processes = list_processes()
    children: dict[int, list[int]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process.pid)
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found + [process.pid for process in list_orphans()]


def _read_share(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # gone since
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def _count_host_cpu(hosts: Sequence[LoopbackHost]) -> float:
    """Sum the CPU of the hosts' sshds and of all that they have waited for, in seconds."""
    places = [str(host.root).encode() for host in hosts]
    spent = 0.0
    for process in list_processes():
        if process.name == "sshd" and process.parent == os.getpid():
            words = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            spent += process.cpu if any(place in words for place in places) else 0.0
    return spent


def _count_connections(hosts: Sequence[LoopbackHost]) -> int:
    """Count the logins that the hosts' sshds accepted."""
    logs = [host.root / "ssh" / "sshd.log" for host in hosts]
    return sum(log.read_text(errors="replace").count("Accepted publickey") for log in logs)


def _count_bytes() -> int:
    """Return what loopback has carried: each packet is sent once there."""
    line = next(line for line in Path("/proc/self/net/dev").read_text().splitlines() if line.strip().startswith("lo:"))
    return int(line.split()[9])


if __name__ == "__main__":
    main()
