"""Record what commands show on terminals of 60, 80 and 120 columns, and in a pipe; ``make docs/screens`` runs it.

And on 80 columns with the names of the colours, without colour, and where the operator writes Japanese.

As root: the commands are real, on a private Postfix behind a private sshd.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from smtplib import SMTPResponseException

from pfremote.loopback import LoopbackHost, traffic
from tests.support.screen import run_on_terminal

FOLDER = Path(__file__).parents[3] / "docs" / "screens"
WIDTHS = (60, 80, 120)
PEER = "127.0.0.7"
#: Of a private host there is no other.
GUARD = ("--allow-volatile-guard",)
HOSTS = ("-i", "hosts.yml", "--ssh-config", "ssh_config")


@dataclass(frozen=True)
class Scene:
    """One file of screens: ``columns`` wide, 0 for a pipe; ``styled`` with the names of styles."""

    name: str
    columns: int
    reason: str = "ticket 4711"
    styled: bool = False
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """What is shown, in this order."""
        return (
            ("check", "mx", "--peer", PEER, *GUARD),
            ("debug", "mx", "--peer", PEER, "--minutes", "8s", "--reason", self.reason, *GUARD),
            ("status", "mx"),
            ("runs",),
        )


SCENES = (
    *(Scene(str(columns), columns) for columns in WIDTHS),
    Scene("pipe", 0),
    Scene("80-colours", 80, styled=True),
    Scene("80-no-colour", 80, styled=True, environment=(("NO_COLOR", "1"),)),
    Scene(
        "80-japanese",
        80,
        reason="配送障害の調査 (ＲＣＰＴ拒否)",
        environment=(("LC_ALL", "ja_JP.UTF-8"), ("LANG", "ja_JP.UTF-8")),
    ),
)


def record(scene: Scene) -> str:
    """Return what the commands show there."""
    with LoopbackHost() as host, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(host.ssh_config, folder / "ssh_config")
        (folder / "hosts.yml").write_text(
            "mx:\n  hosts: {mx1: {}, gone.invalid: {}}\n  vars:\n"
            f"    pfremote_instance: {host.config_directory}\n"
        )
        return "\n".join(_show(words, scene, folder, host) for words in scene.commands)


def _show(words: Sequence[str], scene: Scene, folder: Path, host: LoopbackHost) -> str:
    on_text = _begin_traffic(host)
    typed = ["pfremote", *words, *(HOSTS if words[0] != "runs" else ())]
    argv = [sys.executable, "-m", *typed]
    environ = {**os.environ, "XDG_STATE_HOME": "", "HOME": str(folder), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    environ |= dict(scene.environment)
    if scene.columns:
        screen, code = run_on_terminal(argv, scene.columns, environment=environ, folder=str(folder), on_text=on_text)
        text = screen.styled_text if scene.styled else screen.text
    else:
        text, code = _run_in_pipe(argv, environ, folder, on_text)
    text = text.replace(str(folder), "/home/operator").replace(str(host.root), "/var")
    return f"$ {shlex.join(typed)}\n{text}(exit {code})\n"


def _run_in_pipe(
    argv: Sequence[str], environ: dict[str, str], folder: Path, on_text: Callable[[str], None]
) -> tuple[str, int]:
    environ = {**environ, "PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environ, cwd=folder) as process:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            on_text(text)
    return text, process.returncode


def _begin_traffic(host: LoopbackHost) -> Callable[[str], None]:
    """Return what lets clients come once the host is seen armed."""
    begun = threading.Event()

    def act() -> None:
        traffic.fail_auth_over_starttls(host, source_ip=PEER)
        traffic.deliver(host, PEER)
        with suppress(SMTPResponseException):
            traffic.deliver(host, PEER, recipient="dave@elsewhere.test")

    def see(text: str) -> None:
        if "armed until" in text and not begun.is_set():
            begun.set()
            threading.Thread(target=act).start()

    return see


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    names = sys.argv[1:]
    for scene in SCENES:
        if not names or scene.name in names:
            (FOLDER / f"{scene.name}.txt").write_text(record(scene))


if __name__ == "__main__":
    main()
