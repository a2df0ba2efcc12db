"""``pfremote demo``: the real thing in half a minute, with nothing of this machine's own touched."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pfremote.commands import COMMANDS
from pfremote.model.request import DebugRequest
from pfremote.model.target import Target
from pfremote.options.out import OUT
from pfremote.options.request import RequestOptions, name_operator
from pfremote.output.output import Output
from pfremote.postfix.peers import parse_peer
from pfremote.private_files import default_root
from pfremote.text.quantities import parse_duration

if TYPE_CHECKING:
    from pfremote.loopback import LoopbackHost

CLIENT = "127.0.0.1"


@click.command("demo", help=COMMANDS["demo"])
@click.option("--minutes", default="20s", show_default=True, metavar="TIME", help="How long the window is open.")
@OUT.plain
@click.option("--json", is_flag=True, expose_value=False, help="JSON Lines on stdout, one event a line.")
@click.pass_obj
def command(output: Output, *, minutes: str, out: Path | None) -> int:
    """Run it."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.loopback import LoopbackHost

    seconds = parse_duration(minutes, cap=600)
    output.console.say("starting a private Postfix and sshd on loopback; your own are left alone")
    with LoopbackHost() as host:
        return run_demo(host, seconds, out, output)


def run_demo(host: LoopbackHost, seconds: int, out: Path | None, output: Output) -> int:
    """Debug a client that gives a wrong password over STARTTLS, through the same code as ``debug``."""
    # Loaded when the command runs: --help and completion need none of it.
    from pfremote.run.debug import DebugRun, run_debug
    from pfremote.run.hosts import Hosts
    from pfremote.transport import ConnectOptions

    target = Target(host.name, host.name, instance=str(host.config_directory))
    hosts = Hosts((target,), ConnectOptions(ssh_config=str(host.ssh_config)))
    request = DebugRequest(
        (parse_peer(CLIENT),),
        seconds,
        guard="process",  # the machine's own cron and systemd are left alone
        volatile_guard=True,
        drain=10,
        owner=name_operator(),
        origin="demo",
        reason="demo",
    )
    before = _digest(host.main_cf)
    output.console.say(f"$ pfremote debug {host.name} --peer {CLIENT} --minutes {seconds}s", style="bold")
    output.listen(_Client(host, output))
    shown: list[Path] = []
    debug_run = DebugRun(hosts, RequestOptions(request), out=out, root=demo_root(), poll=2.0, on_stored=shown.append)
    code = run_debug(debug_run, output)
    for folder in shown:
        _show_transcript(folder, output)
    _compare(before, _digest(host.main_cf), output)
    return code


def demo_root() -> Path:
    """Return where the demo's runs are kept: not among the operator's."""
    return default_root().with_name("demo-runs")


class _Client:
    """A mail client with the wrong password. It comes when the host is armed."""

    def __init__(self, host: LoopbackHost, output: Output) -> None:
        self._host = host
        self._output = output

    def __call__(self, kind: str, _host: str = "", _lease: str = "", /, **_details: object) -> None:
        if kind == "armed":
            threading.Thread(target=self._call, daemon=True).start()

    def _call(self) -> None:
        # Loaded when the command runs: --help and completion need none of it.
        from pfremote.loopback import traffic

        reply = traffic.fail_auth_over_starttls(self._host, source_ip=CLIENT)
        self._output.console.say(f"(a client says STARTTLS, gives a wrong password, and gets {reply})", style="dim")


def _show_transcript(folder: Path, output: Output) -> None:
    for path in sorted((folder / "transcripts").glob("*.txt"))[:1]:
        output.console.show()
        text = path.read_text(encoding="utf-8", errors="surrogateescape").rstrip("\n")
        output.console.show_rows(([(line, "")] for line in text.split("\n")), rest=" " * 19)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _compare(before: str, after: str, output: Output) -> None:
    output.console.show()
    output.console.tell(f"sha256 of main.cf before  {before}")
    output.console.tell(f"sha256 of main.cf after   {after}")
    output.console.show("the same, byte for byte" if before == after else "NOT THE SAME")
