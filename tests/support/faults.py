"""Random faults for whole machines: what is done to a host while leases come and go, and how it is mended."""

from __future__ import annotations

import contextlib
import random
import smtplib
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.lab import Machine
from tests.support.machine_agent import MachineAgent

_UNIT = "pfremote-etc-postfix"


@dataclass
class Trial:
    """One machine, what runs on it in this trial, and whether somebody edited main.cf."""

    agent: MachineAgent
    random: random.Random
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    sessions: list[smtplib.SMTP] = field(default_factory=list)
    edited: bool = False
    last_deadline: float = 0.0

    @property
    def machine(self) -> Machine:
        return self.agent.machine

    def shell(self, text: str) -> None:
        """Run a shell text on the machine, whatever comes of it."""
        self.machine.run(["sh", "-c", text], check=False)

    def mend(self) -> None:
        """Undo what a fault left: everything of the trial is over, the machine is as an administrator wants it."""
        while self.processes:
            process = self.processes.pop()
            process.kill()
            process.communicate()
        while self.sessions:
            self.sessions.pop().close()
        self.machine.cable("up")
        self.shell("umount -l /etc/postfix; pkill -CONT -f '/agent [w]atch |^sh -s '; true")
        self.shell("systemctl is-active -q postfix@- || systemctl restart postfix")

    def ask(self, verb: str, *words: str) -> None:
        """Start a verb over SSH and do not wait for it."""
        self.processes.append(self.agent.start(verb, *words))

    def arm(self) -> None:
        """Arm a lease of two to six seconds with random parameters."""
        seconds = self.random.randint(2, 6)
        words = [
            f"level={self.random.randint(1, 2)}",
            *self.random.choice(([], ["smtpd_tls=1"], ["smtpd_tls=2", "smtp_tls=1"])),
        ]
        words += self.random.choice(
            (["peer=10.0.1.20"], ["peer=10.0.1.0/24"], ["peer=client.example.jp", "peer=192.0.2.1"])
        )
        lease = f"{self.random.getrandbits(48):012x}"
        self.ask("arm", *self.agent.arm_words(*words, "drain=2", seconds=seconds, lease=lease))
        self.last_deadline = time.time() + seconds


def _kill_agent(trial: Trial) -> None:
    name = trial.random.choice(("KILL", "TERM", "INT", "HUP", "STOP"))
    trial.shell(f"pkill -{name} -o -f '^sh -s -- (arm|revert|extend)'")


def _kill_watcher(trial: Trial) -> None:
    name = trial.random.choice(("KILL", "TERM", "ABRT", "STOP"))
    trial.shell(f"pkill -{name} -f '/agent [w]atch '")


def _kill_sshd(trial: Trial) -> None:
    trial.shell("pkill -9 -f '^sshd: ops'")


def _power(trial: Trial) -> None:
    trial.machine.power_cut()
    time.sleep(trial.random.choice((0, 0, 2)))
    trial.machine.boot()


def _reboot(trial: Trial) -> None:
    trial.machine.shutdown()
    trial.machine.boot()


def _cable(trial: Trial) -> None:
    trial.machine.cable("down")
    time.sleep(trial.random.uniform(0.5, 2))
    trial.machine.cable("up")


def _restart_postfix(trial: Trial) -> None:
    trial.shell(
        trial.random.choice(("systemctl restart postfix", "systemctl stop postfix", "postfix reload", "postfix abort"))
    )


def _edit(trial: Trial) -> None:
    trial.edited = True
    trial.machine.run(["postconf", "-e", f"mail_name=Theirs{trial.random.randint(1, 9)}"])


def _touch_units(trial: Trial) -> None:
    trial.shell(
        trial.random.choice(
            (
                f"systemctl stop {_UNIT}.service",
                f"systemctl kill -s KILL {_UNIT}.service",
                f"systemctl stop {_UNIT}-revert.timer",
                f"systemctl start {_UNIT}-revert.service",
                "systemctl daemon-reexec",
                f"rm -f /run/systemd/system/{_UNIT}.service; systemctl daemon-reload",
            )
        )
    )


def _read_only(trial: Trial) -> None:
    trial.shell("mount --bind /etc/postfix /etc/postfix && mount -o remount,bind,ro /etc/postfix")
    time.sleep(trial.random.uniform(0.5, 3))
    trial.shell("umount -l /etc/postfix")


def _busy(trial: Trial) -> None:
    trial.shell("timeout 3 sh -c 'while :; do :; done' & timeout 3 sh -c 'while :; do :; done' & wait")


FAULTS: tuple[Callable[[Trial], None], ...] = (
    *(_kill_agent, _kill_watcher, _kill_sshd, _power, _power, _reboot, _cable, _restart_postfix),
    *(_edit, _touch_units, _read_only, _busy),
)


def _session(trial: Trial) -> None:
    with contextlib.suppress(OSError, smtplib.SMTPException):
        trial.sessions.append(trial.agent.lab.client.hold_session(trial.machine))


def _login(trial: Trial) -> None:
    with contextlib.suppress(OSError, smtplib.SMTPException):
        trial.agent.lab.client.fail_auth(trial.machine)


def _revert(trial: Trial) -> None:
    trial.ask("revert", "lease=all", "drain=1")


def _status(trial: Trial) -> None:
    trial.ask("status")


#: What people do meanwhile. It is no fault.
LIFE: tuple[Callable[[Trial], None], ...] = (Trial.arm, _session, _login, _login, _revert, _status)


def make_plan(choice: random.Random) -> list[tuple[float, Callable[[Trial], None]]]:
    """Return what happens when, in seconds from the first arm: one to three faults and as much life."""
    faults = [(choice.uniform(0.1, 7), choice.choice(FAULTS)) for _ in range(choice.randint(1, 3))]
    life = [(choice.uniform(0.2, 6), choice.choice(LIFE)) for _ in range(choice.randint(1, 3))]
    return sorted([(0.0, Trial.arm), *faults, *life], key=lambda event: event[0])


def play(trial: Trial, plan: list[tuple[float, Callable[[Trial], None]]]) -> None:
    """Let the plan happen; a fault that takes long moves the rest back."""
    started = time.monotonic()
    for at, action in plan:
        time.sleep(max(0.0, started + at - time.monotonic()))
        print(f"{time.monotonic() - started:5.1f} s  {action.__name__.strip('_')}")  # noqa: T201 - shown when it fails
        action(trial)
