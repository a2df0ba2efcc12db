"""The lab: machines and clients on one bridge, built in a second or two and gone without a trace."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

from tests.lab.client import Client, run_in_namespace
from tests.lab.commands import run
from tests.lab.layer import Credentials, make_credentials, write_layer, write_machine
from tests.lab.leftovers import claim, labs_directory, remove_dead_labs, remove_lab
from tests.lab.machine import Machine
from tests.lab.network import Network, call_in_namespace
from tests.lab.requirements import LabUnavailableError, missing_lab_requirements
from tests.lab.tree import DEFAULT_SUITE, build_tree

P = ParamSpec("P")
T = TypeVar("T")

_CLIENTS = {"client": ("client.example.jp", "10.0.1.20"), "other": ("other.example.com", "10.0.1.21")}
_FIRST_MACHINE = 101


class Lab:
    """Machines mx1, mx2, … at 10.0.1.101, 10.0.1.102, …, all up when the context is entered.

    ``machines`` is their number, then the dictionary of them by name. ``client`` is client.example.jp at
    10.0.1.20, ``other`` is other.example.com at 10.0.1.21. Addresses exist only in the lab's namespaces:
    :meth:`run` and :meth:`call` are how the operator's side gets there.
    """

    def __init__(self, machines: int = 1, *, suite: str = DEFAULT_SUITE, boot: bool = True) -> None:
        self.id = secrets.token_hex(3)
        self.suite = suite
        self.directory = labs_directory() / self.id
        self.machines: dict[str, Machine] = {}
        self._names = [f"mx{number}" for number in range(1, machines + 1)]
        self._boot = boot
        self._network = Network(self.id)
        self._layers: list[Path] = []
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        """Build what is missing, and boot.

        Raises:
            LabUnavailableError: this machine cannot have a lab, for a reason outside the code.
            LabError: something failed that should have worked.
        """
        if reason := missing_lab_requirements():
            raise LabUnavailableError(reason)
        remove_dead_labs()
        tree = build_tree(self.suite)
        with ExitStack() as starting:
            starting.callback(self._reap)
            starting.callback(remove_lab, self.id)
            claim(self.directory)
            self._make(tree)
            if self._boot:
                self.boot()
            self._cleanup = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _reap(self) -> None:
        for machine in self.machines.values():
            machine.reap()

    def boot(self) -> None:
        """Boot every machine that is off, side by side."""
        booting = [machine for machine in self.machines.values() if not machine.is_on]
        for machine in booting:
            machine.power_on()
        for machine in booting:
            machine.wait_until_up()

    def renew(self, machine: Machine) -> None:
        """Give the machine a fresh disk, and boot it; address and SSH host key are new and known."""
        if machine.is_on:
            machine.power_cut()
        machine.cable("up")
        machine.remove_disk()
        self._prepare(machine)
        machine.boot()

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 60.0,
        check: bool = True,
        environment: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the outer machine in the controller's network."""
        return run_in_namespace(self.controller_namespace, argv, timeout=timeout, check=check, environment=environment)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a Python function in the controller's network; threads that it starts are there too."""
        return call_in_namespace(self.controller_namespace, function, *args, **kwargs)

    @property
    def controller_namespace(self) -> str:
        return self._network.controller

    @property
    def ssh_config(self) -> Path:
        """For ``ssh -F``: every machine by its name, as user ``ops``, host keys strict."""
        return self.directory / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def private_key(self) -> Path:
        return self.directory / "id_ed25519"

    def _make(self, tree: Path) -> None:
        self._network.make()
        addresses = {name: f"10.0.1.{_FIRST_MACHINE + n}" for n, name in enumerate(self._names)}
        clients = {
            short: Client(name, address, namespace=self._network.attach(short, address))
            for short, (name, address) in _CLIENTS.items()
        }
        self.client, self.other = clients["client"], clients["other"]
        self._hosts = _render_hosts(addresses)
        credentials = make_credentials(self.directory, addresses)
        self._layers = [self._make_layer(tree, credentials), tree]
        self._host_keys: dict[str, str] = {}
        for name, address in addresses.items():
            self.machines[name] = Machine(
                name,
                address,
                directory=self.directory / name,
                network=self._network,
                namespace=self._network.attach(name, address),
                credentials=credentials,
            )
            self._prepare(self.machines[name])
        self.ssh_config.write_text(self._render_ssh_config())

    def _make_layer(self, tree: Path, credentials: Credentials) -> Path:
        upper, work, root = (self.directory / "layer" / name for name in ("upper", "work", "root"))
        for directory in (upper, work, root):
            directory.mkdir(parents=True)
        run(
            [
                "mount",
                "-t",
                "overlay",
                "overlay",
                "-o",
                f"lowerdir={tree},upperdir={upper},workdir={work}",
                root,
            ]
        )
        write_layer(root, credentials)
        run(["umount", root])
        return upper

    def _prepare(self, machine: Machine) -> None:
        machine.insert_disk(self._layers)
        self._host_keys[machine.name] = write_machine(machine.root, machine.name, self._hosts)
        known = [
            f"{name},{self.machines[name].address} {' '.join(key.split()[:2])}\n"
            for name, key in self._host_keys.items()
        ]
        self.known_hosts.write_text("".join(known))

    def _render_ssh_config(self) -> str:
        hosts = "".join(f"Host {m.name}\n  HostName {m.address}\n" for m in self.machines.values())
        return hosts + (
            "Host *\n  User ops\n"
            f"  IdentityFile {self.private_key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
            "  StrictHostKeyChecking yes\n"
        )


def _render_hosts(addresses: dict[str, str]) -> str:
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    lines += [f"{address} {name}.example.jp {name}" for name, address in addresses.items()]
    lines += [f"{address} {name}" for name, address in _CLIENTS.values()]
    return "\n".join(lines) + "\n"
