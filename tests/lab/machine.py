"""One whole machine: its power, its cable, its disk, and commands run on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tests.lab.commands import LabError, run
from tests.lab.layer import Credentials
from tests.lab.network import Network
from tests.lab.nspawn import ENVIRONMENT, describe_children, find_pid1, launch, listening_ports

#: systemd's orderly power-off for containers (systemd(1), "Signals").
_POWEROFF = signal.SIGRTMIN + 3


class Machine:
    """A machine named ``name`` at ``address``; Postfix on ports 25 and 587, sshd on 22.

    Accounts over SSH: ``ops`` (sudo without password), ``opspw`` (sudo with ``sudo_password``), ``root``.
    ``users`` are the mail accounts (AUTH); ``bob@NAME.example.jp`` is a local recipient.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        directory: Path,
        network: Network,
        namespace: str,
        credentials: Credentials,
    ) -> None:
        self.name = name
        self.address = address
        self.smtp_port = 25
        self.submission_port = 587
        self.ssh_port = 22
        self.certificate = credentials.certificate
        self.users = credentials.users
        self.sudo_password = credentials.sudo_password
        self.root = directory / "root"
        self.console = directory / "console.log"
        self.boot_seconds = 0.0
        self._directory = directory
        self._network = network
        self._namespace = namespace
        self._launcher: subprocess.Popen[bytes] | None = None
        self._pid1: int | None = None
        self._powered_on_at = 0.0

    @property
    def pid1(self) -> int:
        """The outer machine's number of this machine's process 1.

        Raises:
            LabError: the machine is off.
        """
        if self._pid1 is None:
            raise LabError(f"{self.name} is off")
        return self._pid1

    @property
    def is_stuck(self) -> bool:
        """Tell whether it was powered on and never came up."""
        return self.is_on and self._pid1 is None

    @property
    def is_on(self) -> bool:
        return self._launcher is not None and self._launcher.poll() is None

    def insert_disk(self, layers: Sequence[Path]) -> None:
        """Mount an empty disk over the layers (upper ones first)."""
        for name in ("upper", "work", "root"):
            (self._directory / name).mkdir(parents=True)
        lower = ":".join(map(str, layers))
        options = f"lowerdir={lower},upperdir={self._directory / 'upper'},workdir={self._directory / 'work'}"
        run(["mount", "-t", "overlay", "overlay", "-o", options, self.root])

    def remove_disk(self) -> None:
        """Unmount the disk and throw it away."""
        run(["umount", self.root])
        for name in ("upper", "work", "root"):
            shutil.rmtree(self._directory / name)

    def boot(self, *, timeout: float = 180.0) -> None:
        """Power on, and return when systemd has started everything and SSH and SMTP answer.

        Raises:
            LabError: it did not within ``timeout`` seconds; the end of its console is in the text.
        """
        self.power_on()
        self.wait_until_up(timeout=timeout)

    def power_on(self) -> None:
        """Start booting and return at once, so that several machines can boot side by side."""
        if self.is_on:
            raise LabError(f"{self.name} is on already")
        self._powered_on_at = time.monotonic()
        self._launcher = launch(self.root, self.name, self._namespace, self.console)

    def wait_until_up(self, *, timeout: float = 180.0, again: bool = True) -> None:
        """Return when a machine that was powered on is fully up; ``boot_seconds`` is how long it took.

        Of some 1,000 boots one got stuck, without a word. At half the time such a machine is described in a warning,
        and switched off and on again, as an operator would; not without ``again``.

        Raises:
            LabError: it is not up after ``timeout`` seconds; what it waits for is in the text.
        """
        if not again:
            self._wait_until_up(timeout)
            return
        deadline = self._powered_on_at + timeout
        try:
            self._wait_until_up(timeout / 2)
        except LabError as exc:
            warnings.warn(f"{exc}; it is switched off and on again", stacklevel=2)
            if self.is_on:
                self.power_cut()
            self.power_on()
            self._wait_until_up(deadline - time.monotonic())

    def _wait_until_up(self, timeout: float) -> None:
        deadline = self._powered_on_at + timeout
        while not self._is_up():
            if not self.is_on or time.monotonic() > deadline:
                raise LabError(f"{self.name} is not up after {timeout:g} s: {self._describe()}")
            time.sleep(0.05)
        self.boot_seconds = time.monotonic() - self._powered_on_at

    def _describe(self) -> str:
        """Tell what a machine that does not come up is waiting for."""
        words = self.console.read_text(errors="replace")[-1500:]
        if not self.is_on:
            return f"it went off: {words}"
        if self._pid1 is None:
            return f"no process 1; processes of the launcher: {describe_children(self._launcher.pid)}; {words}"  # type: ignore[union-attr]
        asked = (["is-system-running"], ["list-jobs", "--no-legend"], ["--failed", "--no-legend"])
        said = [self.run(["systemctl", "--no-pager", *question], check=False).stdout.strip() for question in asked]
        return f"{said}; listening: {sorted(listening_ports(self._pid1))}; {words}"

    def power_cut(self) -> None:
        """Take the power away: every process of the machine is gone at once, the disk stays."""
        if self._pid1 is None:  # it never came up: there is only the launcher to end, and it takes its machine along
            if self._launcher is not None:
                self._launcher.kill()
            self._wait_until_off(10.0)
            return
        os.kill(self.pid1, signal.SIGKILL)
        self._wait_until_off(10.0)

    def shutdown(self, *, timeout: float = 90.0) -> None:
        """Shut down in order, as ``poweroff`` does."""
        os.kill(self.pid1, _POWEROFF)
        self._wait_until_off(timeout)

    def cable(self, state: Literal["up", "down"]) -> None:
        """Plug or pull the network cable."""
        self._network.set_cable(self.name, state)

    def run(
        self, argv: Sequence[str], *, stdin: str | None = None, timeout: float = 60.0, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run ``argv`` as root on the machine; where it is off, on its disk (chroot).

        Raises:
            LabError: the status is not 0, and ``check`` is set.
        """
        enter = ["nsenter", "--target", str(self.pid1), "--all", "--"] if self.is_on else ["chroot", str(self.root)]
        done = subprocess.run(
            [*enter, *argv],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=ENVIRONMENT,
            check=False,
        )
        if check and done.returncode != 0:
            raise LabError(
                f"{self.name}: {list(argv)}: status {done.returncode}: {(done.stderr or done.stdout)[-800:]}"
            )
        return done

    def read(self, path: str) -> str:
        """Return a file's text, whether the machine is on or off."""
        return self.run(["cat", "--", path]).stdout

    def write(self, path: str, text: str) -> None:
        """Write a file, in place where it exists."""
        self.run(["tee", "--", path], stdin=text)

    def wait_for_log(self, text: str, *, log: str = "/var/log/mail.log", timeout: float = 10.0) -> str:
        """Return the whole log once ``text`` is in it."""
        deadline = time.monotonic() + timeout
        while text not in (content := self.run(["cat", "--", log], check=False).stdout):
            if time.monotonic() > deadline:
                raise LabError(f"{self.name}: {text!r} is not in {log} after {timeout:g} s: {content[-600:]}")
            time.sleep(0.1)
        return content

    def _is_up(self) -> bool:
        if self._pid1 is None:
            self._pid1 = find_pid1(self._launcher.pid) if self._launcher else None
            return False
        # systemctl(1): "degraded" is up too, with a failed unit; which one is for the tests to say.
        state = self.run(["systemctl", "is-system-running"], check=False).stdout.strip()
        return state in ("running", "degraded") and {self.ssh_port, self.smtp_port} <= listening_ports(self._pid1)

    def reap(self) -> None:
        """Forget a machine that something else has ended."""
        self._wait_until_off(10.0)

    def _wait_until_off(self, timeout: float) -> None:
        if self._launcher is not None:
            self._launcher.wait(timeout=timeout)
        self._launcher = self._pid1 = None
