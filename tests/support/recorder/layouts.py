"""Record one mail host's log in the layouts of real programs: ``python -m tests.support.recorder.layouts DIR``, as root.

A client of a lab machine delivers a message, mistypes its password, and is refused relaying, the last with debugging.
journalctl prints the machine's journal in each of its formats, and rsyslogd writes the same lines in its own templates.
What rsyslogd wrote in the traditional format is then sent once more, as the datagrams that syslog(3) makes of it, to
syslog-ng and to busybox's syslogd, and printed in a container of podman and of Docker as postlogd prints it. Each of the
four is left out, and named, where it is not installed or cannot run.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.lab import Lab, Machine
from tests.lab.tree import tree_path

#: ``journalctl -o``, as systemd 252 has them.
JOURNALCTL = (
    "short", "short-full", "short-iso", "short-iso-precise", "short-precise", "short-monotonic", "short-delta",
    "short-unix", "with-unit", "verbose", "export", "json", "json-pretty", "json-sse", "json-seq", "cat",
)  # fmt: skip
#: rsyslog's own templates for files, its property of all properties, and JSON as its users write it.
RSYSLOG = {
    "traditional": "RSYSLOG_TraditionalFileFormat",
    "file-format": "RSYSLOG_FileFormat",
    "protocol23": "RSYSLOG_SyslogProtocol23Format",
    "jsonmesg": "jsonmesg",
    "json": "json",
}
RSYSLOG_CONF = r"""
template(name="jsonmesg" type="string" string="%jsonmesg%\n")
template(name="json" type="list" option.jsonf="on") {
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="syslogtag" name="syslogtag" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}
"""
SYSLOG_NG = {
    "default": "",
    "iso": "ts-format(iso)",
    "full": "ts-format(full)",
    "json": r"""template("$(format-json --scope rfc3164)\n")""",
    "json-dates": r"""template("$(format-json --scope selected_macros --scope nv_pairs)\n")""",
    "rfc5424": "flags(syslog-protocol)",
}


def make_traffic(lab: Lab, machine: Machine) -> None:
    """Deliver a message, try a wrong password, and, debugged, ask to relay, as one client."""
    lab.client.deliver(machine)
    assert lab.client.fail_auth(machine) == 535
    machine.run(["postconf", "debug_peer_list=10.0.1.20"])
    machine.run(["postfix", "reload"])
    time.sleep(2)
    with contextlib.suppress(smtplib.SMTPResponseException):
        lab.client.deliver(machine, recipient="someone@elsewhere.example.net")
    time.sleep(2)


def record_machine(out: Path) -> list[str]:
    """Record what journalctl and rsyslogd of a lab machine make of its mail; return the traditional lines."""
    with Lab(1) as lab:
        machine = lab.machines["mx1"]
        actions = "".join(
            f'mail.* action(type="omfile" file="/var/log/as-{name}" template="{template}")\n'
            for name, template in RSYSLOG.items()
        )
        machine.write("/etc/rsyslog.d/layouts.conf", RSYSLOG_CONF + actions)
        machine.run(["chown", "-R", "root:adm", "/var/log"])
        machine.run(["systemctl", "restart", "rsyslog"])
        time.sleep(1)
        begun = machine.run(["date", "+@%s"]).stdout.strip()
        make_traffic(lab, machine)
        for name in RSYSLOG:
            (out / f"rsyslog-{name}.log").write_text(machine.read(f"/var/log/as-{name}"))
        for name in JOURNALCTL:
            argv = ["journalctl", "--no-pager", "-q", f"--since={begun}", "SYSLOG_FACILITY=2", "-o", name]
            (out / f"journalctl-{name}.log").write_text(machine.run(argv).stdout)
    return (out / "rsyslog-traditional.log").read_text().splitlines()


def write_datagrams(lines: Sequence[str]) -> list[bytes]:
    """Return what syslog(3) sends for these lines: priority 22 (mail.info) and no host."""
    return [re.sub(r"\A(.{15}) \S+ ", r"<22>\1 ", line).encode() for line in lines]


def send(datagrams: Sequence[bytes], path: Path) -> None:
    """Send them to a logger's socket once it is there, as fast as it reads."""
    deadline = time.monotonic() + 20
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        while sender.connect_ex(str(path)):
            assert time.monotonic() < deadline, f"{path} is not there"
            time.sleep(0.1)
        for datagram in datagrams:
            sender.send(datagram)
    time.sleep(2)


def record_syslog_ng(out: Path, datagrams: Sequence[bytes], work: Path) -> None:
    """Record what syslog-ng writes with its own settings, in its protocol's format, and as JSON."""
    files = "".join(
        f'log {{ source(s); destination {{ file("{work}/{name}" {options}); }}; }};\n'
        for name, options in SYSLOG_NG.items()
    )
    conf = work / "syslog-ng.conf"
    head = '@version: 3.38\n@include "scl.conf"\noptions { keep-hostname(yes); flush-lines(1); };\n'
    conf.write_text(f'{head}source s {{ unix-dgram("{work}/log"); }};\n{files}')
    argv = ["syslog-ng", "-F", "--no-caps", "-f", str(conf)]
    argv += [f"--{name}={work}/ng.{name}" for name in ("control", "persist-file", "pidfile")]
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        send(datagrams, work / "log")
    finally:
        child.terminate()
        child.wait(20)
    for name in SYSLOG_NG:
        shutil.copyfile(work / name, out / f"syslog-ng-{name}.log")


