"""Commands on fake hosts, in this process and in no time: what they exit with, their events, their run folder."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from pfremote.commands.run import read_overrides, read_plays
from pfremote.errors import ExitCode
from pfremote.model.secret import Secret
from pfremote.model.target import Target
from pfremote.options.hosts import HostOptions
from pfremote.options.request import REQUEST_CHOICES, RequestOptions, request_options
from pfremote.options.sections import sections
from pfremote.output.console import Console
from pfremote.output.json_lines import EventStream
from pfremote.output.messages import Messages
from pfremote.output.output import Output
from pfremote.run.debug import DebugRun, run_debug
from pfremote.run.hosts import Hosts
from pfremote.run.playbook import RunOptions, run_plays
from pfremote.transport import ConnectOptions
from tests.support.fake_host import FakeHost
from tests.support.fake_time import FakeTime
from tests.support.fake_transport import FakeNet, Fault

PEER = "192.0.2.7"
NOWHERE = FakeHost("nowhere", FakeTime())

_numbers = itertools.count()


@click.command()
@request_options
@sections(*REQUEST_CHOICES)
def _read(asked: RequestOptions) -> RequestOptions:
    return asked


def read_request(*words: str) -> RequestOptions:
    """Return what the request options of a command line mean."""
    asked: RequestOptions = _read.main(list(words), standalone_mode=False)
    return asked


@dataclass(frozen=True)
class Outcome:
    """What a command came to. ``host`` and ``state`` speak of the first host."""

    code: ExitCode
    events: list[dict[str, Any]]
    said: str
    shown: str

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        hosts: dict[str, dict[str, Any]] = self.events[-1]["hosts"]
        return hosts

    @property
    def host(self) -> dict[str, Any]:
        return next(iter(self.hosts.values()))

    @property
    def error(self) -> str:
        """The code of the first host's error; empty where there is none."""
        return self.host["error"]["code"] if self.host["error"] else ""

    def kinds(self) -> list[str]:
        """Return the kinds of the events, each once, in order."""
        return list(dict.fromkeys(event["event"] for event in self.events))

    def codes(self, kind: str = "warning", host: str = "") -> list[str]:
        """Return the codes of events of a kind."""
        found = [event for event in self.events if event["event"] == kind and host in ("", event.get("host"))]
        return [event["code"] for event in found]


def check_claims(outcome: Outcome, hosts: dict[str, FakeHost], before: Collection[str]) -> None:
    """Hold what a command says at its end against what the hosts are (promise P6); ``before`` are leases it found."""
    for name, said in outcome.hosts.items():
        host = hosts.get(name, NOWHERE)
        ours = host.leases.get(said["lease"] or "")
        if said["state"] == "clean":
            assert host.as_found, f"{name} is called clean: {host.main_cf}, verbose {host.verbose}"
        if said["state"] == "untouched":
            ours_now = [lease for lease in host.active() if not lease.is_others and lease.id not in before]
            assert not ours_now, f"{name} is called untouched"
        if said["reverted"]:
            assert ours is None or not ours.active, f"{name} is called reverted"
        if said["drained"]:
            assert not host.verbose or host.armed, f"{name} is called drained"
        if said["complete"]:
            assert not host.told_missing, f"{name} is called complete"
            assert len((Path(said["out"]) / "evidence.log").read_bytes().splitlines()) == said["lines"]
    assert outcome.code == outcome.events[-1]["exit_code"]
    if outcome.code not in (0, 5):  # with 0 a host may be armed, for --detach
        assert not [
            name
            for name, host in hosts.items()
            if [lease for lease in host.active() if not lease.is_others and lease.id not in before]
        ]


@dataclass
class FakeFleet:
    """Fake hosts, the way there, the clock, and the operator who runs commands on them."""

    folder: Path
    time: FakeTime = field(default_factory=FakeTime)
    forks: int = 5
    #: How often Ctrl-C was pressed.
    pressed: int = 0
    terminal: io.StringIO | None = None
    password: str = ""
    variables: dict[str, object] = field(default_factory=dict)
    output: Output = field(init=False)

    def __post_init__(self) -> None:
        self.net = FakeNet(self.time)

    def add(self, name: str = "mx1", *faults: Fault) -> FakeHost:
        """Add a host."""
        return self.net.add(name, *faults)

    def at(self, moment: float, act: Callable[[], object]) -> None:
        """Let something happen at a moment, in seconds from the beginning."""
        self.time.at(moment, act)

    def interrupt_at(self, *moments: float) -> None:
        """Let the operator press Ctrl-C."""
        for moment in moments:
            self.at(moment, self._press)

    def _press(self) -> None:
        self.pressed += 1
        signal.raise_signal(signal.SIGINT)

    def unplug(self, name: str, begin: float, end: float = float("inf")) -> None:
        """Let a host be out of reach between two moments."""
        self.at(begin, partial(self.net.unplugged.add, name))
        self.at(end, partial(self.net.unplugged.discard, name))

    def close_pipe(self) -> None:
        """Let the reader of what is said go away."""
        self.output.console.broken = True

    def spoil(self, folder: Path) -> None:
        """Let nothing be written to a folder any more, not even by root: a file stands where it was."""
        shutil.rmtree(folder)
        folder.touch()

    @property
    def hosts(self) -> Hosts:
        targets = tuple(Target(name, name, vars=self.variables) for name in self.net.faults)
        secret = Secret(self.password) if self.password else None
        return Hosts(targets, ConnectOptions(), secret, self.forks, self.net, self.time)

    def debug(self, *words: str, minutes: str = "60s", peer: str = PEER, **options: Any) -> Outcome:
        """Run ``pfremote debug`` on every host; ``options`` are fields of DebugRun."""
        asked = read_request("--peer", peer, "--minutes", minutes, *words)
        options = {"out": self.folder / f"run-{next(_numbers)}", **options}
        return self.tell(partial(run_debug, DebugRun(self.hosts, asked, **options)))

    def play(
        self,
        text: str,
        *,
        inventory: str = "",
        limit: str | None = None,
        serial: str | None = None,
        max_fail_percentage: str | None = None,
        volatile_guard: bool = False,
        **options: Any,
    ) -> Outcome:
        """Run ``pfremote run`` with a playbook; ``options`` are fields of RunOptions."""
        playbook = self.folder / "play.yml"
        playbook.write_text(text)
        (self.folder / "hosts").write_text(inventory or "\n".join(self.net.faults))
        chosen = HostOptions(inventory=(str(self.folder / "hosts"),), limit=limit, forks=self.forks)
        overrides = read_overrides(serial, max_fail_percentage, volatile_guard=volatile_guard)
        plays, _warnings = read_plays(playbook, chosen, overrides, beside=self.folder)
        options = {"out": self.folder / f"run-{next(_numbers)}", **options}
        return self.tell(lambda output: run_plays(plays, self.hosts, RunOptions(str(playbook), **options), output))

    def tell(self, run: Callable[[Output], ExitCode]) -> Outcome:
        """Run something that tells what happens, and return all that it told."""
        stream, out, err = io.StringIO(), io.StringIO(), self.terminal or io.StringIO()
        self.output = output = Output()
        output.console = Console(out=out, err=err)
        output.messages = Messages(output.console)
        output.stream = EventStream(stream, now=lambda: datetime.fromtimestamp(self.time.epoch(), UTC))
        before = [lease for host in self.net.hosts.values() for lease in host.leases]
        code = run(output)
        events = [json.loads(line) for line in stream.getvalue().splitlines()]
        outcome = Outcome(code, events, err.getvalue(), out.getvalue())
        check_claims(outcome, self.net.hosts, before)
        return outcome
