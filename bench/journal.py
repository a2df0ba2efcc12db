"""The evidence of one client out of a large journal, on a machine: the agent's filter beside ``journalctl`` piped to ``grep -c``.

Reading the journal is what costs, and the filter reads it once. The ordinary lines come from as many processes as the
feeder has, since journald notes the process that really sent a line.
"""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path

from tests.lab import Lab, Machine

from bench.interpreter import give_python
from bench.maillog import make_log
from bench.measure import Row, Side, compare, interleave, parse_arguments, report, say

TARGET = 3.0
_CONFIG = "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nForwardToSyslog=no\nSystemMaxUse=4G\nSystemMaxFileSize=512M\n"
#: Sends the lines of a log as syslog(3) does, each process of the log played by one of a few of ours.
_FEEDER = r"""
import os, re, socket, sys
HEAD = re.compile(r"\S+ +\d+ \S+ \S+ ([^\[]+)\[(\d+)\]: (.*)")
ends = []
for _ in range(24):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(writing)
        for end in ends:
            end.close()
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log.connect("/dev/log")
        for line in os.fdopen(reading, errors="replace"):
            tag, _, text = line.rstrip("\n").partition("\t")
            log.send(f"<22>{tag}[{os.getpid()}]: {text}".encode())
        os._exit(0)
    os.close(reading)
    ends.append(os.fdopen(writing, "w"))
for line in open(sys.argv[1], errors="replace"):
    if found := HEAD.match(line):
        # the recorded processes have small numbers, and the last two of ours to themselves
        number = int(found[2])
        end = ends[number % 2] if number < 100000 else ends[2 + number % (len(ends) - 2)]
        end.write(f"{found[1]}\t{found[3]}\n")
for end in ends:
    end.close()
for _ in ends:
    os.wait()
"""
_CALL = """
set -u
LC_ALL=C
export LC_ALL
I_facility=mail
TMP=$(mktemp -d)
evidence_filter "journal " | evidence_pack >/dev/null
rm -rf -- "$TMP"
"""


def main() -> None:
    """Boot a machine, fill its journal, and measure."""
    parser = parse_arguments((__doc__ or "").split("\n")[0], rounds=3)
    parser.add_argument("--size", type=int, default=128, help="MiB of log lines (default: %(default)s)")
    arguments = parser.parse_args()
    say("journal: booting one machine")
    with Lab(machines=1) as lab, tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        machine = lab.machines["mx1"]
        give_python([machine])
        _fill(machine, make_log(Path(name) / "mail.log", arguments.size * 2**20))
        report(_measure(machine, arguments.size, arguments.rounds))


def _fill(machine: Machine, log: Path) -> None:
    machine.run(["mkdir", "-p", "/etc/systemd/journald.conf.d"])
    machine.write("/etc/systemd/journald.conf.d/bench.conf", _CONFIG)
    machine.run(["systemctl", "restart", "systemd-journald"])
    (machine.root / "root/mail.log").write_bytes(log.read_bytes())
    say("  feeding the journal")
    machine.run(["python3", "-c", _FEEDER, "/root/mail.log"], timeout=1800)
    machine.run(["journalctl", "--sync"])


def _measure(machine: Machine, size: int, rounds: int) -> list[Row]:
    folder = resources.files("pfremote.agent") / "script"
    parts = sorted(part.name for part in folder.iterdir() if part.name.endswith(".sh"))
    script = "".join((folder / part).read_text() for part in parts if part < "60") + _CALL
    grep = "journalctl -q --no-pager -a -o short-iso-precise SYSLOG_FACILITY=2 | LC_ALL=C grep -c client.example.jp"
    sides = [
        Side("evidence_filter", lambda: machine.run(["sh", "-s"], stdin=script, timeout=600)),
        Side("journalctl, piped to grep -c", lambda: machine.run(["sh", "-c", grep], timeout=600)),
    ]
    lines = int(machine.run(["sh", "-c", grep.replace("client.example.jp", "''")], timeout=600).stdout)
    say(f"  {lines} lines are in the journal")
    medians = interleave(sides, rounds)
    return compare(
        "journal", f"out of {lines} lines", medians, "evidence_filter", {"journalctl, piped to grep -c": TARGET}
    )


if __name__ == "__main__":
    main()