def record_busybox(out: Path, datagrams: Sequence[bytes], work: Path) -> None:
    """Record what busybox's syslogd writes, which reads /dev/log and nothing else: it gets a /dev of its own."""
    dev = work / "dev"
    dev.mkdir()
    (work / "busybox.log").touch()
    script = f"mount --bind {dev} /dev && exec busybox syslogd -n -O {work}/busybox.log"
    child = subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdin=subprocess.DEVNULL)
    try:
        send(datagrams, dev / "log")
    finally:
        child.terminate()
        child.wait(20)
    shutil.copyfile(work / "busybox.log", out / "busybox-syslogd.log")


def record_podman(out: Path, lines: Sequence[str], work: Path) -> None:
    """Record what podman's k8s-file driver stores of a container that prints what postlogd prints, and shows of it."""
    (work / "mail.log").write_text("".join(f"{line}\n" for line in lines))
    podman = ["podman", f"--root={work}/store", f"--runroot={work}/run"]
    podman += ["--runtime=runc", "--cgroup-manager=cgroupfs", "--events-backend=none"]
    stored = work / "podman.log"
    create = [
        *("run", "--name=mail", "--network=none", "--log-driver=k8s-file"),
        # A container may not have more than this computer allows.
        *("--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000"),
        *(f"--log-opt=path={stored}", f"--volume={work}/mail.log:/mnt/mail.log:ro", "--rootfs"),
        *(f"{tree_path('bookworm')}:O", "cat", "/mnt/mail.log"),
    ]
    try:
        subprocess.run([*podman, *create], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        shutil.copyfile(stored, out / "podman-k8s-file.log")
        for name, words in (("podman-logs", ["logs"]), ("podman-logs-t", ["logs", "-t"])):
            shown = subprocess.run([*podman, *words, "mail"], capture_output=True, text=True, check=True).stdout
            (out / f"{name}.log").write_text(shown)
    finally:
        subprocess.run([*podman, "rm", "-f", "mail"], stdout=subprocess.DEVNULL, check=False)


def record_docker(out: Path, lines: Sequence[str], work: Path) -> None:
    """Record what a Docker daemon of our own stores of a container that prints what postlogd prints, and what is shown of it."""
    (work / "mail.log").write_text("".join(f"{line}\n" for line in lines))
    daemon = [
        f"--data-root={work}/data",
        f"--exec-root={work}/exec",
        f"--pidfile={work}/pid",
        f"--host=unix://{work}/sock",
    ]
    daemon += ["--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs", "--log-level=error"]
    child = subprocess.Popen(["dockerd", *daemon], stdin=subprocess.DEVNULL)
    try:
        with contextlib.chdir(work):
            show_docker(out, work, {**os.environ, "DOCKER_HOST": f"unix://{work}/sock"})
    finally:
        child.terminate()
        child.wait(60)


def show_docker(out: Path, work: Path, environment: dict[str, str]) -> None:
    """Run the container, once by docker and once by docker-compose."""

    def run(*argv: str) -> str:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True, env=environment
        )
        return done.stdout

    wait_for(work / "sock")
    image = pack_busybox(work)
    run("docker", "import", str(image), "busybox")
    run(
        "docker",
        "run",
        "--name=mail",
        "--network=none",
        f"--volume={work}/mail.log:/mail.log:ro",
        "busybox",
        "/bin/cat",
        "/mail.log",
    )
    (stored,) = (work / "data/containers").glob("*/*-json.log")
    shutil.copyfile(stored, out / "docker-json-file.log")
    (out / "docker-logs.log").write_text(run("docker", "logs", "mail"))
    (out / "docker-logs-t.log").write_text(run("docker", "logs", "--timestamps", "mail"))
    service = (
        f"image: busybox, network_mode: none, volumes: ['{work}/mail.log:/mail.log:ro'], command: /bin/cat /mail.log"
    )
    (work / "docker-compose.yml").write_text(f"version: '3'\nservices: {{mail: {{{service}}}}}\n")
    run("docker-compose", "--project-name=site", "up", "--no-color")
    (out / "compose-logs.log").write_text(run("docker-compose", "--project-name=site", "logs", "--no-color"))
    (out / "compose-logs-t.log").write_text(run("docker-compose", "--project-name=site", "logs", "--no-color", "-t"))


def pack_busybox(work: Path) -> Path:
    """Return a tar file with busybox as cat(1), and the libraries that it needs."""
    program = shutil.which("busybox")
    assert program, "busybox is not installed"
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    with tarfile.open(work / "image.tar", "w") as image:
        image.add(os.path.realpath(program), "bin/cat")
        for library in re.findall(r"/lib\S*", linked):
            image.add(os.path.realpath(library), library.lstrip("/"))
    return work / "image.tar"


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} is not there"
        time.sleep(0.1)
    time.sleep(1)


def main(out: Path) -> None:
    """Record everything that the programs of this computer can."""
    out.mkdir(parents=True, exist_ok=True)
    lines = record_machine(out)
    datagrams = write_datagrams(lines)
    recorders: dict[str, Callable[[Path], None]] = {
        "syslog-ng": lambda work: record_syslog_ng(out, datagrams, work),
        "busybox": lambda work: record_busybox(out, datagrams, work),
        "podman": lambda work: record_podman(out, lines, work),
        "docker": lambda work: record_docker(out, lines, work),
    }
    for program, record in recorders.items():
        with tempfile.TemporaryDirectory() as work:
            try:
                record(Path(work))
            except (OSError, AssertionError, subprocess.CalledProcessError) as exc:
                sys.stderr.write(f"{program} was left out: {exc}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
