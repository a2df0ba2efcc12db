"""``python -m tests.lab up -n 2``: whole mail hosts for a developer, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import time

from tests.lab.commands import LabError
from tests.lab.lab import Lab
from tests.lab.leftovers import remove_dead_labs
from tests.lab.requirements import LabUnavailableError, missing_lab_requirements
from tests.lab.tree import DEFAULT_SUITE, SUITES, build_tree


def main() -> int:
    """Run the command; return the exit status."""
    arguments = _parse()
    try:
        if reason := missing_lab_requirements():
            raise LabUnavailableError(reason)
        if arguments.command == "up":
            return _up(arguments.number, arguments.suite)
        if arguments.command == "build":
            _say(str(build_tree(arguments.suite)))
            return 0
        _say(f"removed: {' '.join(remove_dead_labs()) or 'nothing'}")
    except (LabUnavailableError, LabError) as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    suites = argparse.ArgumentParser(add_help=False)
    suites.add_argument("--suite", choices=SUITES, default=DEFAULT_SUITE, help="Debian release (default: %(default)s)")
    up = commands.add_parser("up", parents=[suites], help="boot machines and wait for Ctrl-C")
    up.add_argument("-n", "--number", type=int, default=1, help="how many (default: %(default)s)")
    commands.add_parser("build", parents=[suites], help="only build the Debian tree")
    commands.add_parser("clean", help="remove what a crashed lab left behind")
    return parser.parse_args()


def _up(number: int, suite: str) -> int:
    # A terminal that goes away, or kill, takes the lab down in order too.
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    started = time.monotonic()
    try:
        with Lab(number, suite=suite) as lab:
            _say(f"{number} up in {time.monotonic() - started:.1f} s ({suite}, Postfix {SUITES[suite]})\n")
            _say(_render_ways(lab))
            signal.pause()
    except KeyboardInterrupt:
        _say("down")
    return 0


def _render_ways(lab: Lab) -> str:
    here = f"ip netns exec {lab.controller_namespace}"
    there = f"ip netns exec {lab.client.namespace}"
    first = next(iter(lab.machines.values()))
    alice = f"--auth-user alice --auth-password {lab.machines[first.name].users['alice']}"
    names = " ".join(f"{m.name}={m.address}" for m in lab.machines.values())
    return f"""\
machines    {names}
log in      {here} ssh -F {lab.ssh_config} {first.name}
            (ops: sudo without password; -l opspw: sudo password {first.sudo_password}; -l root)
operator    {here} bash            a shell where the machines can be reached
mail        {there} swaks --server {first.address} --to bob@{first.name}.example.jp -tls {alice}
            ({lab.client.name}, {lab.client.address})
power cut   kill -9 {first.pid1}
cable       ip -n {lab.controller_namespace} link set {first.name} down

Ctrl-C ends it."""


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
