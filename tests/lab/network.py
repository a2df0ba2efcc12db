"""Network namespaces joined by a bridge; the addresses exist nowhere else."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

from tests.lab.commands import run

P = ParamSpec("P")
T = TypeVar("T")

PREFIX = "pfremote-lab-"
_CLONE_NEWNET = 0x40000000  # sched.h
#: What systemd sets on a machine of its own; a new namespace starts with 10, and then journald drops lines
#: on the way to rsyslog all the time instead of rarely.
_DATAGRAM_QUEUE = 512


class Network:
    """The namespaces of one lab; ``controller`` has the bridge: the operator's laptop would be there."""

    def __init__(self, lab_id: str) -> None:
        self._prefix = f"{PREFIX}{lab_id}-"
        self.controller = f"{self._prefix}controller"

    def make(self) -> None:
        """Make the controller namespace (10.0.1.1) and its bridge."""
        _add_namespace(self.controller)
        _ip(self.controller, "link", "add", "br0", "type", "bridge")
        _ip(self.controller, "addr", "add", "10.0.1.1/24", "dev", "br0")
        _ip(self.controller, "link", "set", "br0", "up")

    def attach(self, name: str, address: str) -> str:
        """Make a namespace with one interface on the bridge and return the namespace's name."""
        namespace = f"{self._prefix}{name}"
        _add_namespace(namespace)
        _ip(self.controller, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        _ip(self.controller, "link", "set", name, "master", "br0", "up")
        _ip(namespace, "addr", "add", f"{address}/24", "dev", "eth0")
        _ip(namespace, "link", "set", "eth0", "up")
        return namespace

    def set_cable(self, name: str, state: Literal["up", "down"]) -> None:
        """Plug or pull the cable between the bridge and ``name``."""
        _ip(self.controller, "link", "set", name, state)


def _add_namespace(namespace: str) -> None:
    run(["ip", "netns", "add", namespace])
    _ip(namespace, "link", "set", "lo", "up")
    queue = Path("/proc/sys/net/unix/max_dgram_qlen")
    call_in_namespace(namespace, queue.write_text, str(_DATAGRAM_QUEUE))


def _ip(namespace: str, *arguments: str) -> None:
    run(["ip", "-n", namespace, *arguments])


def call_in_namespace(namespace: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``function`` in a thread that is in the namespace; sockets that it makes stay there (setns(2))."""

    def enter_and_call() -> T:
        descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(descriptor, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"setns to {namespace}")
        finally:
            os.close(descriptor)
        return function(*args, **kwargs)

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(enter_and_call).result()
