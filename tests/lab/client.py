"""A mail client with a name and an address of its own, and what it does to the machines."""

from __future__ import annotations

import smtplib
import subprocess
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from pfremote.loopback import traffic
from tests.lab.machine import Machine
from tests.lab.network import call_in_namespace

P = ParamSpec("P")
T = TypeVar("T")


class Client:
    """``name`` (in every machine's /etc/hosts, so that smtpd believes it) at ``address``."""

    def __init__(self, name: str, address: str, *, namespace: str) -> None:
        self.name = name
        self.address = address
        self.namespace = namespace

    def run(
        self, argv: Sequence[str], *, timeout: float = 60.0, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the outer machine (swaks, openssl s_client) in the client's network."""
        return run_in_namespace(self.namespace, argv, timeout=timeout, check=check)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a Python function in the client's network."""
        return call_in_namespace(self.namespace, function, *args, **kwargs)

    def fail_auth(self, machine: Machine, *, port: int | None = None, mechanism: str = "PLAIN") -> int:
        """Try a wrong password over STARTTLS; return the reply code (535)."""
        return self.call(traffic.fail_auth_over_starttls, machine, self.address, mechanism=mechanism, port=port)

    def log_in(self, machine: Machine, *, port: int | None = None, mechanism: str = "PLAIN") -> int:
        """Log in as alice over STARTTLS; return the reply code (235)."""
        return self.call(traffic.log_in, machine, self.address, mechanism=mechanism, port=port)

    def deliver(self, machine: Machine, *, recipient: str | None = None) -> str:
        """Send a message to ``recipient`` (bob on that machine); return its queue id."""
        return self.call(traffic.deliver, machine, self.address, recipient=recipient)

    def hold_session(self, machine: Machine, *, port: int | None = None, starttls: bool = False) -> smtplib.SMTP:
        """Open a session and return it open."""
        return self.call(traffic.hold_session, machine, source_ip=self.address, port=port, starttls=starttls)


def run_in_namespace(
    namespace: str,
    argv: Sequence[str],
    *,
    timeout: float = 60.0,
    check: bool = True,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``argv`` in a network namespace (``ip netns exec``)."""
    return subprocess.run(
        ["ip", "netns", "exec", namespace, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        env=environment,
        check=check,
    )
